"""From whatever numbers a format stores to grey uint8 or uint16, without losing what they meant.

The rescale that goes along is (slope, intercept): original value = stored value * slope + intercept.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.formats.stack import Pixels
from refusals import Refusal

Numbers = NDArray[Any]
Rescale = tuple[float, float]

MOST = 65_535
FAR = 10.0
"""A value this many times the usual span away from the usual values is a spike or a filled background."""
SAMPLE = 1_000_000
USUAL = (1.0, 99.0)
"""Percentiles of the values, none counted more often than the median of them: a background may fill most of a
volume, and of a few spikes each may be a value of its own."""
# ITU-R BT.601 luma, 0.299 R + 0.587 G + 0.114 B, in 1/65536: exact for equal channels
LUMA = (19_595, 38_470, 7_471)


def luma(colour: Numbers) -> Numbers:
    """Grey from (..., rows, columns, 3) red, green, blue: BT.601, rounded, same unsigned data type."""
    wide: Any = np.uint32 if colour.dtype.itemsize <= 2 else np.uint64
    grey = np.full(colour.shape[:-1], 32_768, dtype=wide)
    for channel, weight in enumerate(LUMA):
        grey += colour[..., channel].astype(wide) * wide(weight)
    kept: Numbers = (grey >> wide(16)).astype(colour.dtype.newbyteorder("="))
    return kept


def inverted(values: Numbers, bits: int, rescale: Rescale) -> tuple[Numbers, Rescale]:
    """Turn dark to bright. `bits` is the depth in use; signed numbers turn about -1/2, floats about 0."""
    slope, intercept = rescale
    if values.dtype.kind == "f":
        return -values, (-slope, intercept)
    if values.dtype.kind == "i":
        return np.invert(values), (-slope, intercept - slope)
    top = (1 << bits) - 1
    return values.dtype.type(top) - values, (-slope, intercept + slope * top)


def without_nan(values: Numbers) -> Numbers:
    """NaN as no signal: 0, or the least value. Raises Refusal (`nonfinite`) where all are NaN."""
    if values.dtype.kind != "f" or not np.isnan(values).any():
        return values
    if np.isnan(values).all():
        raise Refusal("nonfinite", "The scan holds no numbers at all (NaN everywhere).")
    return np.where(np.isnan(values), min(np.nanmin(values), values.dtype.type(0)), values)


def unsigned(values: Numbers, rescale: Rescale) -> tuple[Pixels, Rescale]:
    """Numbers of any kind, (frames, rows, columns), as uint8 or uint16, with the rescale that undoes it.

    Whole numbers that fit are kept as they are, shifted up when some are negative. Of all else, values far
    outside the usual ones are first drawn in, so that one voxel of 2^30 or a background of -1e10 changes
    nothing else: high ones to the highest usual one, low ones to no signal (0, or the lowest usual one).
    Then whole numbers that fit now are kept, and the rest is spread linearly over 0..65535. NaN or infinity
    anywhere is refused (`nonfinite`).
    """
    least, most = _range(values)
    slope, intercept = rescale
    if not _fits(values, least, most):
        usual = _usual_range(values)
        if usual != (least, most):
            least, most = usual
            values = np.clip(values, least, most)
    if _fits(values, least, most):
        shift = int(min(least, 0))
        return _shifted(values, shift), (slope, intercept + slope * shift)
    spread = slope * (most - least) / MOST
    return _spread(values, least, most), (spread or slope, intercept + slope * least)


def _fits(values: Numbers, least: float, most: float) -> bool:
    return values.dtype.kind in "iu" and most - min(least, 0) <= MOST


def _range(values: Numbers) -> tuple[float, float]:
    """Least and most. One NaN anywhere makes both NaN."""
    least, most = values.min().item(), values.max().item()
    if not (np.isfinite(least) and np.isfinite(most)):
        raise Refusal("nonfinite", "The scan holds values that are not numbers (NaN or infinity).")
    return least, most


def _usual_range(values: Numbers) -> tuple[float, float]:
    """Least and most of what does not lie far from the others; 0 is the least where something lies below."""
    evenly = values.reshape(-1)[:: max(values.size // SAMPLE, 1)]
    different, counts = np.unique(evenly, return_counts=True)
    shares = np.cumsum(np.minimum(counts, np.median(counts)))
    low, high = (different[np.searchsorted(shares, share / 100 * shares[-1])].item() for share in USUAL)
    lowest, highest = low - FAR * (high - low), high + FAR * (high - low)
    usual = (values >= lowest) & (values <= highest)
    least = values.min(where=usual, initial=values.max()).item()
    most = values.max(where=usual, initial=values.min()).item()
    return (least if usual.all() or values.min() >= lowest else min(least, 0)), most


def _shifted(values: Numbers, shift: int) -> Pixels:
    """values - shift, known to fit: unsigned arithmetic wraps round to it without a wider copy."""
    if values.dtype.itemsize == 1:
        return values.astype(np.uint8, order="C", copy=False) - np.uint8(shift % (1 << 8))
    return values.astype(np.uint16, order="C", copy=False) - np.uint16(shift % (1 << 16))


def _spread(values: Numbers, least: float, most: float) -> Pixels:
    """Linear over 0..65535, one frame at a time to keep memory low; a constant stack becomes 0."""
    stored = np.zeros(values.shape, dtype=np.uint16)
    if most > least:
        for frame, target in zip(values, stored, strict=True):
            share = (frame.astype(np.float64) - least) / (most - least)
            target[...] = np.rint(share * MOST)
    return stored
