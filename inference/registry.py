"""Model versions: every write an administrator causes."""

from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import User
from audit.trail import record
from blobs import store
from inference.engine.records import WeightsRecord
from inference.models import Activation, ModelVersion

State = ModelVersion.State


def active_versions(modality: str) -> QuerySet[ModelVersion]:
    """The versions that answer a scan of this modality now, one for each role."""
    seated = Activation.objects.filter(modality=modality, ended_at__isnull=True)
    return ModelVersion.objects.filter(activations__in=seated).order_by("network")


@transaction.atomic
def register(record_: WeightsRecord, weights: Path, *, by: User | None) -> ModelVersion:
    """A new version from a weights file and its record; the same version again is returned as it is.

    Raises ValueError when the file is not the one the record names.
    """
    known = ModelVersion.objects.filter(
        network=record_.network, modality=record_.modality, version=record_.version
    ).first()
    if known:
        return known
    content = weights.read_bytes()
    blob = store.put(content)
    if blob.sha256 != record_.weights_sha256:
        raise ValueError(f"{weights.name} is not the file its record names")
    version = ModelVersion.objects.create(
        network=record_.network,
        version=record_.version,
        modality=record_.modality,
        state=State.EVALUATED if record_.card else State.DRAFT,
        weights=blob,
        preprocessing=record_.preprocessing,
        preprocessing_sha256=record_.preprocessing_sha256,
        labels=list(record_.labels),
        threshold=record_.threshold,
        threshold_target=record_.threshold_target,
        temperature=record_.temperature,
        card=dict(record_.card),
    )
    record("model.registered", actor=by, subject=version, weights_sha256=version.weights_sha256)
    return version


@transaction.atomic
def activate(version: ModelVersion, *, by: User | None, reason: str) -> Activation:
    """Give the version its network's seat for its modality; the one who held it retires.

    Raises ValueError for a version that is a draft or quarantined.
    """
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if version.state not in {State.EVALUATED, State.RETIRED}:
        raise ValueError(f"{version} is {version.get_state_display().lower()} and cannot be activated")
    _vacate(version.modality, version.network, State.RETIRED)
    activation = Activation.objects.create(
        model_version=version, modality=version.modality, role=version.network, activated_by=by, reason=reason
    )
    ModelVersion.objects.filter(pk=version.pk).update(state=State.ACTIVE)
    record("model.activated", actor=by, subject=version, role=version.network, reason=reason)
    return activation


@transaction.atomic
def quarantine(version: ModelVersion, *, reason: str) -> None:
    """Take a version out of use at once because its file is not what it was."""
    Activation.objects.filter(model_version=version, ended_at__isnull=True).update(ended_at=Now())
    ModelVersion.objects.filter(pk=version.pk).update(state=State.QUARANTINED)
    record("model.quarantined", actor=None, subject=version, reason=reason)


def seats() -> list[tuple[str, str]]:
    """(modality, role) of every open activation."""
    return list(Activation.objects.filter(ended_at__isnull=True).values_list("modality", "role"))


def _vacate(modality: str, role: str, state: ModelVersion.State) -> None:
    holder = Activation.objects.filter(modality=modality, role=role, ended_at__isnull=True).first()
    if holder:
        Activation.objects.filter(pk=holder.pk).update(ended_at=Now())
        ModelVersion.objects.filter(pk=holder.model_version_id).update(state=state)
