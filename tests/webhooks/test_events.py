"""What is told to whom: each event by its own act, to its department only, and nothing of a patient."""

import json
from pathlib import Path

import numpy as np
import pages
import pytest
from answers import active_version, advice, version
from celery import Celery, current_app
from django.urls import Resolver404, resolve
from django.utils import translation

from cases import services
from cases.advice import service as advice_service
from cases.models import Case, Scan
from cases.review import service as review
from inference.jobs import lease
from inference.models import Job
from inference.phantom import Defects, render, sample_spec
from inference.registry import service as registry
from webhooks import sender
from webhooks.catalogue import EVENTS, LINKS
from webhooks.models import Delivery
from webhooks.outbox import announce

pytestmark = pytest.mark.django_db

PATIENT = "P-1"


@pytest.fixture
def told(receiver):
    """Send everything that waits; the payloads by their event."""

    def send() -> dict[str, list[dict]]:
        sender.deliver()
        found: dict[str, list[dict]] = {}
        for message in receiver.messages:
            found.setdefault(message.payload["type"], []).append(message.payload)
        return found

    return send


@pytest.fixture
def signed_case(case, alice, add_scan, run_jobs, add_webhook) -> Case:
    """A case from its first scan to its addendum, through the program's own doors."""
    add_webhook()
    add_scan(case, alice)
    run_jobs(lime=False)
    review.file_read(
        case,
        by=alice,
        kind="final",
        finding="ventriculomegaly",
        note="Anna Smith",
        reason="x",
        shown=pages.shown_now(case, alice),
    )
    case.refresh_from_db()
    if case.stage != Case.Stage.TO_SIGN:
        pytest.fail(f"the case stands at {case.stage}")
    review.sign(case, by=alice, shown=pages.shown_now(case, alice))
    review.add_addendum(case, by=alice, text="Anna Smith was told.")
    return case


def test_a_case_from_scan_to_addendum_is_told(signed_case, told):
    found = told()
    assert set(found) == {"answer.ready", "explanation.ready", "case.signed", "case.amended"}
    assert len(found["answer.ready"]) == 2
    ready = found["answer.ready"][0]
    assert ready["version"] == 1
    assert ready["department"] == "fetal-medicine"
    assert ready["data"]["case"] == str(signed_case.pk)
    assert ready["data"]["scan_number"] == 1
    assert ready["data"]["analysable"] is True
    assert {one["data"]["method"] for one in found["explanation.ready"]} == {"gradcam"}
    assert (
        found["case.amended"][0]["data"]["previous_sha256"]
        == found["case.signed"][0]["data"]["content_sha256"]
    )


def test_no_message_names_a_patient_a_person_a_finding_or_what_a_model_said(signed_case, told, receiver):
    told()
    said = " ".join(message.body.decode() for message in receiver.messages)
    hidden = (PATIENT, "Anna", "alice", "ventriculomegaly", "probability", "label", "finding", "note")
    assert [word for word in hidden if word in said] == []


def test_every_link_leads_to_an_address_of_the_api_that_exists(signed_case, told, api, alice):
    program = api(alice)
    links = {link for payloads in told().values() for one in payloads for link in one["links"].values()}
    assert links
    for link in links:
        assert program.get(link).status_code == 200, link
    for path in LINKS.values():
        try:
            resolve(path.format("00000000-0000-0000-0000-000000000000"))
        except Resolver404:
            pytest.fail(f"{path} is no address")


def test_a_message_is_the_same_whatever_language_the_person_at_work_has_chosen(tmp_path, add_webhook, told):
    add_webhook()
    with translation.override("de"):
        made = active_version(tmp_path)
        assert str(made) == "cnn 0 (Ultraschall)"
    (message,) = told()["model.activated"]
    assert message["data"]["model_version"] == "cnn 0 (Ultrasound)"


def test_another_departments_events_are_never_sent(
    signed_case, told, other_department, charlie, happen, add_webhook
):
    before = Delivery.objects.count()
    happen("case.signed", other_department)
    theirs, _ = services.open_case(by=charlie, department=other_department, patient_id="P-9")
    assert Delivery.objects.count() == before
    assert str(theirs.pk) not in json.dumps(told())


def test_an_event_that_was_not_chosen_is_not_written(add_webhook, happen):
    add_webhook(events=["case.amended"])
    happen("case.signed")
    assert not Delivery.objects.exists()


def test_an_unknown_event_and_one_of_no_department_are_mistakes_of_ours(department):
    with pytest.raises(KeyError):
        announce("case.sighed", department=department)
    with pytest.raises(ValueError, match="say which"):
        announce("case.signed", department=None)


def test_a_failed_job_is_told_with_its_code_without_its_detail(case, alice, add_scan, add_webhook, told):
    add_webhook()
    scan = add_scan(case, alice)
    held, *_ = lease.claim(scan.image.jobs.first().pk)
    lease.fail(held, "input_corrupt", "The file of Anna Smith is damaged.")
    [failed] = told()["job.failed"]
    assert failed["data"]["code"] == "input_corrupt"
    assert failed["data"]["kind"] == "predict"
    assert "Anna" not in json.dumps(failed)


def test_models_that_come_into_use_or_are_quarantined_are_told_to_every_department(
    tmp_path, add_webhook, told
):
    add_webhook()
    made = active_version(tmp_path)
    registry.quarantine(made, reason="a test")
    found = told()
    assert set(found) == {"model.activated", "model.quarantined"}
    assert found["model.quarantined"][0]["data"]["weights_sha256"] == made.weights_sha256


def test_a_candidates_unseen_work_is_told_to_nobody(case, alice, add_scan, tmp_path, add_webhook):
    candidate = version(tmp_path, version="9")
    registry.start_shadow(candidate, by=None, reason="a test")
    add_webhook()
    scan = add_scan(case, alice)
    scan.image.jobs.exclude(kind=Job.Kind.SHADOW).update(state=Job.State.CANCELLED)
    [held] = lease.claim(scan.image.jobs.get(kind=Job.Kind.SHADOW).pk)
    lease.fail(held, "worker_lost", "gone")
    assert not Delivery.objects.exists()


@pytest.fixture
def dark_patch(case, alice, add_scan, run_jobs) -> Scan:
    """An MRI slice that lost its signal in one place: there is something to advise."""
    spec = sample_spec(np.random.default_rng(4), label="ventriculomegaly")
    scan = add_scan(
        case, alice, look="mri", content=render(spec, "mri", seed=2, defects=Defects(shadow=1.0)).png()
    )
    run_jobs(lime=False)
    Job.objects.filter(state=Job.State.QUEUED).update(state=Job.State.CANCELLED)
    return scan


def test_the_advice_is_in_the_message_with_its_reasons(dark_patch, add_webhook, told):
    add_webhook()
    advice_service.catch_up()
    [given] = told()["advice.given"]
    mend = next(one for one in given["data"]["suggestions"] if one["why"])
    assert mend["action"]
    assert mend["scan"] == 1
    assert {"name", "value", "threshold", "rule", "source"} <= set(mend["why"][0])
    assert given["data"]["is_informed"] is True
    advice_service.give(dark_patch.case)
    assert len(told()["advice.given"]) == 1, "the same advice is given once"


def test_what_became_of_an_advice_is_told_without_the_persons_words(case, alice, add_scan, add_webhook, told):
    add_scan(case, alice)
    add_webhook()
    given = advice(case)
    advice_service.answer(given, 0, by=alice, outcome="declined", reason="Anna Smith left.")
    [answered] = told()["advice.answered"]
    assert answered["data"] == {
        "case": str(case.pk), "case_number": case.number, "advice": str(given.pk), "place": 0,
        "action": "repeat_plane", "outcome": "declined", "follow_up": None,
    }  # fmt: skip


def test_an_endpoint_that_is_down_neither_delays_nor_fails_the_job(
    case, alice, add_scan, run_jobs, add_webhook, settings
):
    add_webhook(address="http://127.0.0.1:1/")
    add_scan(case, alice)
    run_jobs(lime=False)
    assert not Job.objects.filter(state="failed").exists()
    assert Delivery.objects.filter(state="waiting", attempts=0).count() >= 2, "a worker calls nobody"


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_does_not_stop_what_happens(add_webhook, happen, receiver, monkeypatch):
    add_webhook()
    alive = current_app._get_current_object()
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    dead = Celery("dead", task_publish_retry_policy=alive.conf.task_publish_retry_policy)
    dead.conf.broker_transport_options = alive.conf.broker_transport_options
    dead.set_current()
    try:
        happen()
    finally:
        alive.set_current()
    assert Delivery.objects.get().state == "waiting"
    sender.deliver()
    assert len(receiver.messages) == 1


def test_every_event_is_described_in_the_docs():
    page = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text()
    assert [name for name in EVENTS if f"`{name}`" not in page] == []
