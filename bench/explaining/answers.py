"""What a network says to many masks of one picture, kept in a folder for every later run."""

import hashlib
from pathlib import Path

import numpy as np

from inference.engine.explain.method import BATCH
from inference.engine.explain.superpixels import hidden_pictures
from inference.engine.predict import frame_logits
from inference.engine.uncertainty.steadiness import log_odds
from inference.engine.weights.loaded_model import LoadedModel

PART = 500
"""Masks in one file: little is lost when a run of hours is stopped."""


def asked(
    model: LoadedModel, picture: np.ndarray, segments: np.ndarray, shown: np.ndarray, cache: Path | None
) -> np.ndarray:
    """The exact network's probability for each mask, out of the cache where it has it.

    picture (height, width); segments the same, -1 outside; shown (masks, pieces), bool. Returns (masks,).
    """
    parts = [shown[start : start + PART] for start in range(0, len(shown), PART)]
    odds = np.concatenate([_of_part(model, picture, segments, part, cache) for part in parts])
    return 1 / (1 + np.exp(-odds / model.record.temperature))


def _of_part(
    model: LoadedModel, picture: np.ndarray, segments: np.ndarray, shown: np.ndarray, cache: Path | None
) -> np.ndarray:
    """Log-odds before calibration: another temperature asks nothing again."""
    asks = (model.record.weights_sha256.encode(), picture.tobytes(), segments.tobytes(), shown.tobytes())
    name = hashlib.blake2b(b"/".join(asks), digest_size=12, person=b"log-odds").hexdigest()
    path = cache / f"{name}.npy" if cache else None
    if path and path.exists():
        return np.load(path)
    pictures = hidden_pictures(picture, segments, shown, 0.0)[:, None]
    batches = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
    odds = log_odds(np.concatenate([frame_logits(model, batch) for batch in batches]), temperature=1.0)
    if path:
        np.save(path, odds)
    return odds
