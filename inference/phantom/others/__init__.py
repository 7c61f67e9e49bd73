"""Synthetic pictures of everything that is no fetal head in axial section, for tests and the scope gate."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inference.formats.stack import Modality, PictureStack
from inference.phantom.geometry import Floats
from inference.phantom.others import pages, slices, sonograms
from inference.phantom.others.echo import sonogram

__all__ = ["KINDS", "MODALITY", "other", "other_stack"]

_SONOGRAMS = {
    painter.__name__: painter
    for painter in (
        sonograms.femur,
        sonograms.abdomen,
        sonograms.thorax,
        sonograms.cervix,
        sonograms.placenta,
        sonograms.face,
        sonograms.spine,
        sonograms.sac,
        sonograms.organ,
        sonograms.limbs,
    )
}
_SLICES = {p.__name__: p for p in (slices.adult_head, slices.body, slices.limb, slices.womb)}
_PAGES = {p.__name__: p for p in (pages.document, pages.photo, pages.rings, pages.noise, pages.screen)}

MODALITY: Mapping[str, Modality] = {
    **dict.fromkeys(_SONOGRAMS, "ultrasound"),
    **dict.fromkeys(_SLICES, "mri"),
}
"""What a kind was made to look like; pages look like neither."""

KINDS: tuple[str, ...] = (*_SONOGRAMS, *_SLICES, *_PAGES)


def other(kind: str, *, seed: int, size: int = 256) -> NDArray[np.uint8]:
    """One picture (size, size) of a kind; equal arguments give equal bytes. KeyError for an unknown kind."""
    signal = _painter(kind)(seed, size)
    return np.round(np.clip(signal, 0, 1) * 255).astype(np.uint8)


def other_stack(kind: str, *, seed: int, modality: Modality | None = None, size: int = 256) -> PictureStack:
    """The picture as the engine takes it, declared as its own modality or as another."""
    declared = modality or MODALITY.get(kind, "ultrasound")
    pixels = other(kind, seed=seed, size=size)[np.newaxis]
    return PictureStack(pixels=pixels, modality=declared, original_sha256="", source_format="png")


def _painter(kind: str) -> Callable[[int, int], Floats]:
    if kind in _SONOGRAMS:
        return partial(sonogram, painter=_SONOGRAMS[kind], salt=kind)
    flat = {**_SLICES, **_PAGES}[kind]
    return lambda seed, size: flat(np.random.default_rng([*kind.encode(), seed]), size)
