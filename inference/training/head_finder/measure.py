"""How far found heads are from outlined ones, on groups that were kept apart."""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from inference.engine.head.biometry import circumference
from inference.engine.head.by_network import Floats, Painter, found_by
from inference.engine.head.ellipse import Ellipse
from inference.engine.head.network import HeadPainter
from inference.training.data.sources import entries
from inference.training.head_finder.material import Row

APART = 0.2
MID_TRIMESTER_MM = 150.0
"""Head circumference from which a head is about 18 weeks old."""


def held_out(groups: NDArray[np.str_], seed: int) -> NDArray[np.bool_]:
    """Which groups are kept apart: a fifth, by a hash of their name, whatever else is in the data."""
    numbers = [blake2b(f"{seed}/{group}".encode(), digest_size=8).digest() for group in groups.tolist()]
    return np.array([int.from_bytes(number, "big") / 2**64 < APART for number in numbers])


def painter_of(model: HeadPainter) -> Painter:
    """The network as it was trained, run by torch."""

    def painter(pictures: Floats) -> Floats:
        with torch.inference_mode():
            return np.asarray(model(torch.from_numpy(pictures)).numpy(), np.float32)

    return painter


def picture_of(data: Path, file: str) -> Floats:
    """A picture's grey levels, 0 to 255."""
    return np.asarray(Image.open(data / file).convert("L"), np.float32)


def dice(one: Ellipse, other: Ellipse, shape: tuple[int, int]) -> float:
    """Overlap of two ellipses on a picture."""
    first, second = one.mask(shape), other.mask(shape)
    return float(2 * (first & second).sum() / max(first.sum() + second.sum(), 1))


def figures(model: HeadPainter, data: Path, rows: Sequence[Row]) -> dict[str, Any]:
    """Error of the head circumference in mm, and overlap, from about 18 weeks on and before."""
    scales = _scales(data)
    painter = painter_of(model)
    errors, overlaps, older, missed = [], [], [], 0
    for row in rows:
        picture = picture_of(data, row.file)
        head = found_by(painter, picture)
        if row.head is None:
            continue
        if head is None:
            missed += 1
            continue
        pixel = scales[row.file]
        true = circumference(row.head) * pixel
        errors.append(circumference(head.ellipse) * pixel - true)
        overlaps.append(dice(head.ellipse, row.head, (picture.shape[0], picture.shape[1])))
        older.append(true >= MID_TRIMESTER_MM)
    gap, overlap, late = np.array(errors), np.array(overlaps), np.array(older)
    return {
        "missed": missed,
        **{f"from 18 weeks: {name}": value for name, value in _summed(gap[late], overlap[late]).items()},
        **{f"before 18 weeks: {name}": value for name, value in _summed(gap[~late], overlap[~late]).items()},
    }


def _summed(gap: NDArray[np.float64], overlap: NDArray[np.float64]) -> dict[str, float]:
    if not len(gap):
        return {"heads": 0}
    size = np.abs(gap)
    half = 1.96 * float(size.std(ddof=1)) / len(gap) ** 0.5 if len(gap) > 1 else 0.0
    return {
        "heads": len(gap),
        "mean error mm": round(float(size.mean()), 3),
        "mean error mm, 95 % half-width": round(half, 3),
        "median error mm": round(float(np.median(size)), 3),
        "bias mm": round(float(gap.mean()), 3),
        "mean Dice": round(float(overlap.mean()), 4),
        "least Dice": round(float(overlap.min()), 4),
    }


def _scales(data: Path) -> dict[str, float]:
    return {one.file: one.mm for one in entries(data, "hc18") if one.mm}


def told(when: str, found: dict[str, Any]) -> str:
    """One line for people."""
    return f"{when}: " + ", ".join(f"{name} {value}" for name, value in found.items())
