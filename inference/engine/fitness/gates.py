"""What the records of the shipped gates say of heads that they refuse, and of what they let through.

Read from the records alone: no weights, no torch.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ENGINE = Path(__file__).parents[1]
_LOOK = (
    ("head of a hospital left out, {}, as it is", "head, {}, as it is"),
    ("no head, abdomen, as it is", "no head, thorax, as it is", "no head, femur, as it is"),
)
GATES: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "ultrasound-outline-2-": ("shipped_input_gate/input_gate.json", *_LOOK),
    "ultrasound-outline-": ("shipped_input_gate/earlier/901099d6c5a6.json", *_LOOK),
    "ultrasound-": (
        "shipped_scope/scope.json",
        ("head of an unseen source: normal pictures", "head of an unseen source: pictures of anomalies"),
        ("no head: abdomen", "no head: thorax", "no head: femur"),
    ),
    "mri-": (
        "shipped_scope/scope.json",
        ("head of an unseen source: real MRI",),
        ("all that is no head, of kinds the gate never met",),
    ),
}
"""By the beginning of a preparation's name: the record of the gate that it asks; its figures for heads that
are refused, {} standing for any source; its figures for what is no head and is refused."""
MADE = ("phantom",)
"""Sources that are no hospital's."""
LEAST_COUNT = 20
"""Heads of a source from which on a share of them says anything."""


@dataclass(frozen=True)
class GateFigure:
    """A share that a gate refuses, of `count` pictures of a source."""

    source: str
    value: float
    count: int


@dataclass(frozen=True)
class GateFigures:
    """heads: the source whose heads are refused most; others: all that is no head, taken together.

    None where the record says nothing of it.
    """

    heads: GateFigure | None
    others: GateFigure | None


NOTHING = GateFigures(None, None)


@cache
def gate_figures(preprocessing: str) -> GateFigures:
    """Of the gate that a preparation asks; nothing for a preparation that this release does not know."""
    known = next((GATES[start] for start in GATES if preprocessing.startswith(start)), None)
    if known is None:
        return NOTHING
    file, heads, others = known
    figures = json.loads((ENGINE / file).read_text())["figures"]
    sources = [one for pattern in heads for one in _of_sources(pattern, figures)]
    refused = [_shown(name, figures[name]) for name in others if name in figures]
    return GateFigures(max(sources, key=lambda one: one.value, default=None), _together(refused))


def _of_sources(pattern: str, figures: Mapping[str, Any]) -> list[GateFigure]:
    start, _, end = pattern.partition("{}")
    found = []
    for name, figure in figures.items():
        if name == pattern:
            source = name.rpartition(": ")[2]
        elif end and name.startswith(start) and name.endswith(end):
            source = name[len(start) : len(name) - len(end)]
        else:
            continue
        if source not in MADE and figure["count"] >= LEAST_COUNT:
            found.append(_shown(source, figure))
    return found


def _shown(source: str, figure: Mapping[str, Any]) -> GateFigure:
    return GateFigure(source, figure["value"], figure["count"])


def _together(parts: list[GateFigure]) -> GateFigure | None:
    count = sum(one.count for one in parts)
    if not count:
        return None
    return GateFigure("", sum(one.value * one.count for one in parts) / count, count)
