"""The figures for people, as Markdown."""

import json
from collections.abc import Iterator
from typing import Any

from inference.charts.curves import lines_chart
from inference.charts.svg import standalone


def told(found: dict[str, Any]) -> str:
    """Tables of T1 and T2, the rest as JSON."""
    lines = [*_checks(found["t1"]["places"]), *_arms(found["t2"])]
    return "\n".join([*lines, "", json.dumps(found["t3"], indent=1), json.dumps(found["t4"])])


def _checks(places: dict[str, Any]) -> Iterator[str]:
    yield from _head("scans", "fault", "check", "AUC", "rank in a head", "rank of means")
    for place, figures in places.items():
        for fault, one in figures["faults"].items():
            ranks = f"{one['spearman']:.2f} | {one['spearman_of_means']:.2f}"
            yield f"| {place} | {fault} | {one['check']} | {one['auc']:.2f} | {ranks} |"
            if "peer_auc" in one:
                peers = f"{one['peer_auc']:.2f} | {one['peer_spearman']:.2f}"
                yield f"| {place} | {fault} | blur_effect of scikit-image | {peers} | |"
        share = f"{100 * figures['false_advice']:.1f} % of {figures['clean_scans']}"
        yield f"| {place} | none | false advice | {share} | | |"


def _arms(found: dict[str, Any]) -> Iterator[str]:
    parts = [(place, found[place]) for place in ("ultrasound", "mri", "mri_volumes") if place in found]
    for place, part in (*parts, ("both", found)):
        yield from ("", f"{place}, {part['heads']} heads", "")
        yield from _head("arm", "seconds", "accuracy", "error, mm", "risk-coverage area")
        for arm, curve in part["curves"].items():
            for one in (curve[0], curve[-1]):
                figures = f"{one['accuracy']:.3f} | {one['error_mm']:.2f} | {one['risk_coverage_area']:.3f}"
                yield f"| {arm} | {one['seconds']:.0f} | {figures} |"
        for name in ("seconds_share", "oracle_share"):
            low, high = part[f"{name}_interval"]
            yield f"\n{name}: {part[name]:.2f} ({low:.2f} to {high:.2f})"


def _head(*names: str) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield "| --- " * len(names) + "|"


def plot(found: dict[str, Any]) -> str:
    """An SVG: accuracy over the seconds that each arm took, as a share of the whole fixed protocol's."""
    curves = found["t2"]["curves"]
    whole = curves["fixed"][-1]["seconds"]
    lines = [
        (name, [(one["seconds"] / whole, one["accuracy"]) for one in curves[name]])
        for name in ("policy", "fixed", "chance", "oracle")
    ]
    axes = ("share of the fixed protocol's seconds", "accuracy")
    return standalone(lines_chart("Advice in simulation", "", axes, lines, (), (), legend=0.3))
