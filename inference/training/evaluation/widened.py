"""What shipped MRI versions say about normals unlike those that their thresholds were settled on.

No real normal MRI is at hand. Made ones are widened here: whole volumes with normal and wide atria, smooth as
early brains and folded as late ones, as acquired and in chance contrasts, coils, slice thicknesses and turns.
The weights stay as they are: a version of a new number takes the threshold at which its worst kind of normal
is left in peace. (docs/decisions/0043)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.engine.predict import frame_logits
from inference.engine.preprocessing.prepare import prepare
from inference.engine.weights.loaded_model import LoadedModel
from inference.formats.stack import PictureStack
from inference.training.synthesis.atlas import MILLIMETRES
from inference.training.ventricles.looks import TISSUES, chance_levels
from inference.training.ventricles.volumes import Made, as_stack, thickened
from refusals import Refusal

LABEL_OF: Mapping[str, str] = {
    "normal": "normal",
    "normal, late": "normal",
    "as acquired": "ventriculomegaly",
    "wide, late": "ventriculomegaly",
}
"""Kinds of made volumes that have a label; what lies about 10 mm has none."""
LOOKS = ("plain", "another machine", "thick slices")
Look = Literal["plain", "another machine", "thick slices"]


FIELD_MM = 256.0


@dataclass(frozen=True)
class Said:
    """One made volume in one look. logits: of each version, (normal, ventriculomegaly), mean over its slices.

    refused: the code of the engine's refusal, "" where it let the volume in; logits are kept all the same.
    """

    group: str
    kind: str
    look: str
    label: str
    width_mm: float
    refused: str
    logits: Mapping[str, tuple[float, float]]


def said(volumes: Sequence[Made], models: Sequence[LoadedModel], seed: int) -> Iterator[Said]:
    """What every version says about every labelled volume in every look."""
    for made in volumes:
        if made.kind not in LABEL_OF:
            continue
        for look in LOOKS:
            rng = np.random.default_rng([seed, *made.group.encode(), *made.kind.encode(), *look.encode()])
            yield _one(made, widened(rng, made, look), look, models)


def _one(made: Made, stack: PictureStack, look: str, models: Sequence[LoadedModel]) -> Said:
    refused = ""
    try:
        prepare(stack, models[0].recipe)
    except Refusal as refusal:
        refused = refusal.code
    logits: dict[str, tuple[float, float]] = {}
    for model in models:
        try:
            tensor = prepare(stack, model.recipe, scope=False).tensor
        except Refusal:
            continue
        normal, wide = frame_logits(model, tensor).mean(axis=0).tolist()
        logits[model.record.name] = normal, wide
    return Said(made.group, made.kind, look, LABEL_OF[made.kind], max(made.widths), refused, logits)


def widened(rng: np.random.Generator, made: Made, look: Look | str) -> PictureStack:
    """A made volume as another machine might have delivered it; equal arguments give equal pixels."""
    picture, spacing = made.picture, [MILLIMETRES] * 3
    if look != "plain":
        picture = _padded(_turned(rng, _toned(rng, made)))
    if look == "thick slices":
        axis = int(rng.integers(3))
        picture, spacing[axis] = thickened(picture, axis, int(rng.integers(3, 6)))
    pixels = np.clip(picture / max(float(np.percentile(picture, 99.95)), 1e-6) * 50000, 0, 65535)
    return as_stack(pixels.astype(np.uint16), spacing)


def _padded(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Black around the head up to a usual field of view, on which alone thick slices leave enough pixels."""
    missing = [max(0, round(FIELD_MM / MILLIMETRES) - side) for side in picture.shape]
    return np.pad(picture, [(one // 2, one - one // 2) for one in missing])


def _toned(rng: np.random.Generator, made: Made) -> NDArray[np.float32]:
    """Another contrast, coil, gamma, resolution and noise."""
    picture, inside = made.picture, made.labels > 0
    if rng.random() < 0.6:
        painted = chance_levels(rng)[np.clip(made.labels, 0, TISSUES - 1)] * inside
        picture = ndimage.gaussian_filter(painted, 0.7) + 0.3 * (
            picture - ndimage.gaussian_filter(picture, 3)
        )
    coil = ndimage.zoom(rng.normal(0, 0.3, (3, 3, 3)), [side / 3 for side in picture.shape], order=1)
    level = np.maximum(picture, 0) * np.exp(coil * rng.uniform(0, 1))
    level = level ** float(np.exp(rng.normal(0, 0.2)))
    level = ndimage.gaussian_filter(level, rng.uniform(0.0, 1.0))
    noise = rng.normal(0, rng.uniform(0, 0.04), level.shape)
    return np.asarray(np.maximum(level + noise * inside, 0), np.float32)


def _turned(rng: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The head lies a little askew, about every axis, and is a little larger or smaller."""
    turn = np.eye(3)
    for (one, other), spread in (((0, 1), 0.06), ((0, 2), 0.06), ((1, 2), 0.14)):
        angle, step = float(rng.normal(0, spread)), np.eye(3)
        step[one, one] = step[other, other] = np.cos(angle)
        step[one, other], step[other, one] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    turn = turn * float(np.exp(rng.uniform(-0.12, 0.12)))
    middle = (np.array(picture.shape) - 1) / 2
    turned = ndimage.affine_transform(picture, turn, middle - turn @ middle, order=1)
    return np.asarray(turned, np.float32)
