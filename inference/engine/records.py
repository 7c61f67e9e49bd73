"""The frozen records that pass between the engine and the rest of the house.

Nothing here imports torch: the web process reads these records too.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from digests import canonical_json, sha256_hex
from inference.engine.head.ellipse import Ellipse
from inference.formats.stack import Modality

LABELS = ("normal", "ventriculomegaly")
Label = Literal["normal", "ventriculomegaly"]
POSITIVE: Label = "ventriculomegaly"
NETWORK_NAMES = ("cnn", "modified_cnn", "vgg16", "resnet18", "resnet50")
"""Every architecture there is, for those who may not import torch; a test holds it to NETWORKS."""

ATRIUM, VENTRICLES = "atrium", "ventricles"


@dataclass(frozen=True)
class Measuring:
    """What is known of a network that measures without opening it. settled: numbers that go with its weights.

    It places calipers, and calls by millimetres. It is no architecture of NETWORKS.
    """

    modality: Modality
    settled: tuple[str, ...]


MEASURING_NETWORKS: Mapping[str, Measuring] = {
    ATRIUM: Measuring("ultrasound", ("least_chance", "error_factor")),
    VENTRICLES: Measuring("mri", ("least_chance", "error_mm", "error_of_thickness")),
}
"""By name; how each measures stands in `inference.engine.measuring.ways`."""

METHOD_NAMES = (
    "gradcam",
    "gradcam_plus_plus",
    "lime",
    "lime_reference",
    "integrated_gradients",
    "occlusion",
    "rise",
)
"""Every way of explaining, likewise."""


SLICES_ACROSS = "slices_across_head"
"""In the quality of an MRI stack acquired in another plane: how many of its slices the head spans."""

MEASURING = "measuring"
"""The part of a measuring version's card that holds what was settled with its weights."""


def settles(network: str, card: Mapping[str, Any]) -> bool:
    """Whether a card says all that a version of a network needs to measure, in finite numbers."""
    part = card.get(MEASURING)
    if not isinstance(part, Mapping):
        return False
    numbers = [part.get(name) for name in MEASURING_NETWORKS[network].settled]
    return all(isinstance(one, int | float) and math.isfinite(one) for one in numbers)


@dataclass(frozen=True)
class Recipe:
    """A named preprocessing: every number that shapes a network's input.

    size: side of the square input in pixels. steps: ordered (name, parameters).
    """

    id: str
    size: int
    steps: tuple[tuple[str, Mapping[str, float | int | str]], ...]

    @property
    def sha256(self) -> str:
        """Changes when any step, number or order changes."""
        return sha256_hex(canonical_json(asdict(self)))


@dataclass(frozen=True)
class NotAnalysable:
    """Why a scan is not analysable: an answer, not a fault."""

    code: str
    reason: str


@dataclass(frozen=True)
class Prepared:
    """A scan as a network sees it, with the way back to scan coordinates.

    tensor: float32 (frames, channels, size, size).
    frames: index in the stack of each row of the tensor.
    grid_to_scan: for each frame the 2 x 3 affine from input pixel centres (x, y)
        to scan pixel centres (x, y).
    head: bool (frames, rows, columns) in scan coordinates.
    sha256: of the tensor's bytes, shape and dtype.
    ellipses: for each frame its head, in the frame's pixels once they are square
        (inference.engine.preprocessing.square_pixels).
    """

    tensor: NDArray[np.float32]
    frames: tuple[int, ...]
    frame_rule: str
    grid_to_scan: tuple[NDArray[np.float64], ...]
    head: NDArray[np.bool_]
    scan_shape: tuple[int, int]
    modality: Modality
    recipe: Recipe
    sha256: str
    quality: Mapping[str, float] = field(default_factory=dict)
    ellipses: tuple[Ellipse, ...] = ()


@dataclass(frozen=True)
class WeightsRecord:
    """Everything that travels with a weights file; the JSON beside it on disk.

    threshold: probability from which the label is ventriculomegaly, and
    threshold_target: what it was chosen for, in words ("sensitivity 95 % on validation").
    temperature: logits are divided by it before the softmax.
    card: data, split, figures with intervals, known biases, intended use, recipe.
    members: names of the shipped versions that a shipped ensemble is made of; its weights are theirs.
    """

    network: str
    version: str
    modality: Modality
    weights_sha256: str
    preprocessing: str
    preprocessing_sha256: str
    threshold: float
    threshold_target: str
    temperature: float
    card: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = LABELS
    members: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`<network>-<modality>-<version>`, as its files are called."""
        return f"{self.network}-{self.modality}-{self.version}"

    @classmethod
    def from_json(cls, content: bytes | str) -> "WeightsRecord":
        """Read the record back; unknown or missing keys raise TypeError."""
        fields = json.loads(content)
        fields["labels"] = tuple(fields.get("labels", LABELS))
        fields["members"] = tuple(fields.get("members", ()))
        return cls(**fields)

    def to_json(self) -> bytes:
        """The record as indented JSON, as it lies beside the weights file."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True)
class Answer:
    """What one model version says about one scan.

    probability: calibrated P(ventriculomegaly), 0 to 1; None when not analysable.
    logits: one pair (normal, ventriculomegaly) for the scan, before the temperature;
        frame_logits: the same for each frame read.
    probability_low, probability_high, doubt: how the answer moves when the picture is held a little
        differently (inference.engine.uncertainty.test_time_augmentation); None when not analysable.
    backend, device, versions: what computed it, e.g. "torch", "cpu",
        {"torch": "2.14.1", "numpy": "2.3.1"}.
    measurement: the calipers of a version that measures (inference.engine.atrium.scan.as_json), else None.
    """

    analysable: bool
    refusal: NotAnalysable | None
    label: Label | None
    probability: float | None
    threshold: float
    logits: tuple[float, float] | None
    frame_logits: tuple[tuple[float, float], ...]
    frames: tuple[int, ...]
    frame_rule: str
    network: str
    version: str
    modality: Modality
    weights_sha256: str
    preprocessing: str
    preprocessing_sha256: str
    input_sha256: str
    quality: Mapping[str, float]
    seconds: float
    backend: str
    device: str
    versions: Mapping[str, str]
    probability_low: float | None = None
    probability_high: float | None = None
    doubt: float | None = None
    measurement: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Explanation:
    """Where a model looked for one class, in scan coordinates.

    heatmap: float16 (frames, rows, columns) of the scan. Unsigned maps lie in 0..1
        (share of the map's own maximum); signed maps (LIME) are weights in probability.
    segments: int32, same shape, the superpixels of a method that has them.
    Bound to its prediction by input, weights and preprocessing hashes and class.
    """

    method: str
    class_label: Label
    heatmap: NDArray[np.float16]
    signed: bool
    unit: str
    frames: tuple[int, ...]
    parameters: Mapping[str, Any]
    seed: int
    metrics: Mapping[str, float]
    seconds: float
    input_sha256: str
    weights_sha256: str
    preprocessing: str
    preprocessing_sha256: str
    segments: NDArray[np.int32] | None = None
