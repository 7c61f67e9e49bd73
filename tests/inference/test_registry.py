"""A version comes into use for a reason, by somebody, and its history can be looked up for ever."""

from datetime import UTC, datetime, timedelta

import answers
import pytest
from conftest import PASSWORD
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from refused import refused

from audit.models import Event
from inference.models import Activation, ModelVersion
from inference.registry import service as registry
from inference.results import verify as verification

pytestmark = pytest.mark.django_db

REASON = "Better on the grouped split."


@pytest.fixture
def first(tmp_path) -> ModelVersion:
    return answers.active_version(tmp_path)


@pytest.fixture
def second(tmp_path, first) -> ModelVersion:
    return answers.version(tmp_path, version="1")


@pytest.fixture
def draft(tmp_path) -> ModelVersion:
    return answers.version(tmp_path, version="9", card={})


def state_of(version: ModelVersion) -> str:
    return ModelVersion.objects.values_list("state", flat=True).get(pk=version.pk)


def test_activating_a_version_retires_the_one_before_and_leaves_no_gap(first, second, manager):
    registry.activate(second, by=manager, reason=REASON)
    assert (state_of(first), state_of(second)) == ("retired", "active")
    old, new = Activation.objects.order_by("started_at")
    assert old.ended_at is not None
    assert old.ended_at <= new.started_at
    assert list(registry.active_versions("ultrasound")) == [second]


def test_a_draft_cannot_answer_until_it_has_been_measured(draft, manager):
    with refused("illegal_move", match="is draft and cannot become active"):
        registry.activate(draft, by=manager, reason=REASON)
    registry.record_evaluation(draft, {"auc": 0.9}, data="a labelled folder", by=manager)
    registry.activate(draft, by=manager, reason=REASON)
    assert state_of(draft) == "active"
    assert Event.objects.filter(verb="model.evaluated", actor_id=manager.pk).exists()


def test_one_step_goes_back_to_the_version_before(first, second, manager):
    registry.activate(second, by=manager, reason=REASON)
    registry.roll_back(second, by=manager, reason="Too many alarms since Monday.")
    assert list(registry.active_versions("ultrasound")) == [first]
    assert state_of(second) == "retired"


def test_a_quarantined_version_is_never_gone_back_to(first, second, manager):
    registry.activate(second, by=manager, reason=REASON)
    registry.quarantine(first, reason="The file has changed.")
    with refused("illegal_move", match="no earlier version"):
        registry.roll_back(second, by=manager, reason=REASON)
    with refused("illegal_move", match="is quarantined"):
        registry.activate(first, by=manager, reason=REASON)


def test_a_retired_version_leaves_its_seat_empty(first, manager):
    registry.retire(first, by=manager, reason="The probe is gone.")
    assert list(registry.active_versions("ultrasound")) == []
    with refused("illegal_move"):
        registry.retire(first, by=manager, reason=REASON)


def test_every_illegal_move_is_refused(first):
    for state, moves in registry.MOVES.items():
        for to in set(ModelVersion.State) - moves:
            first.state = state
            with refused("illegal_move"):
                registry._refuse_illegal(first, to)


def test_which_version_answered_at_a_moment_has_one_answer(first, second, manager):
    before = timezone.now()
    registry.activate(second, by=manager, reason=REASON)
    assert [seat.model_version for seat in registry.seats_at(before)] == [first]
    assert [seat.model_version for seat in registry.seats_at(timezone.now())] == [second]
    assert list(registry.seats_at(datetime(2020, 1, 1, tzinfo=UTC))) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE inference_modelversion SET threshold = 0.9",
        "UPDATE inference_modelversion SET card = '{}'",
        "DELETE FROM inference_modelversion",
        "UPDATE inference_activation SET reason = 'another'",
        "UPDATE inference_activation SET started_at = started_at - interval '1 day'",
        "DELETE FROM inference_activation",
    ],
)
def test_the_database_refuses_to_rewrite_a_version_or_its_history(change, first):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_the_end_of_an_interval_is_written_once(first, second, manager):
    registry.activate(second, by=manager, reason=REASON)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Activation.objects.filter(model_version=first).update(ended_at=timezone.now())


def test_two_versions_cannot_have_held_one_seat_at_the_same_time(first, second):
    with pytest.raises(DatabaseError, match="one_version_at_any_time"), transaction.atomic():
        Activation.objects.create(
            model_version=second,
            modality="ultrasound",
            role="cnn",
            reason="a forgery",
            started_at=timezone.now() - timedelta(days=1),
            ended_at=timezone.now() + timedelta(days=1),
        )


def test_another_file_under_a_taken_name_is_refused(tmp_path, first):
    with refused("version_exists", match="exists already with another weights file"):
        answers.version(tmp_path, version="0", content=b"other bytes")


def test_a_model_manager_activates_with_reason_and_password(first, second, manager, client_of):
    page = client_of(manager)
    shown = page.get(f"/models/{second.pk}/activate/").content.decode()
    assert "Answers now" in shown
    done = page.post(f"/models/{second.pk}/activate/", {"reason": REASON, "password": PASSWORD}, follow=True)
    assert "answers from now on" in done.content.decode()
    (event,) = Event.objects.filter(verb="model.activated", actor_id=manager.pk)
    assert event.detail["reason"] == REASON


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"reason": REASON, "password": "wrong"}, "This is not your password"),
        ({"reason": "short", "password": PASSWORD}, "at least 10 characters"),
        ({"password": PASSWORD}, "This field is required"),
    ],
)
def test_nothing_changes_without_password_and_reason(sent, said, first, second, manager, client_of):
    refused = client_of(manager).post(f"/models/{second.pk}/activate/", sent)
    assert refused.status_code == 422
    assert said in refused.content.decode()
    assert list(registry.active_versions("ultrasound")) == [first]


def test_guessing_the_password_here_is_slowed(first, second, manager, client_of):
    page = client_of(manager)
    for _ in range(10):
        page.post(f"/models/{second.pk}/activate/", {"reason": REASON, "password": "wrong"})
    page.post(f"/models/{second.pk}/activate/", {"reason": REASON, "password": PASSWORD})
    assert list(registry.active_versions("ultrasound")) == [first], "even the right one must wait"


@pytest.mark.parametrize("who", ["alice", "bob", "auditor", "administrator"])
def test_only_a_model_manager_changes_which_version_answers(who, first, second, client_of, request):
    page = client_of(request.getfixturevalue(who))
    sent = {"reason": REASON, "password": PASSWORD}
    assert page.post(f"/models/{second.pk}/activate/", sent).status_code == 403
    assert list(registry.active_versions("ultrasound")) == [first]


def test_the_buttons_show_what_is_legal_and_only_to_those_who_may(first, second, manager, alice, client_of):
    registry.activate(second, by=manager, reason=REASON)
    active = client_of(manager).get(f"/models/{second.pk}/").content.decode()
    assert "Go back to the version before" in active
    assert "Put into use" not in active
    assert "Put into use" in client_of(manager).get(f"/models/{first.pk}/").content.decode()
    assert "Take out of use" not in client_of(alice).get(f"/models/{second.pk}/").content.decode()


def test_an_auditor_looks_up_who_answered_when_in_their_own_time(first, second, manager, auditor, client_of):
    registry.activate(second, by=manager, reason=REASON)
    auditor.time_zone = "Asia/Tokyo"
    auditor.save()
    tokyo = timezone.now() + timedelta(hours=9, minutes=1)
    found = client_of(auditor).get("/models/at/", {"at": f"{tokyo:%Y-%m-%dT%H:%M}"}).content.decode()
    assert "cnn 1" in found
    early = client_of(auditor).get("/models/at/", {"at": "2020-01-01T14:02"}).content.decode()
    assert "Nobody: no version was in use then." in early
    assert client_of(auditor).get("/models/at/", {"at": "yesterday"}).status_code == 422


def test_verification_names_a_version_whose_state_and_seat_disagree(first, intruder):
    assert list(verification.faults()) == []
    intruder("UPDATE inference_modelversion SET state = 'retired' WHERE id = %s", [str(first.pk)])
    (fault,) = verification.faults()
    assert str(first) in fault
    assert "its seat says otherwise" in fault


def test_verification_names_a_version_with_other_weights_than_it_was_registered_with(first, second, intruder):
    intruder(
        "UPDATE inference_modelversion SET weights_id = %s WHERE id = %s",
        [second.weights_sha256, str(first.pk)],
    )
    (fault,) = verification.faults()
    assert str(first) in fault
    assert "does not have the weights it was registered with" in fault
