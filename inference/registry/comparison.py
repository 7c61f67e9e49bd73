"""A candidate beside the version that answers: what both said of the same scans, and of labelled pictures."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.engine.records import POSITIVE
from inference.models import Activation, ModelVersion, Prediction
from inference.results.store import counting
from inference.training.evaluation.curves import answers
from inference.training.evaluation.figures import Figure, difference, wilson

SHOWN = 25


@dataclass(frozen=True)
class Pair:
    """Two answers about one scan. Nothing here names a patient."""

    candidate: Prediction
    holder: Prediction

    @property
    def differs(self) -> bool:
        """Whether the calls differ; a refusal is a call too."""
        return self.candidate.label != self.holder.label


@dataclass(frozen=True)
class Comparison:
    """Two versions on the scans that both answered.

    calls: how often (candidate says so, holder says so), over scans that both could analyse.
    p_value: McNemar's exact test that both call ventriculomegaly equally often; None without a difference.
    kappa: agreement beyond chance (Cohen); None where chance alone explains everything.
    auc_difference: candidate minus holder on labelled pictures that both cards measured, if there are any.
    """

    candidate: ModelVersion
    holder: ModelVersion
    scans: int
    refused: tuple[int, int]
    calls: Mapping[tuple[bool, bool], int]
    agreement: Figure | None
    kappa: float | None
    p_value: float | None
    auc_difference: Figure | None
    differing: tuple[Pair, ...]

    @property
    def rows(self) -> list[tuple[str, int, int]]:
        """The calls as a table: candidate's call, holder calls ventriculomegaly, holder calls normal."""
        names = (("ventriculomegaly", True), ("normal", False))
        return [(name, self.calls[said, True], self.calls[said, False]) for name, said in names]


def holder_of(version: ModelVersion) -> ModelVersion | None:
    """The version that answers in the seat this one would take."""
    seat = Activation.objects.filter(
        modality=version.modality, role=version.network, ended_at__isnull=True
    ).exclude(model_version=version)
    found = seat.select_related("model_version").first()
    return found.model_version if found else None


def compare(candidate: ModelVersion, holder: ModelVersion) -> Comparison:
    """Both versions on every scan that both have answered, each with its newest answer."""
    pairs = _pairs(candidate, holder)
    both = [pair for pair in pairs if pair.candidate.analysable and pair.holder.analysable]
    said = [(pair.candidate.label == POSITIVE, pair.holder.label == POSITIVE) for pair in both]
    calls = {(ours, theirs): said.count((ours, theirs)) for ours in (True, False) for theirs in (True, False)}
    same = calls[True, True] + calls[False, False]
    return Comparison(
        candidate=candidate,
        holder=holder,
        scans=len(pairs),
        refused=(
            sum(not pair.candidate.analysable for pair in pairs),
            sum(not pair.holder.analysable for pair in pairs),
        ),
        calls=calls,
        agreement=wilson(same, len(both)) if both else None,
        kappa=_kappa(calls),
        p_value=mcnemar(calls[True, False], calls[False, True]),
        auc_difference=_on_labelled_pictures(candidate.card, holder.card),
        differing=tuple(pair for pair in pairs if pair.differs)[:SHOWN],
    )


def mcnemar(first_only: int, second_only: int) -> float | None:
    """The exact two-sided p-value (McNemar 1947, binomial form); None when nothing differs."""
    differing = first_only + second_only
    if not differing:
        return None
    tail = sum(math.comb(differing, k) for k in range(min(first_only, second_only) + 1))
    return min(1.0, float(2 * tail / 2**differing))


def _kappa(calls: Mapping[tuple[bool, bool], int]) -> float | None:
    """Cohen 1960."""
    total = sum(calls.values())
    if not total:
        return None
    observed = (calls[True, True] + calls[False, False]) / total
    ours = (calls[True, True] + calls[True, False]) / total
    theirs = (calls[True, True] + calls[False, True]) / total
    expected = ours * theirs + (1 - ours) * (1 - theirs)
    return (observed - expected) / (1 - expected) if expected < 1 else None


def _pairs(candidate: ModelVersion, holder: ModelVersion) -> list[Pair]:
    """Newest scans first. Only answers about the same frames are compared."""
    ours, theirs = _newest(candidate), _newest(holder)
    shared = [key for key in ours if key in theirs]
    return [Pair(ours[key], theirs[key]) for key in shared]


def _newest(version: ModelVersion) -> dict[tuple[Any, str], Prediction]:
    """The newest answer about each image and choice of frames, newest first."""
    found: dict[tuple[Any, str], Prediction] = {}
    given = counting(Prediction.objects.filter(model_version=version))
    for prediction in given.select_related("job").order_by("-created_at"):
        chosen = repr(prediction.job.parameters.get("frames"))
        found.setdefault((prediction.image_id, chosen), prediction)
    return found


def _on_labelled_pictures(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Figure | None:
    stored = [card.get("held_out_answers") for card in (ours, theirs)]
    if not all(stored):
        return None
    (truth, our_chances, groups), (same, their_chances, _) = (answers(one) for one in stored if one)
    if not np.array_equal(truth, same):
        return None
    return difference(truth, our_chances, their_chances, groups)
