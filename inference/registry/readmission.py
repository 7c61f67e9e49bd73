"""A quarantined version comes back once its file is what was registered. A person decides, never a start."""

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from audit.models import Event
from audit.trail import record
from blobs import store
from blobs.store import BlobCorrupt, BlobUnavailable
from inference import events
from inference.models import ModelVersion
from refusals import Refusal

State = ModelVersion.State


@transaction.atomic
def readmit(version: ModelVersion, *, by: User | None, reason: str) -> None:
    """Back to what the version was before, but that it answers nobody: putting it into use is another step.

    Raises Refusal for a version that is not quarantined, or whose stored bytes are still not the ones.
    """
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if version.state != State.QUARANTINED:
        raise Refusal("illegal_move", gettext("{version} is not quarantined.").format(version=version))
    try:
        store.read(version.weights_sha256)
    except (BlobCorrupt, BlobUnavailable) as fault:
        sentence = gettext("The stored weights of {version} are not those that were registered.")
        raise Refusal("illegal_move", sentence.format(version=version)) from fault
    to = _state_before(version)
    ModelVersion.objects.filter(pk=version.pk).update(state=to)
    record("model.readmitted", actor=by, subject=version, reason=reason, state=to)
    events.readmitted(version)


def _state_before(version: ModelVersion) -> ModelVersion.State:
    """As the audit has it; who answered then is retired now, and of whom nothing is known is a draft."""
    told = Event.objects.filter(verb="model.quarantined", subject_id=str(version.pk)).order_by("-pk").first()
    was = told.detail.get("was") if told else None
    if was == State.ACTIVE or (was is None and version.activations.exists()):
        return State.RETIRED
    return State(was) if was else State.DRAFT
