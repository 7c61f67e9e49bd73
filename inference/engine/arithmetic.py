"""Sums of products in single precision as processors compute them: fused, rounded once.

Torch's sampling and enlarging of pictures on a CPU is made of these. Done here the same way, in the same
order, what was answered with torch comes out again to the last bit.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def weighed_sum(shares: Sequence[Floats], values: Sequence[Floats]) -> Floats:
    """The sum of shares times values, in order; arrays that fit each other."""
    found = np.asarray(shares[0] * values[0], np.float32)
    for share, value in zip(shares[1:], values[1:], strict=True):
        found = (share.astype(np.float64) * value + found).astype(np.float32)
    return found
