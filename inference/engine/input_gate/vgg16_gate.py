"""Whether a frame shows a fetal head at all, and in which modality.

A small classifier weighs what VGG16's published stem sees in the head and in the whole frame. Features that
ImageNet taught know a femur, a face or a page of text without ever having been shown one as such; the same
classifier on features of its own let far more of the unknown through (docs/out-of-scope.md).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from digests import sha256_hex
from inference.engine import catalogue
from inference.engine.backends.backend import Stage
from inference.engine.backends.graphs import Tensors, graph_of
from inference.engine.backends.with_onnxruntime import stage_of
from inference.engine.head.ellipse import Ellipse
from inference.engine.networks.network import CENTRE, SCALE
from inference.formats.stack import Modality
from refusals import Refusal

CLASSES = ("ultrasound", "mri", "neither")
CROP, WHOLE = 80, 64
MARGIN = 1.35
GRAPHS = ("vgg16_stem_crop", "vgg16_stem_whole")
SHIPPED = Path(__file__).parents[1] / "shipped_scope"
NAMES: Mapping[Modality, str] = {"ultrasound": "an ultrasound picture", "mri": "an MRI slice"}
LONGEST_MM = 150.0
"""No fetal head is longer from forehead to occiput; an adult's is 170 to 200 mm."""

Floats = NDArray[np.float32]
Chances = NDArray[np.float64]


class ScopeMismatch(Exception):
    """The gate's weights, or the stem it rests on, are not what its record says."""


@dataclass(frozen=True)
class Stem:
    """The blocks of a VGG16 that stay as they were published: maps (n, 512, rows / 16, columns / 16).

    crop, whole: of pictures (n, 1, CROP, CROP), and (n, 1, WHOLE, WHOLE). sha256: of the tensors, in half
    precision and in order.
    """

    crop: Stage
    whole: Stage
    sha256: str


@dataclass(frozen=True)
class Gate:
    """The gate as it was shipped. thresholds: least probability of a head, for each modality.

    tensors: centre and spread of the features (n,), hidden.* and out.* of the two layers.
    """

    stem: Stem
    tensors: Mapping[str, Floats]
    thresholds: Mapping[str, float]
    record: Mapping[str, Any]


@cache
def shipped_gate(modality: Modality) -> Gate:
    """The gate that comes with the code, on the stem its record names, hashes checked. ScopeMismatch.

    A modality may have one of its own, in a folder named after it: the other's answers then stay as they are.
    """
    own = SHIPPED / modality
    return load_gate(own if own.is_dir() else SHIPPED, published_stem())


@cache
def published_stem() -> Stem:
    """The stem that the shipped gate was fitted on: VGG16's as it was published. ScopeMismatch."""
    return shipped_stem(json.loads((SHIPPED / "scope.json").read_text())["stem_sha256"])


def shipped_stem(sha256: str) -> Stem:
    """The stem of the shipped VGG16 that has this hash, whatever its version. Raises ScopeMismatch."""
    versions = [one for one in catalogue.shipped() if one.record.network == "vgg16"]
    for one in {one.record.weights_sha256: one for one in versions}.values():
        stem = stem_of(safetensors.numpy.load(one.content()))
        if stem.sha256 == sha256:
            return stem
    raise ScopeMismatch("no shipped VGG16 holds the stem that the scope gate rests on")


def stem_of(tensors: Tensors) -> Stem:
    """The first four blocks out of the tensors of a VGG16. Raises WrongTensors."""
    crop, whole = (stage_of(name, tensors) for name in GRAPHS)
    names = {source.tensor for source in graph_of(GRAPHS[0]).constants.values()}
    content = b"".join(tensors[name].astype(np.float16).tobytes() for name in sorted(names, key=_place))
    return Stem(lambda seen: crop(seen)[0], lambda seen: whole(seen)[0], sha256_hex(content))


def _place(name: str) -> tuple[int, bool]:
    """By layer, weight before bias: `features.10.weight`."""
    _, layer, part = name.split(".")
    return int(layer), part == "bias"


def load_gate(folder: Path, stem: Stem) -> Gate:
    """Read scope.json and scope.safetensors from a folder. Raises ScopeMismatch."""
    record = json.loads((folder / "scope.json").read_text())
    content = (folder / "scope.safetensors").read_bytes()
    if sha256_hex(content) != record["weights_sha256"]:
        raise ScopeMismatch("the scope gate's weights do not have the hash their record states")
    if stem.sha256 != record["stem_sha256"]:
        raise ScopeMismatch("the stem is not the one that the scope gate was fitted on")
    return Gate(stem, safetensors.numpy.load(content), record["thresholds"], record)


def frame_chances(gate: Gate, frame: Floats, head: Ellipse) -> Chances:
    """Probabilities of CLASSES for a frame (rows, columns) in which `head` was found."""
    crop, whole = views(frame, head)
    return np.asarray(chances_of(gate.tensors, features(gate.stem, crop[None], whole[None]))[0])


def pooled(chances: Sequence[Chances]) -> Chances:
    """One opinion of several slices of one volume: the mean of their log-probabilities."""
    powers = np.exp(np.log(np.maximum(np.stack(chances), 1e-9)).mean(axis=0))
    return np.asarray(powers / powers.sum())


def head_likelihood(gate: Gate, chances: Chances, modality: Modality) -> float:
    """The probability of a fetal head of this modality; refuses below its threshold.

    Codes: wrong_modality, not_a_head.
    """
    thresholds = gate.thresholds
    here = float(chances[CLASSES.index(modality)])
    if here >= thresholds[modality]:
        return here
    other: Modality = "mri" if modality == "ultrasound" else "ultrasound"
    if float(chances[CLASSES.index(other)]) >= thresholds[other]:
        raise Refusal(
            "wrong_modality",
            f"The scan was declared as {NAMES[modality]}, but it looks like {NAMES[other]} of a fetal head.",
        )
    raise Refusal("not_a_head", "This does not look like a fetal head in axial section.")


def refuse_adult(head: Ellipse, spacing: tuple[float, float] | None) -> None:
    """Refuses what no fetal head measures, where the spacing is known (millimetres between rows, columns).

    Code: head_too_long.
    """
    if spacing is None:
        return
    along_rows, along_columns = spacing
    length = (
        2 * head.long * math.hypot(math.cos(head.angle) * along_columns, math.sin(head.angle) * along_rows)
    )
    if length > LONGEST_MM:
        raise Refusal(
            "head_too_long",
            f"The head is {length:.0f} mm long; no fetal head is longer than {LONGEST_MM:.0f} mm.",
        )


def chances_of(tensors: Mapping[str, Floats], seen: Floats) -> Chances:
    """Probabilities (n, 3) of CLASSES for features (n, 2048): the mean of the gate's fits.

    The tensors' first axis counts the fits; two small layers each.
    """
    even = (seen - tensors["centre"]) / tensors["spread"]
    hidden = even @ tensors["hidden.weight"].swapaxes(1, 2) + tensors["hidden.bias"][:, None]
    logits = np.maximum(hidden, 0) @ tensors["out.weight"].swapaxes(1, 2) + tensors["out.bias"][:, None]
    powers = np.exp((logits - logits.max(axis=-1, keepdims=True)).astype(np.float64))
    return np.asarray((powers / powers.sum(axis=-1, keepdims=True)).mean(axis=0))


def features(stem: Stem, crops: Floats, wholes: Floats) -> Floats:
    """What the stem sees (n, 2048) in crops (n, CROP, CROP) and whole frames (n, WHOLE, WHOLE)."""
    return np.concatenate([_summed(stem.crop(crops[:, None])), _summed(stem.whole(wholes[:, None]))], axis=1)


def _summed(maps: Floats) -> Floats:
    """Square roots of mean and spread of each of the stem's 512 maps."""
    flat = maps.reshape(*maps.shape[:2], -1)
    parts = [flat.mean(axis=2), flat.std(axis=2, ddof=1)]
    return np.asarray(np.sqrt(np.concatenate(parts, axis=1)), np.float32)


def views(frame: Floats, head: Ellipse) -> tuple[Floats, Floats]:
    """What the gate sees: the upright head with its surroundings (CROP square), the whole frame (WHOLE)."""
    return _evened(_crop(frame, head)), _evened(_letterboxed(frame))


def _crop(frame: Floats, head: Ellipse) -> Floats:
    pixel = max(2 * MARGIN * head.long / CROP, 0.25)
    fine = _reduced(frame, pixel) if pixel > 1 else frame
    scale = frame.shape[0] / fine.shape[0], frame.shape[1] / fine.shape[1]
    angle = head.angle - math.pi / 2
    steps = (np.arange(CROP) - (CROP - 1) / 2) * pixel
    x, y = np.meshgrid(steps, steps)
    columns = head.x + x * math.cos(angle) - y * math.sin(angle)
    rows = head.y + x * math.sin(angle) + y * math.cos(angle)
    places = [(rows + 0.5) / scale[0] - 0.5, (columns + 0.5) / scale[1] - 0.5]
    dark = float(fine.min())
    return np.asarray(ndimage.map_coordinates(fine, places, order=1, cval=dark), np.float32)


def _reduced(frame: Floats, factor: float) -> Floats:
    rows, columns = (max(1, round(side / factor)) for side in frame.shape)
    image = Image.fromarray(np.ascontiguousarray(frame, np.float32))
    return np.asarray(image.resize((columns, rows), Image.Resampling.BILINEAR), np.float32)


def _letterboxed(frame: Floats) -> Floats:
    small = _reduced(frame, max(frame.shape) / WHOLE)
    box = np.full((WHOLE, WHOLE), float(small.min()), np.float32)
    rows, columns = min(small.shape[0], WHOLE), min(small.shape[1], WHOLE)
    top, left = (WHOLE - rows) // 2, (WHOLE - columns) // 2
    box[top : top + rows, left : left + columns] = small[:rows, :columns]
    return box


def _evened(picture: Floats) -> Floats:
    """Percentiles 1 and 99 to 0 and 1, then as VGG16's stem takes pictures."""
    low, high = np.percentile(picture, [1, 99])
    level = np.clip((picture - low) / max(float(high - low), 1e-6), 0, 1)
    return np.asarray((level - CENTRE) / SCALE, np.float32)
