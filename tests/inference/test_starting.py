"""A start decides nothing that people have decided: who answers, who was retired, who is quarantined."""

import io

import answers
import pytest
from conftest import PASSWORD
from django.core.management import call_command

from audit.models import Event
from blobs import store
from inference import readmission, registry
from inference.engine import catalogue
from inference.models import Activation, ModelVersion
from notices.models import Notice

pytestmark = pytest.mark.django_db
REASON = "The disk was replaced, and the file copied back."


def start() -> str:
    """What every start does with the shipped versions; what it says of those it leaves alone."""
    said = io.StringIO()
    call_command("register_shipped", stdout=io.StringIO(), stderr=said)
    return said.getvalue()


def seated() -> set[tuple[str, str]]:
    return set(ModelVersion.objects.filter(state="active").values_list("network", "modality"))


def state_of(version: ModelVersion) -> str:
    return ModelVersion.objects.values_list("state", flat=True).get(pk=version.pk)


def test_what_was_retired_stays_retired_at_the_next_start(manager):
    start()
    first = seated()
    assert ("cnn", "ultrasound") in first
    for version in ModelVersion.objects.filter(state="active"):
        registry.retire(version, by=manager, reason="Our probes are others.")
    start()
    assert seated() == set()
    assert not Activation.objects.filter(ended_at__isnull=True).exists()


@pytest.fixture
def quick(models) -> ModelVersion:
    """A shipped version that answers."""
    return ModelVersion.objects.get(network="cnn", modality="ultrasound")


def test_a_quarantined_version_stops_no_start_and_comes_back_by_a_person_only(quick, manager, client_of):
    answers.damage(quick.weights_sha256)
    registry.quarantine(quick, reason="The file has changed.")
    with pytest.raises(registry.IllegalMove, match="not those that were registered"):
        readmission.readmit(quick, by=manager, reason=REASON)
    said = start()
    assert f"{quick} is quarantined" in said
    assert state_of(quick) == "quarantined"
    assert store.read(quick.weights_sha256), "the shipped file has healed the stored one"
    page = client_of(manager)
    assert "Take back from quarantine" in page.get(f"/models/{quick.pk}/").content.decode()
    wrong = page.post(f"/models/{quick.pk}/readmit/", {"reason": REASON, "password": "wrong"})
    assert (wrong.status_code, state_of(quick)) == (422, "quarantined")
    done = page.post(f"/models/{quick.pk}/readmit/", {"reason": REASON, "password": PASSWORD}, follow=True)
    assert "It answers nobody until it is put into use." in done.content.decode()
    assert state_of(quick) == "retired"
    (event,) = Event.objects.filter(verb="model.readmitted")
    assert (event.actor_id, event.detail["reason"]) == (manager.pk, REASON)
    assert not Notice.objects.filter(code="model.quarantined").exists()
    start()
    assert state_of(quick) == "retired"


def test_a_draft_that_comes_back_is_a_draft_still(tmp_path, manager):
    draft = answers.version(tmp_path, version="9", card={})
    registry.quarantine(draft, reason="The file has changed.")
    readmission.readmit(draft, by=manager, reason=REASON)
    assert state_of(draft) == "draft"
    with pytest.raises(registry.IllegalMove, match="is not quarantined"):
        readmission.readmit(draft, by=manager, reason=REASON)


@pytest.mark.parametrize("who", ["alice", "bob", "auditor", "administrator"])
def test_only_a_model_manager_takes_a_version_back(who, quick, client_of, request):
    registry.quarantine(quick, reason="The file has changed.")
    sent = {"reason": REASON, "password": PASSWORD}
    page = client_of(request.getfixturevalue(who))
    assert page.post(f"/models/{quick.pk}/readmit/", sent).status_code == 403
    assert state_of(quick) == "quarantined"


def test_a_name_that_another_file_has_taken_stops_no_start(tmp_path):
    shipped = catalogue.newest("cnn", "ultrasound").record
    answers.version(tmp_path, version=shipped.version)
    said = start()
    assert f"{shipped.name} was left out" in said
    assert ("cnn", "ultrasound") not in seated()
    assert ("cnn", "mri") in seated(), "the others came all the same"
