"""What a network says to many masks of one picture, kept in a folder for every later run."""

import hashlib
from pathlib import Path

import numpy as np

from inference.engine.explain.method import chances_of
from inference.engine.records import POSITIVE
from inference.engine.superpixels import hidden_pictures
from inference.engine.weights import LoadedModel

PART = 500
"""Masks in one file: little is lost when a run of hours is stopped."""


def asked(
    model: LoadedModel, picture: np.ndarray, segments: np.ndarray, shown: np.ndarray, cache: Path | None
) -> np.ndarray:
    """The exact network's probability for each mask, out of the cache where it has it.

    picture (height, width); segments the same, -1 outside; shown (masks, pieces), bool. Returns (masks,).
    """
    parts = [shown[start : start + PART] for start in range(0, len(shown), PART)]
    return np.concatenate([_of_part(model, picture, segments, part, cache) for part in parts])


def _of_part(
    model: LoadedModel, picture: np.ndarray, segments: np.ndarray, shown: np.ndarray, cache: Path | None
) -> np.ndarray:
    asks = (model.record.weights_sha256.encode(), picture.tobytes(), segments.tobytes(), shown.tobytes())
    path = cache / f"{hashlib.blake2b(b'/'.join(asks), digest_size=12).hexdigest()}.npy" if cache else None
    if path and path.exists():
        return np.load(path)
    chances = chances_of(model, hidden_pictures(picture, segments, shown, 0.0), POSITIVE)
    if path:
        np.save(path, chances)
    return chances
