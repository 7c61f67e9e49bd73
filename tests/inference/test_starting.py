"""A start decides nothing that people have decided: who answers, who was retired, who is quarantined."""

import io

import answers
import pytest
from conftest import PASSWORD
from django.core.management import call_command
from refused import refused

from audit.models import Event
from blobs import store
from inference.engine import catalogue
from inference.engine.fitness import gates
from inference.models import Activation, ModelVersion
from inference.registry import readmission
from inference.registry import service as registry
from inference.registry.fitness import fitness_of, review
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
    with refused("illegal_move", match="not those that were registered"):
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
    with refused("illegal_move", match="is not quarantined"):
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


def card(*figures: tuple[str, str, str, float]) -> dict:
    """Figures by source: (source, label, measure, value)."""
    rest = {
        "learnt_from": False, "low": 0.5, "high": 1.0, "count": 200, "unit": "case", "shown_only": False,
    }  # fmt: skip
    names = ("source", "label", "measure", "value")
    return {"evaluation": {"by_source": [dict(zip(names, one, strict=True)) | rest for one in figures]}}


GOOD_CARD = card(
    ("a hospital", "normal", "specificity", 0.95), ("a clinic", "ventriculomegaly", "sensitivity", 0.9)
)
BAD = {"figures": {"specificity": {"value": 0.5, "low": 0.4, "high": 0.6, "count": 50}}}


@pytest.fixture
def fit(tmp_path, monkeypatch) -> ModelVersion:
    """A version that meets the rule, and answers."""
    good = gates.GateFigures(gates.GateFigure("a hospital", 0.02, 100), gates.GateFigure("", 0.99, 200))
    monkeypatch.setattr("inference.engine.fitness.rule.gate_figures", lambda _: good)
    return answers.active_version(tmp_path, network="vgg16", card=GOOD_CARD)


def test_a_start_says_of_what_it_seats_whether_it_may_be_relied_on():
    start()
    for activation in Activation.objects.select_related("model_version"):
        told = Event.objects.get(verb="model.activated", subject_id=str(activation.model_version_id)).detail
        holds = fitness_of(activation.model_version).holds
        assert holds == (told["experimental"] == {})
        assert holds == ("experimental" not in activation.reason)
    assert not Notice.objects.exists(), "what a start seats knowingly is no news"


def test_a_start_seats_nothing_experimental_beside_what_meets_the_rule(fit):
    start()
    beside = ModelVersion.objects.filter(modality="ultrasound", state="active")
    assert all(fitness_of(one).holds for one in beside)


def test_a_manager_puts_no_version_that_fails_beside_one_that_meets_the_rule(
    fit, tmp_path, manager, client_of
):
    worse = answers.version(tmp_path, version="7")
    sent = {"reason": "I want to try it here.", "password": PASSWORD}
    page = client_of(manager).post(f"/models/{worse.pk}/activate/", sent, follow=True).content.decode()
    assert "Nothing was changed" in page
    assert "does not meet the rule for use" in page
    assert state_of(worse) == "evaluated"
    registry.start_shadow(worse, by=manager, reason="Unseen it may answer.")
    registry.retire(fit, by=manager, reason="It misses too much here.")
    client_of(manager).post(f"/models/{worse.pk}/activate/", sent)
    assert state_of(worse) == "active", "where nothing better answers it may, and is marked"
    told = Event.objects.filter(verb="model.activated", subject_id=str(worse.pk)).get().detail
    assert "specificity" in told["experimental"]


def test_what_meets_the_rule_may_join_and_follow_what_does_not(tmp_path, fit, manager):
    registry.retire(fit, by=manager, reason="For a moment.")
    worse = answers.active_version(tmp_path, version="7")
    registry.activate(fit, by=manager, reason="Better on the grouped split.")
    assert (state_of(worse), state_of(fit)) == ("active", "active")
    assert registry.fit_versions("ultrasound") == [fit]


def test_a_version_in_use_that_fails_a_new_evaluation_is_told_of(fit, manager, client_of):
    registry.record_evaluation(fit, {"figures": {"auc": {"value": 0.9}}}, data="a folder", by=manager)
    assert not Notice.objects.exists()
    registry.record_evaluation(fit, BAD, data="our own normals", by=manager)
    assert not fitness_of(fit).holds
    (notice,) = Notice.objects.filter(code="model.unfit")
    assert notice.user == manager
    (event,) = Event.objects.filter(verb="model.unfit")
    assert event.detail["experimental"] == {"specificity": "fails"}
    page = client_of(manager).get(f"/models/{fit.pk}/").content.decode()
    assert "Of normals of our own normals, from which it learnt nothing, 0.500" in page
    assert "Experimental: do not rely on it." in page
    assert state_of(fit) == "active", "a person decides"
    registry.retire(fit, by=manager, reason="Too many alarms here.")
    assert not Notice.objects.exists()


def test_an_evaluation_that_changes_nothing_is_no_news_of_what_was_experimental_before(
    tmp_path, fit, manager
):
    worse = answers.active_version(tmp_path, version="7")
    fine = {"figures": {"sensitivity": {"value": 0.9, "low": 0.8, "high": 1.0, "count": 50}}}
    for _ in range(2):
        registry.record_evaluation(worse, fine, data="our own cases", by=manager)
    assert Event.objects.filter(verb="model.unfit").count() == 1, "the sensitivity is known now"
    registry.record_evaluation(worse, BAD, data="our own normals", by=manager)
    registry.record_evaluation(worse, BAD, data="our own normals", by=manager)
    assert Event.objects.filter(verb="model.unfit").count() == 3, "a line that fails on it is news each time"


def test_what_it_learnt_from_proves_nothing(fit):
    registry.record_evaluation(fit, BAD | {"learnt_from": True}, data="its own normals", by=None)
    assert fitness_of(fit).holds


def test_a_later_card_of_the_same_weights_is_kept_once_and_told_of(fit, manager):
    worse = card(("a hospital", "normal", "specificity", 0.6))
    assert registry.renew(fit, GOOD_CARD) is None
    assert registry.renew(fit, worse)
    assert registry.renew(fit, worse) is None
    assert not fitness_of(fit).holds, "the newer figure of the same source counts"
    assert Notice.objects.filter(code="model.unfit", user=manager).exists()


def test_a_start_tells_once_of_what_no_longer_meets_the_rule(fit, manager, monkeypatch):
    monkeypatch.setattr(
        "inference.engine.fitness.rule.gate_figures",
        lambda _: gates.GateFigures(None, gates.GateFigure("", 0.99, 200)),
    )
    assert review() == [fit]
    assert review() == []
    assert Notice.objects.filter(code="model.unfit", user=manager).count() == 1


def test_the_models_page_shows_the_rule_and_what_fails_it(fit, tmp_path, alice, client_of, api):
    worse = answers.version(tmp_path, version="7")
    page = client_of(alice).get("/models/").content.decode()
    assert "The rule for use" in page
    assert page.count("experimental</span>") == 1
    own = client_of(alice).get(f"/models/{fit.pk}/").content.decode()
    assert "This version meets it." in own
    assert "No other source was tried." in own
    told = api(alice).get(f"/api/v1/models/{worse.pk}/").json()["fitness"]
    assert told["holds"] is False
    assert {one["code"]: one["state"] for one in told["conditions"]}["specificity"] == "unknown"
