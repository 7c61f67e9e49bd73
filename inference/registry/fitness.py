"""Which registered versions meet the rule for use, and who is told of those in use that do not."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects

from accounts.models import User
from audit.models import Event
from audit.trail import record
from inference import events
from inference.engine.fitness import BY_SOURCE, EVALUATION, Fitness, figures_of, fitness
from inference.engine.fitness.by_source import SourceFigure
from inference.models import Evaluation, ModelVersion

MEASURED = (("specificity", "normal"), ("sensitivity", "ventriculomegaly"))


def fitness_of(version: ModelVersion) -> Fitness:
    """What a version says to the rule of its modality, with every evaluation that was kept."""
    return fitness(version.card, version.modality, version.preprocessing, _later(version))


def fitness_of_all(versions: Iterable[ModelVersion]) -> dict[uuid.UUID, Fitness]:
    """The same of many, in one query."""
    found = list({version.pk: version for version in versions}.values())
    prefetch_related_objects(found, "evaluations")
    return {version.pk: fitness_of(version) for version in found}


@transaction.atomic
def review() -> list[ModelVersion]:
    """Tell managers of versions in use that no longer meet the rule as they did: which.

    A later release may ask for more, or know more of its input gate. Nothing is put out of use by itself.
    """
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE)
    return [version for version in active if tell_whether_fit(version, by=None)]


@transaction.atomic
def tell_whether_fit(version: ModelVersion, *, by: User | None, source: str = "") -> bool:
    """Of a version in use: that it does not meet the rule, where that is news; or that it does now.

    source: what it was measured on just now; a line of the rule that fails on it is news.
    """
    unmet = lacking(version)
    if not unmet:
        events.fit(version)
        return False
    here = any(one.parameters.get("source") == source for one in fitness_of(version).lacking)
    if unmet == _as_told(version) and not (source and here):
        return False
    record("model.unfit", actor=by, subject=version, experimental=unmet)
    events.unfit(version)
    return True


def lacking(version: ModelVersion) -> dict[str, str]:
    """The conditions of the rule that a version does not meet: which fail, and which cannot be told."""
    return {one.code: one.state for one in fitness_of(version).lacking}


def _as_told(version: ModelVersion) -> dict[str, str]:
    """Those that the audit knows of since the version came into use."""
    known = Event.objects.filter(verb__in=["model.activated", "model.unfit"], subject_id=str(version.pk))
    last = known.order_by("-pk").first()
    return dict(last.detail.get("experimental") or {}) if last else {}


def _later(version: ModelVersion) -> list[SourceFigure]:
    """Oldest first, so that the newest figure of a source is the one that counts."""
    kept = sorted(version.evaluations.all(), key=lambda one: one.created_at)
    return [figure for one in kept for figure in _figures(one)]


def _figures(evaluation: Evaluation) -> Iterator[SourceFigure]:
    """Those by source as they are; sensitivity and specificity on a folder, which is a source of its own."""
    yield from figures_of(evaluation.figures)
    measured = evaluation.figures.get("figures")
    if isinstance(measured, Mapping) and not evaluation.figures.get("learnt_from"):
        for measure, label in MEASURED:
            row = _row(measured.get(measure), evaluation.data, measure, label)
            yield from figures_of({BY_SOURCE: [row]})


def _row(figure: Any, source: str, measure: str, label: str) -> dict[str, Any]:
    told = dict(figure) if isinstance(figure, Mapping) else {}
    return {
        **told,
        "source": source,
        "measure": measure,
        "label": label,
        "learnt_from": False,
        "unit": "picture",
        "shown_only": False,
    }


def unknown_figures(version: ModelVersion, card: Mapping[str, Any]) -> list[SourceFigure]:
    """What a card says by source that neither the version's own nor an evaluation has said; or none."""
    told = figures_of(card.get(EVALUATION))
    if not told or told == figures_of(version.card.get(EVALUATION)):
        return []
    return [] if version.evaluations.filter(figures={BY_SOURCE: told}).exists() else told
