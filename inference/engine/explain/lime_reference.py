"""LIME (Ribeiro et al. 2016) as the lime package does it, to compare with: hide pieces, fit a linear model.

The package's own image door wants colour pictures and shows a progress bar; its parts are used instead:
the same quickshift superpixels, the same draw of which to hide, the same kernel, and `lime_base` itself.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.engine.explain.method import CannotExplain, GridMap, middle_row
from inference.engine.explain.superpixels import even_pieces, hidden_pictures, quickshift_pieces
from inference.engine.predict import calibrated, frame_logits
from inference.engine.records import Label, Prepared
from inference.engine.weights.loaded_model import LoadedModel

BATCH = 10
"""The package's own."""


@dataclass(frozen=True)
class Parameters:
    """hidden: the value a hidden superpixel takes; 0 is the middle brightness of the head.

    pieces: 0 for the package's quickshift; a number for about as many even superpixels instead.
    kernel_width and the quickshift numbers are the lime package's defaults, except that quickshift's
    kernel is narrower in proportion to our smaller input.
    """

    samples: int = 1000
    pieces: int = 0
    kernel_width: float = 0.25
    hidden: float = 0.0
    quickshift_kernel: float = 1.0
    quickshift_distance: float = 200.0
    quickshift_ratio: float = 0.2


def explain(
    model: LoadedModel,
    prepared: Prepared,
    class_label: Label,
    *,
    seed: int,
    parameters: Mapping[str, Any],
) -> GridMap:
    """Signed weights of the superpixels of the middle frame read, for that frame's own probability."""
    chosen = Parameters(**parameters)
    row = middle_row(prepared)
    picture = prepared.tensor[row, 0]
    segments = _superpixels(picture, chosen, seed)
    shown = _draw(int(segments.max()) + 1, chosen.samples, seed)
    chances = _chances(model, picture, segments, shown, chosen.hidden)
    weights, metrics = _fit(shown, chances, model.record.labels.index(class_label), chosen, seed)
    values = np.where(segments >= 0, weights[segments], 0.0)
    return GridMap(
        values=values[None].astype(np.float32),
        rows=(row,),
        signed=True,
        unit=f"change in the probability of {class_label} of this frame",
        parameters={**asdict(chosen), "superpixels": len(weights), "library": "lime"},
        metrics={**metrics, "samples": float(chosen.samples)},
        segments=segments[None],
    )


def _superpixels(picture: NDArray[np.float32], chosen: Parameters, seed: int) -> NDArray[np.int32]:
    if chosen.pieces:
        return even_pieces(picture, chosen.pieces)
    return quickshift_pieces(
        picture,
        kernel=chosen.quickshift_kernel,
        distance=chosen.quickshift_distance,
        ratio=chosen.quickshift_ratio,
        seed=seed,
    )


def _draw(features: int, samples: int, seed: int) -> NDArray[np.int64]:
    """Which superpixels each sample shows; the first shows all, as the fit expects."""
    shown = np.random.RandomState(seed).randint(0, 2, (samples, features))
    shown[0] = 1
    return shown.astype(np.int64)


def _chances(
    model: LoadedModel,
    picture: NDArray[np.float32],
    segments: NDArray[np.int32],
    shown: NDArray[np.int64],
    hidden: float,
) -> NDArray[np.float64]:
    """Calibrated probabilities (samples, classes) of the picture with superpixels hidden."""
    found = []
    for start in range(0, len(shown), BATCH):
        visible = shown[start : start + BATCH].astype(np.bool_)
        pictures = hidden_pictures(picture, segments, visible, hidden)
        found.append(frame_logits(model, pictures[:, None]))
    return calibrated(np.concatenate(found), model.record.temperature)


def _fit(
    shown: NDArray[np.int64], chances: NDArray[np.float64], target: int, chosen: Parameters, seed: int
) -> tuple[NDArray[np.float64], dict[str, float]]:
    """Weight of each superpixel, and how well the weights tell the network's answer."""
    if find_spec("lime") is None:
        raise CannotExplain("The reference LIME needs the lime package, which is not installed here.")
    from lime.lime_base import LimeBase  # brings scikit-learn along, which nothing else here needs
    from sklearn.metrics import pairwise_distances

    def kernel(distances: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sqrt(np.exp(-(distances**2) / chosen.kernel_width**2))

    base = LimeBase(kernel, verbose=False, random_state=np.random.RandomState(seed))
    distances = pairwise_distances(shown, shown[:1], metric="cosine").ravel()
    intercept, pairs, score, predicted = base.explain_instance_with_data(
        shown, chances, distances, target, num_features=shown.shape[1], feature_selection="none"
    )
    weights = np.zeros(shown.shape[1])
    for feature, weight in pairs:
        weights[feature] = weight
    metrics = {
        "local_r2": float(score),
        "intercept": float(intercept),
        "local_prediction": float(predicted[0]),
        "prediction": float(chances[0, target]),
    }
    return weights, metrics
