"""Phantoms as training pictures: the one source in which nothing but the ventricles tells the label."""

from functools import partial

import numpy as np

from inference.engine.records import LABELS
from inference.formats.stack import Modality, PictureStack
from inference.phantom import Defects, render, sample_spec
from inference.training.data.examples import Source

WORST = 0.5
CHANCE = 0.4


def phantom_sources(modality: Modality, count: int, seed: int) -> list[Source]:
    """`count` heads, labels in turn, each a group of its own."""
    return [_source(modality, seed * 1_000_003 + number, number) for number in range(count)]


def _source(modality: Modality, seed: int, number: int) -> Source:
    label = LABELS[number % len(LABELS)]
    name = f"phantom-{modality}-{seed}"
    return name, label, name, partial(phantom_stack, modality, label, seed)


def phantom_stack(modality: Modality, label: str, seed: int) -> PictureStack:
    """One phantom with a random share of moderate defects; equal arguments give equal pixels."""
    rng = np.random.default_rng(seed)
    spec = sample_spec(rng, label="ventriculomegaly" if label == "ventriculomegaly" else "normal")
    levels = rng.uniform(0, WORST, 6) * (rng.random(6) < CHANCE)
    noise, motion, shadow, tilt, blur, gain = (float(level) for level in levels)
    defects = Defects(noise=noise, motion=motion, shadow=shadow, tilt=tilt, blur=blur, gain=gain)
    return render(spec, modality, seed=seed, defects=defects).stack()
