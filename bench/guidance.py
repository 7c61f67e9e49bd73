"""Does advice on the next acquisition help? In simulation, which is all that is claimed.

    python bench/guidance.py [--json] [--heads 100] [--fit-heads 60] [--checked 24] [--real DIR] [--mri DIR]
        [--cache DIR] [--plot FILE]
    python bench/guidance.py --fit       also writes cases/advice/values.json from the fit heads

T1: the checks on faults of known strength. T2: the shipped rules and value table against a fixed protocol,
chance and one who knows the truth, on heads the table was not fitted on. T3: the same with another head's
scores, and with quality or risk alone. T4: advice moves no prediction, hides no positive, and names rule and
source.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from advice import checks, policies, table
from advice.comparison import Grid, compared, gained
from advice.decisions import fitted
from advice.policies import Course, World
from advice.words import plot, told

from cases.advice.checks import ScanFacts, completeness
from cases.advice.findings import Finding
from cases.advice.rank import advise
from cases.advice.rulebook import rulebook
from cases.advice.values import SHIPPED, values
from inference.engine.quality import check
from inference.formats.stack import MODALITIES
from inference.phantom import Defects, render, sample_spec
from inference.training.synthesis.acquisitions import Pool, labelled_heads, labelled_pools, odds_of, pools

TEST_FROM = 100_000
FIRST_SAFE, SAFE_HEADS = 300_000, 12
BARE = ScanFacts(1, "mri", "", is_volume=False, pixel_spacing=None, slice_spacing=None, slice_thickness=None)
"""A scan whose file states nothing."""


def main() -> None:
    """Print the figures; write the table with --fit."""
    asked = arguments()
    fit = {one: kept(one, 0, asked.fit_heads, asked.cache) for one in MODALITIES}
    rules = rulebook()
    judges = {one: fitted(found) for one, found in fit.items()}
    if asked.fit:
        write_table({one: table.table(fit[one], judges[one], rules) for one in MODALITIES}, asked.fit_heads)
    test = {one: kept(one, TEST_FROM, asked.heads, asked.cache) for one in MODALITIES}
    worlds = {one: World(judges[one], rules, values()) for one in MODALITIES}
    found = {
        "t1": t1(test, asked, rules),
        "t2": t2(test, worlds),
        "t3": t3(test, worlds),
        "t4": t4(worlds),
    }
    if asked.mri:
        found["t2"]["mri_volumes"] = on_volumes(asked.mri, worlds["mri"])
    if asked.plot:
        asked.plot.write_text(plot(found))
    print(json.dumps(found, indent=1) if asked.json else told(found))


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--heads", type=int, default=100)
    parser.add_argument("--fit-heads", type=int, default=60)
    parser.add_argument("--checked", type=int, default=24, help="heads on which the checks are tried")
    parser.add_argument("--real", type=Path, help="a folder of real ultrasound pictures")
    parser.add_argument("--mri", type=Path, help="a folder of real MRI volumes with labels of the ventricles")
    parser.add_argument("--cache", type=Path, help="a folder that keeps the simulated acquisitions")
    parser.add_argument("--plot", type=Path, help="an SVG file to write the curves to")
    return parser.parse_args()


def kept(modality: Any, first: int, count: int, cache: Path | None) -> list[Pool]:
    """Pools of `count` heads, simulated once for each cache."""
    path = cache / f"{modality}-{first}-{count}.json" if cache else None
    if path and path.exists():
        return [Pool.from_json(one) for one in json.loads(path.read_text())]
    found = pools(modality, range(first, first + count))
    if path:
        path.write_text(json.dumps([pool.as_json() for pool in found]))
    return found


def write_table(cells: dict[str, Any], heads: int) -> None:
    """The shipped value table, with where it comes from."""
    about = (
        f"Simulated: {heads} phantom heads of each modality, all pairs of their acquisitions; "
        "made by python bench/guidance.py --fit. [mean drop in bits, pairs]"
    )
    SHIPPED.write_text(json.dumps({"about": about, "cells": cells}, indent=1, sort_keys=True) + "\n")
    values.cache_clear()


# T1


def t1(test: dict[Any, list[Pool]], asked: argparse.Namespace, rules: Any) -> dict[str, Any]:
    """The worst check speaks for all."""
    found: dict[str, Any] = {}
    for modality in MODALITIES:
        rows = checks.graded_phantoms(modality, asked.checked, processes=2)
        clean = [one.checks for pool in test[modality] for one in pool.mended]
        found[modality] = {
            "faults": checks.figures(rows),
            "false_advice": checks.false_advice(clean, modality, rules),
            "clean_scans": len(clean),
            "clean_99": clean_limits(rows),
        }
    if asked.real:
        found["real_ultrasound"] = on_real(*checks.graded_real(asked.real, 36), "ultrasound", rules)
    if asked.mri:
        found["mri_volumes"] = on_real(*checks.graded_labelled(asked.mri), "mri", rules)
    each = [one for place in found.values() for one in place["faults"].values()]
    return {
        "auc": min(one["auc"] for one in each),
        "auc_median": float(np.median([one["auc"] for one in each])),
        "spearman": float(np.mean([one["spearman"] for one in each])),
        "spearman_least": min(one["spearman"] for one in each),
        "false_advice": max(place["false_advice"] for place in found.values()),
        "places": found,
    }


def on_real(
    rows: Sequence[dict[str, Any]], whole: Sequence[dict[str, float]], modality: str, rules: Any
) -> dict[str, Any]:
    """Figures of pictures that were made worse. whole: the checks of these pictures as they are."""
    return {
        "faults": checks.figures(rows),
        "false_advice": checks.false_advice(whole, modality, rules),
        "clean_scans": len(whole),
        "clean_99": clean_limits(rows),
    }


def clean_limits(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """99th percentile of each check on the clean scans among the rows."""
    names = sorted({row["check"] for row in rows})
    clean = {
        name: [row["value"] for row in rows if row["check"] == name and row["grade"] == 0] for name in names
    }
    return {name: float(np.percentile(found, 99)) for name, found in clean.items()}


# T2


def t2(test: dict[Any, list[Pool]], worlds: dict[Any, World]) -> dict[str, Any]:
    """Each modality by itself, and both together, with intervals from heads drawn again."""
    arms = {one: arms_of(test[one], worlds[one]) for one in MODALITIES}
    found: dict[str, Any] = {one: compared(arms[one], {one: worlds[one]}) for one in MODALITIES}
    both = {
        name: [course for one in MODALITIES for course in arms[one][name]] for name in arms[MODALITIES[0]]
    }
    return {**compared(both, worlds), **found}


def on_volumes(folder: Path, world: World) -> dict[str, Any]:
    """The same on slices that real volumes and their labels made; the networks know other looks of them."""
    volumes = [head.volume.name for head in labelled_heads(folder)]
    return compared(arms_of(labelled_pools(folder), world), {"mri": world}, volumes)


def arms_of(heads: Sequence[Pool], world: World) -> dict[str, list[Course]]:
    """What every arm does with every head."""
    chosen = {
        "policy": policies.advised(world),
        "fixed": policies.fixed(world),
        "chance": policies.by_chance(world),
        "oracle": policies.oracle(world),
    }
    return {name: [policies.course(pool, world, choose) for pool in heads] for name, choose in chosen.items()}


# T3


def t3(test: dict[Any, list[Pool]], worlds: dict[Any, World]) -> dict[str, Any]:
    """Another head's scores must gain no more than chance does in the same seconds."""
    chance = Grid(all_courses(test, worlds, lambda world, _: policies.by_chance(world)), worlds)
    chosen: dict[str, Any] = {
        "both": lambda world, _: policies.advised(world),
        "quality_only": lambda world, _: policies.advised(world, risk=False),
        "risk_only": lambda world, _: policies.advised(world, quality=False),
        "shuffled": lambda world, heads: policies.advised(world, told=policies.shuffled(heads)),
    }
    return {
        name: gained(Grid(all_courses(test, worlds, one), worlds), chance) for name, one in chosen.items()
    }


def all_courses(test: dict[Any, list[Pool]], worlds: dict[Any, World], chosen: Any) -> list[Course]:
    """What one arm does with every head of both modalities. chosen: (world, heads) to a policy."""
    found = []
    for modality in MODALITIES:
        choose = chosen(worlds[modality], test[modality])
        found += [policies.course(pool, worlds[modality], choose) for pool in test[modality]]
    return found


# T4


def t4(worlds: dict[Any, World]) -> dict[str, Any]:
    """Counts that must be zero, and what is refused for want of data."""
    moved = hidden = given = sourceless = 0
    for modality, world in worlds.items():
        for head in range(FIRST_SAFE, FIRST_SAFE + SAFE_HEADS):
            spec = sample_spec(np.random.default_rng([44, head]))
            stack = render(spec, modality, seed=head, defects=Defects(blur=0.8, noise=0.3)).stack()
            before = odds_of(stack)
            values_ = check(stack, [0])
            findings = [Finding(one.name, one.value, modality, "simulated", scan=1) for one in values_]
            counsel = advise(findings, world.rules, world.values)
            after = odds_of(stack)
            moved += before != after
            hidden += before is not None and before >= 0 and after is None
            for suggestion in counsel.suggestions:
                given += 1
                reasons = suggestion.as_json()["why"]
                sourceless += not reasons or any(not (why["source"] and why["rule"]) for why in reasons)
    return {
        "advice": given,
        "without_rule_or_source": sourceless,
        "predictions_moved": moved,
        "positives_hidden": hidden,
        "refused_without_metadata": [one.name for one in completeness([BARE], [])[1]],
    }


if __name__ == "__main__":
    main()
