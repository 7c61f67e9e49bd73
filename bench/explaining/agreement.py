"""How near LIME's weights come to a reference, and how soon."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from inference.charts import lines_chart, standalone

LIME_SAMPLES = 1000
"""The lime package's default."""


@dataclass(frozen=True)
class Scores:
    """Agreement with the reference, and seconds."""

    rank: float
    top: float
    error: float
    seconds: float


def scores(weights: np.ndarray, reference: np.ndarray, seconds: float) -> Scores:
    top = set(np.argsort(-np.abs(weights))[:5]) & set(np.argsort(-np.abs(reference))[:5])
    error = np.linalg.norm(weights - reference) / np.linalg.norm(reference)
    return Scores(float(spearmanr(weights, reference).statistic), len(top) / 5, float(error), seconds)


def mean(parts: list[Scores]) -> Scores:
    return Scores(*(float(np.mean([vars(part)[name] for part in parts])) for name in vars(parts[0])))


def first_share(
    ours: dict[int, list[Scores]], peer: Scores, reached: Callable[[Scores], bool]
) -> float | None:
    """Time of our fewest samples from which on the peer is reached, as a share of the peer's."""
    good = None
    for count in sorted(ours, reverse=True):
        found = mean(ours[count])
        if not reached(found):
            break
        good = found.seconds / peer.seconds
    return good


def draw(name: str, curves: dict[str, Any], folder: Path) -> None:
    """Agreement against time: of ranks, and the relative error, as SVG files."""
    whole = curves["lime"][LIME_SAMPLES]["seconds"]
    axes = "share of the time of lime's 1,000 samples"
    for file, key, what in (("ranks", "rank", "rank correlation"), ("error", "error", "relative error")):
        lines = [
            (
                who,
                [
                    (one["seconds"] / whole, one[key])
                    for one in curves[who].values()
                    if one["seconds"] <= whole
                ],
            )
            for who in ("lime", "ours")
        ]
        if key in curves["ceiling"]:
            level = curves["ceiling"][key]
            lines.append(("halves of the reference", [(0.0, level), (1.0, level)]))
        chart = lines_chart(
            f"LIME on {name}", "", (axes, what), lines, (), (), legend=0.3 if key == "rank" else 0.75
        )
        (folder / f"lime-{name}-{file}.svg").write_text(standalone(chart))
