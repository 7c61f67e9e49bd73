"""From the network's grid back to where the scan's pixels are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def to_scan(
    values: NDArray[Any],
    grid_to_scan: NDArray[np.float64],
    scan_shape: tuple[int, int],
    *,
    order: int,
    outside: float,
) -> NDArray[Any]:
    """A grid picture (size, size) painted on the scan (rows, columns); `outside` beyond the grid.

    order: 1 for smooth maps, 0 for superpixels, whose values must not be mixed.
    """
    rows, columns = np.mgrid[: scan_shape[0], : scan_shape[1]].reshape(2, -1)
    inverse = np.linalg.inv(np.vstack([grid_to_scan, [0, 0, 1]]))
    x, y, _ = inverse @ np.stack([columns, rows, np.ones_like(rows)])
    edge = values.shape[0] - 0.5
    beyond = (x < -0.5) | (y < -0.5) | (x > edge) | (y > edge)
    placed = ndimage.map_coordinates(values, [y, x], order=order, mode="nearest")
    placed[beyond] = outside
    return np.asarray(placed).reshape(scan_shape)
