"""How a volume lies in the patient, without what reads files: the pages ask it, too."""

import numpy as np

Affine = tuple[tuple[float, ...], ...]
"""From (column, row, frame, 1) to millimetres towards left, back and head: three rows of four."""


def tilt_of(affine: Affine) -> float:
    """Degrees by which the axis of a volume that lies most askew misses the patient's nearest axis."""
    directions = np.asarray(affine, float)[:, :3]
    directions = directions / np.linalg.norm(directions, axis=0)
    return float(np.degrees(np.arccos(np.clip(np.abs(directions).max(axis=0).min(), 0, 1))))
