"""Head: circumference and overlap on the groups of HC18 that the finder never saw, and by the search."""

from pathlib import Path

import numpy as np
from PIL import Image

from bench.answering.table import Row, mean
from inference.engine.head.biometry import circumference
from inference.engine.head.by_skull import find_head
from inference.engine.head.shipped import find_outlined
from inference.training.data.sources import entries
from inference.training.head_finder.material import hc18_rows
from inference.training.head_finder.measure import MID_TRIMESTER_MM, dice, held_out

FINDERS = {
    "the finder": find_outlined,
    "the search of before": lambda picture: find_head(picture, "ultrasound"),
}


def rows(data: Path, every: int) -> list[Row]:
    """Error of the stated head circumference (not that of the drawn ellipse, 0.7 % more) and overlap."""
    wanted = list(hc18_rows(data))
    apart = held_out(np.array([row.group for row in wanted]), 1)
    kept = [row for row, mine in zip(wanted, apart, strict=True) if mine][::every]
    pixels = {one.file: one.mm for one in entries(data, "hc18") if one.mm}
    found: list[Row] = []
    for name, finder in FINDERS.items():
        gaps: dict[bool, list[float]] = {True: [], False: []}
        overlaps: dict[bool, list[float]] = {True: [], False: []}
        for row in kept:
            picture = np.asarray(Image.open(data / row.file).convert("L"), np.float32)
            true = circumference(row.head) * pixels[row.file]
            head = finder(picture)
            late = true >= MID_TRIMESTER_MM
            if head:
                gaps[late].append(abs(circumference(head.ellipse) * pixels[row.file] - true))
            overlaps[late].append(dice(head.ellipse, row.head, picture.shape) if head else 0.0)
        for late, when in ((True, "from 18 weeks on"), (False, "before 18 weeks")):
            aims = {"most": 2.5} if late else {}
            found.append(
                mean(
                    f"head circumference, error by {name}",
                    f"hc18 {when}",
                    gaps[late],
                    "mm",
                    seen="kept apart",
                    **aims,
                )
            )
            aims = {"least": 0.96} if late else {}
            found.append(
                mean(
                    f"overlap (Dice) by {name}", f"hc18 {when}", overlaps[late], "", seen="kept apart", **aims
                )
            )
    return found
