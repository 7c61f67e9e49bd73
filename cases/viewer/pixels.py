"""Pixels and heatmaps on their way to the viewer: bytes as they are, and small pictures for lists."""

import base64
import io
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from inference.engine.explain.overlay import blend
from inference.engine.preprocessing.square_pixels import squared
from inference.formats.spacing import aspect_of
from inference.models import Explanation, Image
from inference.results import images, planes

THUMBNAIL = 176  # pixels of the longer side
LEGIBLE = 400  # likewise, of a picture in a report with lines and numbers on it
CALIPER = (255, 214, 0)
Line = Sequence[Sequence[float]]


def frame_bytes(image: Image, number: int) -> bytes:
    """Little-endian pixels of one frame, row by row, image.bits each; IndexError past the end."""
    return _little(images.frame(image.pixels_id, number))


def cut_bytes(image: Image, across: str, number: int) -> bytes:
    """Likewise of one cut through all frames of a volume; IndexError past the end."""
    return _little(planes.cut(image, across, number))


def heatmap_bytes(explanation: Explanation, row: int) -> bytes:
    """Little-endian float16 of one frame of the map, at the scan's size; IndexError past the end."""
    return _little(images.frame(explanation.heatmap_id, row))


@lru_cache(maxsize=256)
def thumbnail(pixels_sha256: str, number: int, aspect: float = 1.0) -> str:
    """One frame as a small PNG in a data: address: it is a part of the page, so its view is the page's.

    aspect: of its pixels, in whose true proportions it is drawn.

    Cached by content hash: the bytes behind a hash never change.
    """
    grey = _windowed(_true(_content(images.frame(pixels_sha256, number)), aspect))
    picture = Pillow.fromarray(grey)
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    return "data:image/png;base64," + base64.b64encode(_png(np.asarray(picture))).decode()


def frame_png(
    image: Image,
    number: int,
    lines: Mapping[int, Line] | None = None,
    broken: Collection[int] = (),
    *,
    across: str = "",
) -> bytes:
    """One frame, or one cut across rows or columns, in grey levels and true proportions, for a report.

    lines: by the number that stands beside each, its two ends as (row, column) in pixels. broken: the numbers
    of those that are drawn broken, as what they measure is provisional.
    """
    plane = planes.plane_of(image, across)
    frame = planes.cut(image, across, number) if plane else images.frame(image.pixels_id, number)
    grey = _windowed(_true(frame, aspect_of(plane.spacing, None) if plane else image.aspect))
    down, right = (there / here for there, here in zip(grey.shape, frame.shape, strict=True))
    drawn = {
        place: [((row + 0.5) * down - 0.5, (column + 0.5) * right - 0.5) for row, column in ends]
        for place, ends in (lines or {}).items()
    }
    return _png(_with_lines(grey, drawn, broken) if drawn else grey)


def _with_lines(
    grey: NDArray[np.uint8], lines: Mapping[int, Line], broken: Collection[int]
) -> NDArray[np.uint8]:
    """Enlarged where the frame is small, so that the numbers can be read."""
    factor = max(1, math.ceil(LEGIBLE / max(grey.shape)))
    picture = Pillow.fromarray(grey).convert("RGB")
    picture = picture.resize((picture.width * factor, picture.height * factor), Pillow.Resampling.NEAREST)
    canvas = ImageDraw.Draw(picture)
    width = max(1, round(max(picture.size) / LEGIBLE))
    for number, ends in lines.items():
        (x0, y0), (x1, y1) = (((c + 0.5) * factor, (r + 0.5) * factor) for r, c in ends)
        for start, end in _dashes((x0, y0), (x1, y1), 3 * width) if number in broken else [(0.0, 1.0)]:
            part = [(x0 + share * (x1 - x0), y0 + share * (y1 - y0)) for share in (start, end)]
            canvas.line(part, fill=CALIPER, width=width)
        for x, y in ((x0, y0), (x1, y1)):
            canvas.ellipse([x - 2 * width, y - 2 * width, x + 2 * width, y + 2 * width], outline=CALIPER)
        canvas.text((x1 + 3 * width, y1 - 6), str(number), fill=CALIPER)
    return np.asarray(picture, np.uint8)


def _dashes(
    start: tuple[float, float], end: tuple[float, float], length: float
) -> Iterator[tuple[float, float]]:
    """Shares of the way from start to end at which each dash begins and ends; gaps are as long as dashes."""
    steps = max(3, round(math.dist(start, end) / length)) | 1  # odd: it begins and ends with a dash
    return ((step / steps, (step + 1) / steps) for step in range(0, steps, 2))


def overlay_png(image: Image, number: int, explanation: Explanation, row: int) -> bytes:
    """One frame under one row of its map, in true proportions: warm speaks for the class, cold against it."""
    heat = _true(images.frame(explanation.heatmap_id, row), image.aspect).astype(np.float64)
    strongest = max(float(np.abs(heat).max()), 1e-9)
    frame = _true(images.frame(image.pixels_id, number), image.aspect)
    return _png(blend(frame.astype(np.float64), heat / strongest))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, format="PNG", optimize=True)
    return file.getvalue()


def _little(frame: NDArray[np.generic]) -> bytes:
    return frame.astype(frame.dtype.newbyteorder("<"), copy=False).tobytes()


def _true(frame: NDArray[np.generic], aspect: float) -> NDArray[np.generic]:
    """Drawn out to square pixels, as networks see it; a frame of square pixels is given back itself."""
    square: NDArray[np.generic] = squared(frame.astype(np.float32), (aspect, 1.0))[0]
    return frame if square.shape == frame.shape else square


def _content(frame: NDArray[np.generic]) -> NDArray[np.generic]:
    """Without the black field around it, as the viewer begins too."""
    filled = np.argwhere(frame)
    if not len(filled):
        return frame
    (top, left), (bottom, right) = filled.min(axis=0), filled.max(axis=0)
    return frame[top : bottom + 1, left : right + 1]


def _windowed(frame: NDArray[np.generic]) -> NDArray[np.uint8]:
    values = frame.astype(np.float32)
    low, high = np.percentile(values, [1, 99.5])
    scaled = (values - low) / max(float(high - low), 1.0)
    return np.asarray(np.clip(scaled, 0, 1) * 255, np.uint8)
