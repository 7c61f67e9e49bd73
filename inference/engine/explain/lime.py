"""LIME (Ribeiro et al. 2016) as this project runs it: even superpixels, balanced masks, a surrogate.

What it estimates is LIME's own weighted linear fit; `lime_reference` is the lime package's way there. Masks
come in blocks until the order of the weights has settled. Where the backend offers a draft of the network
(fewer products in whole numbers, held to the real one before it is used) the masks are shown to that, and
where the draft comes in stages most masks are shown to the last one alone (`fast_lime.activation_emulator`).
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from inference.engine.explain.fast_lime.activation_emulator import Answers
from inference.engine.explain.fast_lime.gaussian_process import Fit, Process, balanced_masks
from inference.engine.explain.method import GridMap, middle_row, tell
from inference.engine.explain.superpixels import distances, even_pieces, hidden_pictures
from inference.engine.predict import calibrated, frame_logits
from inference.engine.records import Label, Prepared
from inference.engine.weights.loaded_model import LoadedModel, threads

BATCH = 128
REVISION = 3
"""Of this way to LIME's weights: it rises when equal arguments come to give another map."""
FEW = 1e-4
"""Probabilities that move less than this over all masks give no order worth settling."""

Floats = NDArray[np.float64]
Asked = Callable[[NDArray[np.bool_]], Floats]


@dataclass(frozen=True)
class Parameters:
    """samples: masks at most; least: before it may stop.

    settled: rank correlation with the weights of a block fewer at which it stops. pieces: superpixels aimed
    at. hidden: grey of a hidden one; 0 is the head's middle. kernel_width: the lime package's. draft: whether
    one may be used.
    """

    samples: int = 512
    least: int = 256
    settled: float = 0.95
    pieces: int = 50
    kernel_width: float = 0.25
    hidden: float = 0.0
    draft: bool = True


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
    segments = even_pieces(picture, chosen.pieces)
    draft = model.draft(prepared.modality) if chosen.draft else None

    def drawn(shown: NDArray[np.bool_]) -> NDArray[np.float32]:
        return hidden_pictures(picture, segments, shown, chosen.hidden)[:, None]

    answers = (
        Answers(draft, drawn, segments, model.network.computed, threads=threads())
        if draft
        else Answers((partial(_logits, model),), drawn, segments)
    )

    def chances_of(logits: NDArray[np.float32]) -> Floats:
        chances = calibrated(logits.astype(np.float64), model.record.temperature)
        return np.asarray(chances[:, model.record.labels.index(class_label)])

    fit, metrics = sampled(
        lambda shown: chances_of(answers.to(shown)), segments, chosen, seed, computed=answers.computed
    )
    whole = np.ones((1, len(fit.weights)), np.bool_)
    metrics["prediction"] = float(chances_of(answers.computed_for(whole))[0])
    if answers.agreement is not None:
        metrics["foretold_agreement"] = answers.agreement
    values = np.where(segments >= 0, fit.weights[segments], 0.0)
    return GridMap(
        values=values[None].astype(np.float32),
        rows=(row,),
        signed=True,
        unit=f"change in the probability of {class_label} of this frame",
        parameters={
            **asdict(chosen),
            "revision": REVISION,
            "superpixels": len(fit.weights),
            "drafted": draft is not None,
        },
        metrics=metrics,
        segments=segments[None],
    )


def _logits(model: LoadedModel, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    parts = [frame_logits(model, pictures[start : start + BATCH]) for start in range(0, len(pictures), BATCH)]
    return np.concatenate(parts).astype(np.float32)


def sampled(
    asked: Asked, segments: NDArray[np.int32], chosen: Parameters, seed: int, *, computed: int = sys.maxsize
) -> tuple[Fit, dict[str, float]]:
    """Masks, block by block, until the weights' order holds or the samples are spent.

    computed: masks after which answers are foretold; those bring nothing that shakes the order, so it is
    compared with the order of the last block that had computed ones.
    """
    pieces = int(segments.max()) + 1
    process = Process(distances(segments), side=segments.shape[0], seed=seed)
    blocks = balanced_masks(pieces, np.random.default_rng(seed))
    shown, chances = np.zeros((0, pieces), np.bool_), np.zeros(0)
    before: Fit | None = None
    while True:
        start = len(shown)
        more = next(blocks)[: chosen.samples - start]
        shown, chances = np.concatenate([shown, more]), np.concatenate([chances, asked(more)])
        fit = process.fitted(shown, chances, chosen.kernel_width)
        stability = _agreement(before, fit)
        enough = len(shown) >= chosen.least and (stability >= chosen.settled or np.ptp(chances) < FEW)
        if len(shown) >= chosen.samples or enough:
            return fit, _metrics(fit, len(shown), stability)
        before = fit if start < computed else before
        tell(f"{len(shown)} of at most {chosen.samples} masks, order {max(stability, 0):.0%} settled")


def _agreement(before: Fit | None, after: Fit) -> float:
    """Rank correlation of the weights with those of a block fewer; 0 where there is no order to compare."""
    if before is None or np.ptp(before.weights) == 0 or np.ptp(after.weights) == 0:
        return 0.0
    return float(spearmanr(before.weights, after.weights).statistic)


def _metrics(fit: Fit, samples: int, stability: float) -> dict[str, float]:
    return {
        "local_r2": fit.r2,
        "intercept": fit.intercept,
        "local_prediction": float(fit.intercept + fit.weights.sum()),
        "rank_stability": stability,
        "samples": float(samples),
    }
