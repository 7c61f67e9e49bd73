"""What another machine, another depth or another hand on the gain would make of a picture."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Numbers = NDArray[np.float64]


def another_look(seen: Numbers, rng: np.random.Generator) -> Numbers:
    """Grey levels 0 to 255 with another gamma, blur, speckle, gain over the field, haze and noise."""
    level = np.maximum(seen, 0) / 255
    level = level / max(float(np.percentile(level, 99.5)), 0.02)
    level = level ** rng.uniform(0.6, 1.7)
    if rng.random() < 0.5:
        level = ndimage.gaussian_filter(level, rng.uniform(0.3, 1.6))
    if rng.random() < 0.5:
        grain = ndimage.gaussian_filter(rng.normal(size=level.shape), rng.uniform(0.4, 1.2))
        level = level * np.exp(rng.uniform(0.05, 0.35) * grain / grain.std())
    if rng.random() < 0.4:
        field = ndimage.zoom(rng.normal(0, 1, (3, 3)), np.array(level.shape) / 3, order=1)
        level = level * np.exp(0.4 * rng.random() * field)
    if rng.random() < 0.35:
        level = level + rng.uniform(0, 0.3)
    if rng.random() < 0.5:
        level = level + rng.uniform(0, 0.06) * rng.normal(size=level.shape)
    return np.asarray(level * 255)
