"""Heads that nobody outlined, where two finders that share nothing put the same ellipse."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from inference.engine.head import find_head
from inference.engine.head_finder.find import found_by
from inference.engine.head_finder.network import HeadPainter
from inference.training.head_finder.material import Outlined, Row, loaded
from inference.training.head_finder.measure import dice, painter_of, picture_of

AGREEMENT = 0.92
"""Overlap (Dice) from which the network's ellipse and the hand-made search's are taken for the head."""


def agreed(model: HeadPainter, data: Path, rows: Sequence[Row], tell: Callable[[str], None]) -> Outlined:
    """The rows where both agree, outlined by the network."""
    painter = painter_of(model)
    kept = []
    for row in rows:
        picture = picture_of(data, row.file)
        ours, search = found_by(painter, picture), find_head(picture, "ultrasound")
        if ours is None or search is None:
            continue
        if dice(ours.ellipse, search.ellipse, (picture.shape[0], picture.shape[1])) >= AGREEMENT:
            kept.append(replace(row, head=ours.ellipse))
    tell(f"{len(kept)} of {len(rows)} heads that nobody outlined are found alike by two finders")
    return loaded(data, kept)
