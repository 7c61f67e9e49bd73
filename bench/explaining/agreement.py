"""How near LIME's weights come to a reference, and how soon."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from inference.charts.curves import line_marks
from inference.charts.svg import Chart, framed, standalone

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
        lines = [(who, _against_time(curves[who].values(), key, whole)) for who in ("lime", "ours")]
        level = curves["ceiling"][key]
        lines.append(("halves of the reference", [(0.0, level), (1.0, level)]))
        marks = line_marks(lines, legend=0.3 if key == "rank" else 0.75)
        title = f"LIME on {name}"
        drawn = framed(title, (axes, what), marks, diagonal=False, across=SHARES)
        (folder / f"lime-{name}-{file}.svg").write_text(standalone(Chart(title, "", drawn, (), ())))


def _against_time(found: Iterable[dict[str, float]], key: str, whole: float) -> list[tuple[float, float]]:
    """Points of a line: where the share of the whole seconds stands, and the figure."""
    return [(_place(one["seconds"] / whole), one[key]) for one in found if one["seconds"] <= whole]


def _place(share: float) -> float:
    """From a hundredth to the whole time, by its logarithm: ours lies in the first tenth."""
    return 1 + math.log10(share) / 2


SHARES = {share: _place(share) for share in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)}
