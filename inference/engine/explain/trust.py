"""When an explanation is not to be relied on, out of what was measured about it. Imports no torch.

The limits were set on heads whose ventricles are known; bench/trust.py tells how often the badge is right on
others, and docs/explanations.md shows it. A faithful map of a network that looks elsewhere is reliable: it
shows where that network looked.
"""

from collections.abc import Mapping
from typing import Literal

Doubt = Literal["empty", "no_better_than_chance", "outside_head", "unsettled"]

EXCESS = 0.25
EXCESS_OF: Mapping[str, float] = {"lime": 0.5, "lime_reference": 0.5}
"""Log-odds that hiding what a map marks must cost more than hiding as much by chance.

A method that hides and shows pieces itself must do better at it.
"""
INSIDE_HEAD = 0.3
"""Share of the heat that must lie on the head."""
SETTLED = 0.9
"""Rank correlation of LIME's weights with those of a block of masks fewer."""
FORETOLD_AGREES = 0.7
"""Correlation of foretold and computed log-odds below which LIME foretells nothing more."""


def doubts_about(method: str, metrics: Mapping[str, float]) -> tuple[Doubt, ...]:
    """Every reason not to rely on a map; none when there is none, or nothing was measured.

    metrics: as stored with an explanation. An older one lacks some, and is not doubted for it.
    """
    if metrics.get("peak") == 0:
        return ("empty",)
    limits: tuple[tuple[float | None, float, Doubt], ...] = (
        (excess(metrics), EXCESS_OF.get(method, EXCESS), "no_better_than_chance"),
        (metrics.get("inside_head"), INSIDE_HEAD, "outside_head"),
        (metrics.get("rank_stability"), SETTLED, "unsettled"),
    )
    return tuple(doubt for value, least, doubt in limits if value is not None and value < least)


def excess(metrics: Mapping[str, float]) -> float | None:
    """How much more hiding what a map marks costs than hiding as much by chance, in log-odds of the class."""
    if "deletion" not in metrics:
        return None
    return metrics["deletion"] - metrics["deletion_chance"]
