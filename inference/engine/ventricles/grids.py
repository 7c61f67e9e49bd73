"""An axial slice on the network's grid: 1 mm pixels around the head, levelled."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
SIDE = 128
PIXEL_MM = 1.0
"""The grid on which a slice is looked at: 128 mm hold the ventricles of every fetal head."""
BRIGHT = 99.5


def on_grid(frame: Floats, mm: float, middle: tuple[float, float]) -> tuple[Floats, NDArray[np.float64]]:
    """The slice (SIDE, SIDE), and the affine (2 x 3) from its pixel centres (x, y) to the frame's.

    frame: square pixels of `mm`. middle: (x, y) that comes to lie in the grid's middle.
    """
    step = PIXEL_MM / mm
    smooth = ndimage.gaussian_filter(frame, 0.4 * max(step - 1, 0.0)) if step > 1 else frame
    half = step * (SIDE - 1) / 2
    affine = np.array([[step, 0.0, middle[0] - half], [0.0, step, middle[1] - half]])
    at = np.arange(SIDE) * step
    rows, columns = np.meshgrid(affine[1, 2] + at, affine[0, 2] + at, indexing="ij")
    seen = ndimage.map_coordinates(smooth, [rows, columns], order=1, mode="constant")
    return np.asarray(seen, np.float32), affine


def levelled(picture: Floats) -> Floats:
    """The brightest to one, then around nought: gain goes, black stays black."""
    top = float(np.percentile(picture, BRIGHT))
    level = np.clip(picture / max(top, 1e-6), 0.0, 1.2)
    return np.asarray((level - 0.3) / 0.3, np.float32)
