"""A candidate answers the same scans unseen, and what it said supports the decision to put it into use."""

from datetime import timedelta

import answers
import pytest
from conftest import PASSWORD
from django.test import Client
from django.urls import reverse
from pages import without_clock_times
from refused import refused
from scipy import stats

from accounts.tokens import issue_token
from audit.models import Event
from cases import services, withdrawal
from cases.case_page import summary as case_summary
from cases.review import calls
from inference.engine.records import NotAnalysable
from inference.jobs import lease
from inference.models import Activation, Job, ModelVersion, Prediction
from inference.registry import comparison
from inference.registry import service as registry
from inference.results import verify as verification

pytestmark = pytest.mark.django_db
REASON = "Trained on another split."


@pytest.fixture
def holder(tmp_path):
    return answers.active_version(tmp_path)


@pytest.fixture
def candidate(tmp_path, holder):
    found = answers.version(tmp_path, version="1")
    registry.start_shadow(found, by=None, reason=REASON)
    return found


@pytest.fixture
def scan(case, alice, candidate, small_scan):
    return small_scan(case, alice)


def job_of(scan, version) -> Job:
    return Job.objects.get(image=scan.image, model_version=version)


def answer_both(scan, holder, candidate, label="ventriculomegaly", refusal=None) -> Prediction:
    answers.answer(job_of(scan, holder))
    return answers.answer(job_of(scan, candidate), label=label, refusal=refusal)


def test_a_candidate_is_asked_too_last_and_outside_the_case(scan, holder, candidate):
    asked = Job.objects.get(model_version=candidate)
    assert (asked.kind, asked.thread) == ("shadow", "")
    assert asked.priority < job_of(scan, holder).priority
    assert list(registry.active_versions("ultrasound")) == [holder]
    assert list(registry.shadow_versions("ultrasound")) == [candidate]


def test_nobody_is_shown_what_a_candidate_answered(scan, case, alice, holder, candidate, client_of):
    hidden = answer_both(scan, holder, candidate, label="normal")
    case_page = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert str(candidate.pk) not in case_page
    assert "0.25" not in without_clock_times(case_page)
    (read,) = case_summary.summarise(case).scans
    assert [answer.version for answer in read.answers] == [holder]
    newest = calls.newest_answers([scan.image_id])[scan.image_id]
    assert [answer.model_version for answer in newest] == [holder]
    program = Client(headers={"Authorization": f"Token {issue_token(alice, lifetime=timedelta(hours=1))}"})
    assert program.get(reverse("api:prediction", args=[hidden.pk])).status_code == 404
    assert program.get(reverse("api:job", args=[hidden.job_id])).status_code == 404
    told = program.get(reverse("api:scan", args=[scan.pk])).json()
    assert [job["model_version"]["version"] for job in told["jobs"]] == ["0"]
    assert not Event.objects.filter(thread=case.thread, subject_id=str(hidden.pk)).exists()


def test_a_candidates_open_or_failed_work_does_not_hold_up_a_case(scan, case, alice, holder, candidate):
    answers.answer(job_of(scan, holder))
    progress = type(case).objects.visible_to(alice).with_progress().get(pk=case.pk).progress
    assert progress == "answered"
    held = next(one for one in lease.claim(job_of(scan, candidate).pk) if one.job.model_version == candidate)
    lease.fail(held, "worker_lost", "The worker stopped answering.")
    assert type(case).objects.visible_to(alice).with_progress().get(pk=case.pk).progress == "answered"
    assert services.try_again(scan, by=alice) == []


def test_a_version_that_comes_into_use_is_asked_again_in_the_open(scan, alice, holder, candidate, manager):
    answer_both(scan, holder, candidate)
    registry.activate(candidate, by=manager, reason=REASON)
    assert not registry.is_shadow(candidate)
    (asked,) = services.try_again(scan, by=alice)
    assert (asked.model_version, asked.kind) == (candidate, "predict")


def test_one_candidate_for_each_network_and_its_history_is_kept(candidate, holder, tmp_path, manager):
    second = answers.version(tmp_path, version="2")
    registry.start_shadow(second, by=manager, reason=REASON)
    assert list(registry.shadow_versions("ultrasound")) == [second]
    registry.stop_shadow(second, by=manager, reason=REASON)
    seats = Activation.objects.filter(role="shadow:cnn").order_by("started_at")
    assert [seat.model_version for seat in seats] == [candidate, second]
    assert all(seat.ended_at for seat in seats)
    with refused("illegal_move", match="answers no scans unseen"):
        registry.stop_shadow(second, by=manager, reason=REASON)
    with refused("illegal_move", match="is active"):
        registry.start_shadow(holder, by=manager, reason=REASON)
    assert Event.objects.filter(verb="model.shadow_started", actor_id=manager.pk).count() == 1


def test_a_quarantined_candidate_is_asked_no_longer(candidate):
    registry.quarantine(candidate, reason="Its file has changed.")
    assert list(registry.shadow_versions("ultrasound")) == []


@pytest.fixture
def pairs(case, alice, holder, candidate, small_scan):
    """Eight scans: five alike, two that only the candidate calls normal, one it cannot analyse."""
    for number in range(8):
        scan = small_scan(case, alice, seed=number)
        refusal = (
            NotAnalysable("not_a_head", "This does not look like a fetal head.") if number == 7 else None
        )
        answer_both(
            scan,
            holder,
            candidate,
            label="normal" if number in {5, 6} else "ventriculomegaly",
            refusal=refusal,
        )


def test_two_versions_are_compared_on_the_scans_that_both_answered(pairs, holder, candidate):
    found = comparison.compare(candidate, holder)
    assert (found.scans, found.refused) == (8, (1, 0))
    assert found.calls == {(True, True): 5, (True, False): 0, (False, True): 2, (False, False): 0}
    assert (found.agreement.value, found.agreement.count) == (pytest.approx(5 / 7), 7)
    assert found.kappa == pytest.approx(0.0)
    assert found.p_value == pytest.approx(0.5)
    assert len(found.differing) == 3


def test_a_worker_answers_for_a_candidate_and_explains_nothing(case, alice, add_scan, run_jobs):
    candidate = ModelVersion.objects.get(network="modified_cnn", modality="ultrasound")
    registry.retire(candidate, by=None, reason=REASON)
    registry.start_shadow(candidate, by=None, reason=REASON)
    scan = add_scan(case, alice)
    run_jobs()
    unseen = Prediction.objects.get(model_version=candidate)
    assert (unseen.job.kind, unseen.analysable) == ("shadow", True)
    assert not unseen.explanations.exists()
    assert Prediction.objects.shown().get(image=scan.image).explanations.count() == 2
    assert list(verification.faults()) == []


@pytest.mark.parametrize(("first", "second"), [(0, 2), (3, 3), (12, 3), (1, 0), (40, 71)])
def test_mcnemars_test_is_scipys_exact_binomial(first, second):
    expected = stats.binomtest(first, first + second, 0.5).pvalue
    assert comparison.mcnemar(first, second) == pytest.approx(expected, rel=1e-9)


def measured(*chances: float) -> dict:
    """A card with answers about three pictures of each class, one group each."""
    return {"held_out_answers": [[int(n < 3), chance, n] for n, chance in enumerate(chances)]}


def test_labelled_pictures_that_both_cards_measured_give_the_difference_in_auc(tmp_path, manager):
    old = answers.active_version(tmp_path, version="4", card=measured(0.9, 0.8, 0.4, 0.5, 0.2, 0.1))
    new = answers.version(tmp_path, version="5", card=measured(0.9, 0.8, 0.7, 0.3, 0.2, 0.1))
    found = comparison.compare(new, old).auc_difference
    assert found.value == pytest.approx(1 / 9)
    assert found.low <= found.value <= found.high


def test_a_manager_lets_a_candidate_answer_compares_and_stops_it(
    pairs, candidate, holder, manager, alice, client_of
):
    page = client_of(manager)
    shown = page.get(f"/models/{candidate.pk}/").content.decode()
    assert "answers unseen" in shown
    assert "Compare with 0" in shown
    compared = page.get(f"/models/{candidate.pk}/compare/").content.decode()
    assert "71% (" in compared
    assert "McNemar" in compared
    assert "not analysable" in compared
    sent = {"reason": REASON, "password": PASSWORD}
    page.post(f"/models/{candidate.pk}/stop-shadow/", sent)
    assert not registry.is_shadow(candidate)
    page.post(f"/models/{candidate.pk}/start-shadow/", sent)
    assert registry.is_shadow(candidate)
    assert client_of(alice).get(f"/models/{candidate.pk}/compare/").status_code == 200
    assert "Nothing to compare with" in page.get(f"/models/{holder.pk}/compare/").content.decode()


def test_who_answered_when_names_no_candidate(candidate, auditor, client_of):
    page = client_of(auditor).get("/models/at/", {"at": "2100-01-01T00:00"}).content.decode()
    assert "cnn 0" in page
    assert "cnn 1" not in page


def test_answers_about_a_withdrawn_scan_are_not_compared(scan, case, alice, holder, candidate, small_scan):
    answer_both(scan, holder, candidate, label="normal")
    other = small_scan(case, alice, seed=2)
    answer_both(other, holder, candidate)
    assert comparison.compare(candidate, holder).scans == 2
    withdrawal.withdraw_scan(scan, by=alice, reason="wrong_modality")
    found = comparison.compare(candidate, holder)
    assert found.scans == 1
    assert not found.differing, "nor shown as one that differs"
    assert found.calls[True, True] == 1
