"""The case page: what do I see, what does it say, and what is still to come?"""

import re

import answers
import pytest

from audit.models import Event
from cases import services
from cases.advice import service as advice_service
from cases.case_page.forms import FramesForm
from inference.engine.records import NotAnalysable
from inference.jobs import lease
from inference.models import Job, Prediction

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(db, tmp_path):
    return answers.active_version(tmp_path)


@pytest.fixture
def page(case, client_of, alice):
    """Alice's view of her case, as text without tags."""
    client = client_of(alice)

    def text(query: str = "") -> str:
        html = client.get(f"{case.get_absolute_url()}{query}").content.decode()
        return " ".join(re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.S).split())

    return text


def test_a_case_without_a_scan_asks_for_one(page):
    assert "Add the first scan" in page()


def test_an_auditor_is_not_asked_for_a_scan(case, client_of, auditor):
    html = client_of(auditor).get(case.get_absolute_url()).content.decode()
    assert "No scan yet" in html
    assert "<form" not in html.split("<main")[1].split("</main>")[0]


def test_an_answer_is_shown_with_its_probability_threshold_model_and_basis(
    case, alice, small_scan, version, page
):
    scan = small_scan(case, alice)
    answers.explanation(answers.answer(Job.objects.get(image=scan.image)), method="gradcam")
    shown = page()
    assert "Ventriculomegaly likely 0.75" in shown
    assert "From 0.50 on it counts as ventriculomegaly: a test." in shown
    assert f"{version.network} {version.version}" in shown
    assert "the only frame" in shown
    assert "Research and decision support, not a cleared device." in shown
    assert "Grad-CAM" in shown


def test_a_refusal_is_shown_with_its_reason_and_no_number(case, alice, small_scan, version, page):
    scan = small_scan(case, alice)
    answers.answer(Job.objects.get(image=scan.image), refusal=NotAnalysable("blank", "The picture is blank."))
    shown = page()
    assert "Not analysable" in shown
    assert "The picture is blank. (blank)" in shown
    assert "Calibrated probability" not in shown


def test_a_failed_job_is_shown_with_its_reason(case, alice, small_scan, version, page):
    small_scan(case, alice)
    lease.fail(lease.claim(Job.objects.get().pk)[0], "worker_lost", "The worker stopped answering.")
    assert "Answer failed. The worker stopped answering." in page()


def test_a_failed_job_can_be_asked_for_again(case, alice, small_scan, version, client_of, page):
    scan = small_scan(case, alice)
    failed = Job.objects.get()
    lease.fail(lease.claim(failed.pk)[0], "worker_lost", "The worker stopped answering.")
    assert "Try again" in page()
    client = client_of(alice)
    client.post(f"/scans/{scan.pk}/try-again/")
    assert Job.objects.get(state="queued").model_version == failed.model_version
    assert Job.objects.get(pk=failed.pk).state == "failed"
    assert "Try again" not in page()
    answers.answer(Job.objects.get(state="queued"))
    again = client.post(f"/scans/{scan.pk}/try-again/", follow=True)
    assert "Nothing is missing" in again.content.decode()
    assert Job.objects.count() == 2


def test_a_scan_no_model_was_there_for_can_be_asked_for_later(case, alice, small_scan, tmp_path, client_of):
    scan = small_scan(case, alice)
    assert not Job.objects.exists()
    version = answers.active_version(tmp_path)
    client_of(alice).post(f"/scans/{scan.pk}/try-again/")
    assert Job.objects.get().model_version == version


def test_where_a_job_stands_is_said_in_words(case, alice, small_scan, version, page):
    small_scan(case, alice, seed=1)
    small_scan(case, alice, seed=2)
    assert "1st in queue" in page("?scan=1")
    assert "2nd in queue" in page("?scan=2")
    held = lease.claim(Job.objects.earliest("created_at").pk)
    lease.heartbeat(held, "classifying")
    assert "Answer: classifying" in page("?scan=1")
    lease.retry(held[0], "fault", "a fault")
    assert "waiting for attempt 2" in page("?scan=1")


def test_the_page_asks_again_only_while_something_is_under_way(case, alice, small_scan, version, client_of):
    client = client_of(alice)
    scan = small_scan(case, alice)
    first = client.get(case.get_absolute_url())
    assert 'hx-trigger="every 1s"' in first.content.decode()
    where = f"/cases/{case.pk}/live/"
    seen = first.context["summary"].fingerprint
    assert client.get(where, {"scan": 1, "seen": seen}).status_code == 204
    prediction = answers.answer(Job.objects.get(image=scan.image))
    answers.explanation(prediction)
    changed = client.get(where, {"scan": 1, "seen": seen}).content.decode()
    assert "Ventriculomegaly likely" in changed
    assert "hx-trigger" not in changed
    assert 'id="timeline" hx-swap-oob="true"' in changed
    assert 'id="scan-state-1" hx-swap-oob="true"' in changed


def test_a_look_at_the_case_is_one_line_and_asking_again_is_none(case, alice, small_scan, version, client_of):
    client = client_of(alice)
    small_scan(case, alice)
    client.get(case.get_absolute_url())
    for _ in range(3):
        client.get(f"/cases/{case.pk}/live/", {"scan": 1})
    assert Event.objects.filter(verb="case.viewed", thread=case.thread).count() == 1


def test_other_frames_are_read_when_a_reader_says_so(case, alice, small_scan, version, client_of, page):
    scan = small_scan(case, alice, shape=(12, 8, 10))
    answers.answer(Job.objects.get(image=scan.image))
    response = client_of(alice).post(f"/scans/{scan.pk}/choose-frames/", {"frames": "2, 4-6"})
    assert response.headers["Location"].endswith("?scan=1")
    assert Job.objects.get(state="queued").parameters["frames"] == [1, 3, 4, 5]
    assert "Ventriculomegaly likely 0.75" in page(), "the earlier answer stays until the next one"
    answers.answer(Job.objects.get(state="queued"))
    assert "Earlier answers (1)" in page()


@pytest.mark.parametrize("typed", ["13", "0", "2-1", "", "two", "1,,2", "1;2"])
def test_frames_that_are_not_there_are_refused_in_words(typed, case, alice, small_scan, version, client_of):
    scan = small_scan(case, alice, shape=(12, 8, 10))
    client = client_of(alice)
    response = client.post(f"/scans/{scan.pk}/choose-frames/", {"frames": typed})
    assert response.status_code == 422
    assert 'id="id_frames_error"' in response.content.decode()
    assert Job.objects.count() == 1


def test_frames_are_counted_from_one():
    form = FramesForm({"frames": "1, 3–4"})
    assert form.is_valid()
    assert form.cleaned_data["frames"] == [0, 2, 3]


def test_a_scan_the_case_does_not_have_is_not_found(case, alice, small_scan, client_of):
    small_scan(case, alice)
    client = client_of(alice)
    assert client.get(f"{case.get_absolute_url()}?scan=2").status_code == 404
    assert client.get(f"{case.get_absolute_url()}?scan=x").status_code == 404


def test_demonstration_data_says_so_on_page_and_picture(alice, department, small_scan, client_of):
    case, _ = services.open_case(by=alice, department=department, patient_id="D-1", is_demo=True)
    small_scan(case, alice)
    html = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert "Demonstration data, no real patient" in html
    assert "screen-mark" in html


def test_a_scan_that_no_model_reads_says_so(case, alice, small_scan, page):
    small_scan(case, alice, look="mri")
    assert "No active model reads MRI scans." in page()


def test_a_waiting_job_can_be_cancelled_once(case, alice, small_scan, version, client_of, page):
    small_scan(case, alice)
    job = Job.objects.get()
    client = client_of(alice)
    client.post(f"/jobs/{job.pk}/cancel/")
    assert "It was cancelled." in page()
    again = client.post(f"/jobs/{job.pk}/cancel/", follow=True)
    assert "already over" in again.content.decode()


def test_the_timeline_tells_everyone_who_did_what(case, alice, bob, small_scan, version, client_of):
    small_scan(case, alice)
    answers.answer(Job.objects.get())
    for _ in range(3):
        client_of(bob).get(case.get_absolute_url())
    entries = client_of(alice).get(case.get_absolute_url()).context["timeline"]
    told = [(entry.who, entry.what, entry.times) for entry in entries]
    looks = [times for who, what, times in told if (who, what) == ("bob", "looked at the case")]
    assert sum(looks) == 3
    assert ("alice", "added a scan", 1) in told
    assert told[-1] == ("alice", "opened the case", 1)


def test_the_number_of_queries_does_not_grow_with_scans_and_answers(
    case, alice, small_scan, version, client_of, django_assert_num_queries
):
    client = client_of(alice)
    for seed in range(6):
        scan = small_scan(case, alice, seed=seed)
        answers.explanation(answers.answer(Job.objects.get(image=scan.image)))
    advice_service.give(case)
    client.get(case.get_absolute_url())
    # session, user, case, audit line, scans, jobs, explanations, repetitions, evaluations, timeline,
    # may write, roles;
    # how the reader stands to the case (4), measurements, calibrations, words about atria, what the models
    # call it (3);
    # checks, what became of advice, the advice, its answers; what files said of scans;
    # whether a department names the user (2), the draft, the patient's earlier cases
    with django_assert_num_queries(34):
        client.get(case.get_absolute_url())
    services.submit_scan(scan, by=alice)
    with django_assert_num_queries(31):  # and the places in the queue
        client.get(case.get_absolute_url())
    assert Prediction.objects.count() == 6
