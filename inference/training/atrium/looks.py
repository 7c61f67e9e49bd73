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


def dimmed(seen: Numbers, below: Numbers, rng: np.random.Generator) -> Numbers:
    """The far half of a head darker, what lies there still to be seen. below: from the midline towards it, of
    the head's length."""
    return seen * _dark(below, rng.uniform(-0.1, 0.15), rng.uniform(0.3, 0.8))


def shadowed(seen: Numbers, below: Numbers, within: Numbers, rng: np.random.Generator) -> Numbers:
    """The far half in the shadow of the near skull: dark, and nothing in it but haze and speckle.

    within: from the skull inwards, of the head's radii. More often than not the far skull shows.
    """
    start, deep = rng.uniform(-0.06, 0.06), rng.uniform(0.03, 0.4)
    hazy = ndimage.gaussian_filter(seen, rng.uniform(2.5, 7))
    size = (rng.uniform(0.5, 1.2), rng.uniform(0.8, 2.5))
    grain = ndimage.gaussian_filter(rng.normal(size=seen.shape), size)
    hazy = hazy * np.exp(rng.uniform(0.1, 0.6) * grain / grain.std())
    reach = 1 - _dark(within, 0.12, 0.0) if rng.random() < 0.7 else np.ones_like(seen)
    share = (1 - _dark(below, start, 0.0)) * reach
    dark = 1 - (1 - _dark(below, start, deep)) * reach
    return np.asarray((seen * (1 - share) + hazy * share) * dark)


def _dark(below: Numbers, start: float, deep: float) -> Numbers:
    """1 before `start`, `deep` well behind it, soft between."""
    return np.asarray(1 - (1 - deep) / (1 + np.exp(-np.clip((below - start) * 40, -30, 30))))
