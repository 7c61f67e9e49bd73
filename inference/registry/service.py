"""Model versions: every write an administrator causes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import version as installed
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_noop

from accounts.models import User
from audit.trail import record
from blobs import store
from blobs.models import Blob
from inference import events
from inference.engine.fitness import BY_SOURCE
from inference.engine.records import WeightsRecord
from inference.models import Activation, Evaluation, Job, ModelVersion
from inference.registry.fitness import fitness_of_all, lacking, tell_whether_fit, unknown_figures
from refusals import Refusal

State = ModelVersion.State
MOVES = {
    State.DRAFT: frozenset({State.EVALUATED, State.QUARANTINED}),
    State.EVALUATED: frozenset({State.ACTIVE, State.RETIRED, State.QUARANTINED}),
    State.ACTIVE: frozenset({State.RETIRED, State.QUARANTINED}),
    State.RETIRED: frozenset({State.ACTIVE, State.QUARANTINED}),
    State.QUARANTINED: frozenset[State](),  # inference.registry.readmission is the one way back
}
SHADOW = Activation.SHADOW
ACTIVATABLE = [state for state, moves in MOVES.items() if State.ACTIVE in moves]


def active_versions(modality: str) -> QuerySet[ModelVersion]:
    """The versions that answer a scan of this modality now, one for each role."""
    return _seated(_open_seats(modality).exclude(role__startswith=SHADOW))


def shadow_versions(modality: str) -> QuerySet[ModelVersion]:
    """The candidates that answer the same scans unseen."""
    return _seated(_open_seats(modality).filter(role__startswith=SHADOW))


def _open_seats(modality: str) -> QuerySet[Activation]:
    return Activation.objects.filter(modality=modality, ended_at__isnull=True)


def _seated(activations: QuerySet[Activation]) -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(activations__in=activations).order_by("network")


def was_taken(modality: str, role: str) -> bool:
    """Whether a version has ever held the seat, or holds it now: then people have decided about it."""
    return Activation.objects.filter(modality=modality, role=role).exists()


def seats_at(moment: datetime) -> QuerySet[Activation]:
    """Which versions answered at a moment of the past, one for each modality and role."""
    had_begun = Activation.objects.filter(started_at__lte=moment).exclude(role__startswith=SHADOW)
    seated = had_begun.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=moment))
    return seated.select_related("model_version", "activated_by").order_by("modality", "role")


def predecessor(modality: str, role: str) -> ModelVersion | None:
    """The version that would answer again after a roll-back: the last other one in the seat.

    A quarantined version is passed over: its file is not what it was.
    """
    intervals = Activation.objects.filter(modality=modality, role=role).order_by("-started_at")
    holder = intervals.filter(ended_at__isnull=True).first()
    former = intervals.filter(ended_at__isnull=False, model_version__state__in=ACTIVATABLE)
    if holder:
        former = former.exclude(model_version=holder.model_version_id)
    last = former.select_related("model_version").first()
    return last.model_version if last else None


def register(
    record_: WeightsRecord,
    content: Callable[[], bytes],
    *,
    by: User | None,
    training: Job | None = None,
) -> ModelVersion:
    """A new version from a trusted file and its record; the same version again is returned as it is.

    content: reads the weights file, asked only for a new version. training: the job that made it.
    Raises ValueError when the file is not the one the record names, Refusal when the name is taken.
    """
    known = _known(record_)
    if known:
        return known
    blob = store.put(content())
    if blob.sha256 != record_.weights_sha256:
        raise ValueError(f"The weights of {record_.name} are not the file its record names.")
    return register_blob(record_, blob, by=by, training=training)


@transaction.atomic
def register_blob(
    record_: WeightsRecord,
    weights: Blob,
    *,
    by: User | None,
    measured: bool = True,
    training: Job | None = None,
) -> ModelVersion:
    """As `register`, for bytes that are stored already. measured: believe the figures on the card."""
    known = _known(record_)
    if known:
        return known
    version = ModelVersion.objects.create(
        network=record_.network,
        version=record_.version,
        modality=record_.modality,
        state=State.EVALUATED if record_.card and measured else State.DRAFT,
        weights=weights,
        preprocessing=record_.preprocessing,
        preprocessing_sha256=record_.preprocessing_sha256,
        labels=list(record_.labels),
        threshold=record_.threshold,
        threshold_target=record_.threshold_target,
        temperature=record_.temperature,
        card=dict(record_.card),
        code_version=installed("ventra"),
        training=training,
    )
    record("model.registered", actor=by, subject=version, weights_sha256=version.weights_sha256)
    return version


@transaction.atomic
def record_evaluation(
    version: ModelVersion, figures: dict[str, Any], *, data: str, by: User | None
) -> Evaluation:
    """Keep what was measured; a draft that has been measured may be activated."""
    version = _locked(version)
    evaluation = Evaluation.objects.create(model_version=version, data=data, figures=figures)
    if version.state == State.DRAFT:
        _move(version, State.EVALUATED)
    record("model.evaluated", actor=by, subject=version, data=data, evaluation=str(evaluation.pk))
    if version.state == State.ACTIVE:
        tell_whether_fit(version, by=by, source=data)
    return evaluation


@transaction.atomic
def renew(version: ModelVersion, card: Mapping[str, Any]) -> Evaluation | None:
    """Keep what the card of the same weights says by source in a later release; None where that is known."""
    figures = unknown_figures(version, card)
    if not figures:
        return None
    data = gettext_noop("By source, with a later release of Ventra")
    return record_evaluation(version, {BY_SOURCE: figures}, data=data, by=None)


@transaction.atomic
def activate(version: ModelVersion, *, by: User | None, reason: str) -> Activation:
    """Give the version its network's seat for its modality; the one who held it retires.

    Raises Refusal for a version that is a draft, active already or quarantined, and for one that does not
    meet the rule for use where another in use does. Where none does, it answers, and is marked experimental.
    """
    version = _locked(version)
    _refuse_illegal(version, State.ACTIVE)
    if lacking(version):
        _refuse_beside_better(version)
    return _take_seat(version, by=by, reason=reason)


def _take_seat(version: ModelVersion, *, by: User | None, reason: str) -> Activation:
    """The one who held it retires."""
    unmet = lacking(version)
    _leave_seat(version)  # a candidate's
    _vacate(version.modality, version.network)
    activation = Activation.objects.create(
        model_version=version, modality=version.modality, role=version.network, activated_by=by, reason=reason
    )
    _move(version, State.ACTIVE)
    record(
        "model.activated",
        actor=by,
        subject=version,
        role=version.network,
        reason=reason,
        experimental=unmet,
    )
    events.activated(version, experimental=bool(unmet))
    return activation


def _refuse_beside_better(version: ModelVersion) -> None:
    """Two answers of different worth do not stand side by side. Raises Refusal."""
    if better := fit_versions(version.modality):
        sentence = gettext(
            "{version} does not meet the rule for use, and {better} does. Take that out of use first, or let "
            "{version} answer unseen."
        )
        raise Refusal("illegal_move", sentence.format(version=version, better=better[0]))


def fit_versions(modality: str) -> list[ModelVersion]:
    """The versions in use that meet the rule."""
    active = list(active_versions(modality))
    judged = fitness_of_all(active)
    return [one for one in active if judged[one.pk].holds]


@transaction.atomic
def roll_back(version: ModelVersion, *, by: User | None, reason: str) -> Activation:
    """Put the version that answered before this active one back into the seat; raises Refusal."""
    version = _locked(version)
    former = predecessor(version.modality, version.network)
    if version.state != State.ACTIVE or former is None:
        sentence = gettext("{version} has no earlier version to go back to.")
        raise Refusal("illegal_move", sentence.format(version=version))
    return activate(former, by=by, reason=reason)


@transaction.atomic
def retire(version: ModelVersion, *, by: User | None, reason: str) -> None:
    """Take a version out of use without a successor; its seat stays empty. Raises Refusal."""
    version = _locked(version)
    _leave_seat(version)
    _move(version, State.RETIRED)
    record("model.deactivated", actor=by, subject=version, reason=reason)


@transaction.atomic
def start_shadow(version: ModelVersion, *, by: User | None, reason: str) -> Activation:
    """Let a candidate answer the scans of its modality unseen; one that did so before stops.

    Raises Refusal for a version that could not be activated either.
    """
    version = _locked(version)
    _refuse_illegal(version, State.ACTIVE)
    role = SHADOW + version.network
    _open_seats(version.modality).filter(role=role).update(ended_at=Now())
    activation = Activation.objects.create(
        model_version=version, modality=version.modality, role=role, activated_by=by, reason=reason
    )
    record("model.shadow_started", actor=by, subject=version, role=role, reason=reason)
    return activation


@transaction.atomic
def stop_shadow(version: ModelVersion, *, by: User | None, reason: str) -> None:
    """End a candidate's unseen answers; what it said is kept. Raises Refusal when it gives none."""
    version = _locked(version)
    if not is_shadow(version):
        raise Refusal("illegal_move", gettext("{version} answers no scans unseen.").format(version=version))
    _leave_seat(version)
    record("model.shadow_stopped", actor=by, subject=version, reason=reason)


def is_shadow(version: ModelVersion) -> bool:
    """Whether the version answers unseen now."""
    return shadow_versions(version.modality).filter(pk=version.pk).exists()


@transaction.atomic
def quarantine(version: ModelVersion, *, reason: str) -> None:
    """Take a version out of use at once because its file is not what it was; repeating changes nothing."""
    version = _locked(version)
    if version.state == State.QUARANTINED:
        return
    _leave_seat(version)
    _move(version, State.QUARANTINED)
    record("model.quarantined", actor=None, subject=version, reason=reason, was=version.state)
    events.quarantined(version)


def refuse_taken(record_: WeightsRecord) -> None:
    """Raises Refusal when the name stands for another weights file."""
    _known(record_)


def _known(record_: WeightsRecord) -> ModelVersion | None:
    known = ModelVersion.objects.filter(
        network=record_.network, modality=record_.modality, version=record_.version
    ).first()
    if known and known.weights_sha256 != record_.weights_sha256:
        raise Refusal("version_exists", f"{known} exists already with another weights file.")
    return known


def _locked(version: ModelVersion) -> ModelVersion:
    return ModelVersion.objects.select_for_update().get(pk=version.pk)


def _refuse_illegal(version: ModelVersion, to: ModelVersion.State) -> None:
    if to not in MOVES[State(version.state)]:
        sentence = gettext("{version} is {state} and cannot become {wanted}.")
        state, wanted = version.get_state_display().lower(), str(to.label).lower()
        raise Refusal("illegal_move", sentence.format(version=version, state=state, wanted=wanted))


def _move(version: ModelVersion, to: ModelVersion.State) -> None:
    _refuse_illegal(version, to)
    ModelVersion.objects.filter(pk=version.pk).update(state=to)


def _vacate(modality: str, role: str) -> None:
    holder = Activation.objects.filter(modality=modality, role=role, ended_at__isnull=True).first()
    if holder:
        _leave_seat(holder.model_version)
        _move(holder.model_version, State.RETIRED)


def _leave_seat(version: ModelVersion) -> None:
    events.fit(version)
    Activation.objects.filter(model_version=version, ended_at__isnull=True).update(ended_at=Now())
