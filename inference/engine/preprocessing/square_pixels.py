"""Square pixels: frames whose pixels are not square are drawn out to ones that are, and back.

Ultrasound states two scales in one picture, coronal and sagittal MRI has thick slices: read as if they were
square, their heads are squeezed, and squeezed heads look like ventriculomegaly.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.formats.stack import PictureStack

TOLERANCE = 0.01
"""Spacings that differ by less are the same number, rounded by whoever wrote it."""
MOST_DRAWN_OUT = 4.0
"""Pixels longer than this are not drawn out to the finer spacing, but to a fourth of the coarser."""

Floats = NDArray[np.float32]
Pair = tuple[float, float]


def spacing_of(stack: PictureStack) -> Pair | None:
    """(between rows, between columns): mm where stated, else the stated aspect, else None."""
    if stack.pixel_spacing is not None:
        return stack.pixel_spacing
    return None if stack.pixel_aspect is None else (stack.pixel_aspect, 1.0)


def are_square(spacing: Pair) -> bool:
    """Whether rows and columns lie equally far apart, as far as spacings are written."""
    return max(spacing) <= min(spacing) * (1 + TOLERANCE)


def side_of(spacing: Pair) -> float:
    """How long the square pixels are that a frame of this spacing is drawn out to, in the spacing's unit."""
    return max(min(spacing), max(spacing) / MOST_DRAWN_OUT)


def squared(frame: Floats, spacing: Pair | None) -> tuple[Floats, float | None]:
    """The frame (rows, columns) with square pixels, and their spacing. A square frame is given back itself.

    The finer spacing becomes that of both directions, so nothing seen is lost; where pixels are shrunk each
    new one is the mean of what it covers.
    """
    if spacing is None:
        return frame, None
    fine = side_of(spacing)
    if are_square(spacing):
        return frame, fine
    rows, columns = (max(1, round(n * mm / fine)) for n, mm in zip(frame.shape, spacing, strict=True))
    image = Image.fromarray(np.ascontiguousarray(frame, np.float32))
    return np.asarray(image.resize((columns, rows), Image.Resampling.BILINEAR), np.float32), fine


def back_to_scan(shape: tuple[int, ...], square_shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Affine (2 x 3) from pixel centres (x, y) of the squared frame to those of the scan's own."""
    down, across = shape[0] / square_shape[0], shape[1] / square_shape[1]
    return np.array([[across, 0.0, 0.5 * (across - 1)], [0.0, down, 0.5 * (down - 1)]])


def composed(outer: NDArray[np.float64], inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine (2 x 3) that does `inner`, then `outer`."""
    turn = outer[:, :2] @ inner[:, :2]
    return np.hstack([turn, (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]])
