"""Log-odds found a cheaper way, put on the line on which the network's own lie."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.engine.uncertainty.steadiness import log_odds

Line = NDArray[np.float64]
"""Slope and height."""


def correlation(cheap: NDArray[np.floating[Any]], real: NDArray[np.floating[Any]]) -> float:
    """Correlation of two times the log-odds (n,) of the same pictures; 0 where either never moves."""
    return float(np.corrcoef(cheap, real)[0, 1]) if min(np.ptp(cheap), np.ptp(real)) > 0 else 0.0


def line_to(cheap: NDArray[np.floating[Any]], real: NDArray[np.floating[Any]]) -> Line:
    """From log-odds (n,) to the network's own, by least squares."""
    return np.asarray(np.polyfit(cheap, real, 1))


def along(line: Line, logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits (n, 2) whose log-odds are put on a line."""
    half = np.polyval(line, log_odds(logits)) / 2
    return np.asarray(np.stack([-half, half], axis=1), np.float32)
