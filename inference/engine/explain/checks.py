"""What is measured about every map: does hiding what it marks cost more than hiding anything else?

Deletion and insertion (Petsiuk et al. 2018) of the frame that was explained, beside maps of chance with the
map's own spectrum (the same sizes, no places). A share of the head is hidden in its middle grey, or shown
alone on it, and the log-odds of the class are read off: a probability near 0 or 1 would hide the difference.
inference.engine.explain.trust says what the numbers mean.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import spearmanr

from inference.engine.explain import gradcam
from inference.engine.explain.method import GridMap, cut_pass, middle_row
from inference.engine.explain.superpixels import even_pieces
from inference.engine.predict import frame_logits
from inference.engine.records import POSITIVE, Label, Prepared
from inference.engine.uncertainty.steadiness import log_odds
from inference.engine.weights.loaded_model import LoadedModel

SHARES = (0.05, 0.1, 0.2, 0.4)
"""Of the head's pixels that are hidden, or shown alone: those the map marks most."""
TOLD = SHARES.index(0.2)
"""The share that people are told of."""
CHANCES = 12
"""Maps of chance."""
BLOTCH = 1 / 20
"""Of the picture's side: how smooth chance is where a map says nothing."""
PIECES = 50
BATCH = 32

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def checked(
    model: LoadedModel, prepared: Prepared, class_label: Label, found: GridMap, *, seed: int
) -> dict[str, float]:
    """The checks of a map, by name; an empty map has none.

    deletion, insertion: mean change of the class's log-odds over SHARES; *_chance: of maps of chance.
    beats_chance: share of these that change less, both together. chance_whole, chance_hidden,
    chance_hidden_elsewhere: probability of the class as the frame is, without the fifth of the head that the
    map marks most, and without fifths marked by chance.
    """
    row = middle_row(prepared)
    picture = prepared.tensor[row, 0]
    marks = found.values[found.rows.index(row)].astype(np.float64)
    if not np.ptp(marks[picture != 0]):
        return {}
    rng = np.random.default_rng([seed, CHANCES])
    maps = [marks, *(of_chance(marks, rng) for _ in range(CHANCES))]
    return _cost(model, picture, maps, class_label, rng)


def of_chance(marks: Floats, rng: np.random.Generator) -> Floats:
    """A map with the same spectrum and chance phases: as smooth and as blotchy, somewhere else."""
    phases = np.fft.fft2(rng.standard_normal(marks.shape))
    turned = np.abs(np.fft.fft2(marks - marks.mean())) * np.exp(1j * np.angle(phases))
    return np.asarray(np.fft.ifft2(turned).real)


def _cost(
    model: LoadedModel,
    picture: NDArray[np.float32],
    maps: list[Floats],
    label: Label,
    rng: np.random.Generator,
) -> dict[str, float]:
    head = picture != 0
    most = np.stack([mask for marks in maps for mask in _most_marked(marks, head, rng)])
    shown = np.concatenate([[head, np.zeros_like(head)], ~most & head, most])
    odds = _odds(model, shown * picture, label)
    whole, nothing = odds[:2]
    hidden, alone = odds[2:].reshape(2, len(maps), len(SHARES))
    deletion, insertion = whole - hidden.mean(axis=1), alone.mean(axis=1) - nothing
    both = deletion + insertion
    chances = 1 / (1 + np.exp(-hidden[:, TOLD]))
    return {
        "deletion": float(deletion[0]),
        "deletion_chance": float(deletion[1:].mean()),
        "insertion": float(insertion[0]),
        "insertion_chance": float(insertion[1:].mean()),
        "beats_chance": float((both[1:] < both[0]).mean()),
        "chance_whole": float(1 / (1 + np.exp(-whole))),
        "chance_hidden": float(chances[0]),
        "chance_hidden_elsewhere": float(chances[1:].mean()),
    }


def _most_marked(marks: Floats, head: Mask, rng: np.random.Generator) -> list[Mask]:
    """For each of SHARES that part of the head; where a map says nothing, chance decides, in blotches.

    Scattered pixels would hide nothing and look like no head.
    """
    places = np.flatnonzero(head)
    chance = ndimage.gaussian_filter(rng.standard_normal(head.shape), BLOTCH * head.shape[0])
    order = places[np.lexsort((-chance.ravel()[places], -marks.ravel()[places]))]
    found = []
    for share in SHARES:
        mask = np.zeros(head.size, np.bool_)
        mask[order[: round(share * len(order))]] = True
        found.append(mask.reshape(head.shape))
    return found


def _odds(model: LoadedModel, pictures: NDArray[Any], label: Label) -> Floats:
    """Calibrated log-odds (n,) of a class for pictures (n, size, size)."""
    seen = pictures.astype(np.float32)[:, None]
    logits = [frame_logits(model, seen[start : start + BATCH]) for start in range(0, len(seen), BATCH)]
    odds = log_odds(np.concatenate(logits), model.record.temperature)
    return odds if label == POSITIVE else -odds


def agreement(model: LoadedModel, prepared: Prepared, label: Label, found: GridMap) -> dict[str, float]:
    """Rank correlation with Grad-CAM's map of the same class over even pieces of the head, by name.

    Nothing where there is no Grad-CAM, or either map marks nothing.
    """
    if not model.network.gradcam_layer:
        return {}
    row = middle_row(prepared)
    marks = found.values[found.rows.index(row)]
    _, maps = cut_pass(model, prepared)
    heat = gradcam.of_maps(model, maps[row : row + 1], label, prepared.recipe.size).values[0]
    pieces = even_pieces(prepared.tensor[row, 0], PIECES)
    theirs, ours = (_by_piece(values, pieces) for values in (heat, np.maximum(marks, 0)))
    if not np.ptp(theirs) or not np.ptp(ours):
        return {}
    return {"gradcam_agreement": float(spearmanr(theirs, ours).statistic)}


def _by_piece(values: NDArray[Any], pieces: NDArray[np.int32]) -> Floats:
    """Mean of a map in each piece."""
    inside = pieces >= 0
    sums = np.bincount(pieces[inside], values[inside])
    return np.asarray(sums / np.bincount(pieces[inside]))
