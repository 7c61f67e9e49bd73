"""Who is told what, in which words."""

import re

import numpy as np
import pages
import pytest
from answers import active_version, answer
from conftest import member
from django.db import transaction
from django.utils import translation

from accounts.models import Role, User
from accounts.tokens import create_service_account
from cases import events, services
from cases.advice import service as advice_service
from cases.models import Case, ReadingRules, Scan
from cases.review import service as review
from inference import events as work_telling
from inference.engine.records import NotAnalysable
from inference.jobs import lease
from inference.jobs import state as jobs
from inference.models import Job
from inference.phantom import Defects, render, sample_spec
from inference.registry import service as registry
from notices.catalogue import KINDS
from notices.models import Notice

pytestmark = pytest.mark.django_db


def test_whoever_is_given_a_case_is_told_and_whoever_takes_one_knows(case, alice, bob, sees, bell):
    services.assign(case, bob, by=alice)
    assert sees(bob) == [f"alice gave you case {case.number}."]
    assert bell(bob) == "1 unread"
    assert sees(alice) == []
    services.assign(case, alice, by=alice)
    assert sees(bob) == [], "it is no longer his"
    assert sees(alice) == []
    assert bell(alice) == "none unread"


@pytest.fixture
def scan(case, alice, add_scan) -> Scan:
    return add_scan(case, alice)


def open_jobs(scan: Scan) -> list[Job]:
    return list(
        scan.image.jobs.filter(kind=Job.Kind.PREDICT, state=Job.State.QUEUED).order_by("model_version")
    )


def finish(job: Job, **said) -> None:
    """As a worker publishes, without running a network."""
    with transaction.atomic():
        work_telling.answered(job, answer(job, **said), digest="")


@pytest.fixture
def two(case, alice, add_scan, tmp_path, settings) -> list[Job]:
    """The two jobs of a scan, which are claimed one at a time."""
    settings.JOB_BATCH = 1
    return open_jobs(add_scan(case, alice))


def test_the_last_answer_tells_whoever_sent_the_scan_once(case, alice, bob, two, sees):
    first, second = two
    finish(first)
    assert sees(alice) == []
    finish(second)
    assert sees(alice) == [f"Scan 1 of case {case.number} was answered."]
    assert sees(bob) == []


def test_a_scan_that_no_model_could_analyse_is_told_as_that(case, alice, two, sees):
    for job in two:
        finish(job, refusal=NotAnalysable("no_head", "There is no head in the picture."))
    assert sees(alice) == [f"Scan 1 of case {case.number} could not be analysed."]


def test_a_failure_is_told_and_the_scan_is_still_answered_by_the_others(case, alice, two, sees):
    first, second = two
    finish(first)
    [held] = lease.claim(second.pk)
    lease.fail(held, "worker_lost", "gone")
    assert sees(alice) == [
        f"Scan 1 of case {case.number} was answered.",
        f"An answer about scan 1 of case {case.number} failed. You can ask again.",
    ]


def test_a_scan_of_which_every_answer_failed_is_told_as_failed_once(case, alice, two, sees):
    for job in two:
        [held] = lease.claim(job.pk)
        lease.fail(held, "worker_lost", "gone")
    assert sees(alice) == [f"An answer about scan 1 of case {case.number} failed. You can ask again."]


def test_cancelling_the_last_job_ends_the_wait(case, alice, bob, two, sees):
    first, second = two
    finish(first)
    services.cancel_job(second, by=bob)
    assert sees(alice) == [f"Scan 1 of case {case.number} was answered."]


def test_an_explanation_that_fails_is_told_to_whoever_asked_for_it(case, alice, bob, scan, run_jobs, sees):
    run_jobs(lime=False)
    prediction = scan.image.predictions.first()
    job, _ = services.explain(prediction, method="gradcam", class_label="normal", by=bob)
    if job.state != "queued":
        job, _ = services.explain(prediction, method="gradcam", class_label="ventriculomegaly", by=bob)
    Job.objects.exclude(pk=job.pk).filter(state="queued").update(state="cancelled")
    [held] = lease.claim(job.pk)
    lease.fail(held, "cannot_explain", "no")
    assert sees(bob) == [f"An explanation for scan 1 of case {case.number} failed. You can ask again."]
    assert sees(alice) == [f"Scan 1 of case {case.number} was answered."]


def test_a_program_that_sends_scans_gets_no_notices(case, department, add_scan, run_jobs):
    add_scan(case, create_service_account("scanner", department))
    run_jobs(lime=False)
    assert not Notice.objects.exists()


def test_what_is_rolled_back_is_told_to_nobody(case, alice, bob):
    class Broken(Exception): ...

    def break_off() -> None:
        services.assign(case, bob, by=alice)
        raise Broken

    with pytest.raises(Broken), transaction.atomic():
        break_off()
    assert not Notice.objects.exists()


@pytest.fixture
def blind(department) -> None:
    """The department reads first, and always twice."""
    ReadingRules.objects.filter(department=department).update(
        mode=ReadingRules.Mode.READER_FIRST, second_reader=ReadingRules.SecondReader.ALWAYS
    )


def read(case: Case, by: User, kind: str, finding: str = "normal") -> None:
    shown = pages.shown_now(case, by)
    review.file_read(case, by=by, kind=kind, finding=finding, reason="a reason", shown=shown)


@pytest.mark.usefixtures("scan", "blind")
def test_a_second_read_and_an_adjudication_are_wanted_of_those_who_may(
    case, department, alice, bob, charlie, auditor, sees
):
    carol, dora = member("carol", department, Role.READER), member("dora", department, Role.SENIOR_READER)
    for kind in ("blind", "final"):
        read(case, alice, kind)
    second = f"Case {case.number} waits for a second reader: you may be the one."
    assert sees(alice) == []
    assert sees(bob) == sees(carol) == sees(dora) == [second]
    assert sees(charlie) == sees(auditor) == []
    read(case, bob, "second", finding="ventriculomegaly")
    assert sees(dora) == [f"Case {case.number} waits for your adjudication."]
    assert sees(bob) == sees(carol) == sees(alice) == [], "it is no longer wanted of them"
    read(case, dora, "adjudication")
    assert sees(dora) == []


def test_no_notice_names_a_class_or_a_probability(case, alice, bob, two, blind, sees):
    for job in two:
        finish(job)
    for kind in ("blind", "final"):
        read(case, alice, kind)
    keys = {"case", "job", "scan"}  # random, so that any digits may stand in them
    stored = [str(notice.sentence) for notice in Notice.objects.all()]
    for notice in Notice.objects.all():
        stored += [str(value) for name, value in notice.parameters.items() if name not in keys]
    said = " ".join(stored).replace(case.number, "")
    assert Notice.objects.count() == 2
    for told in ("ventriculomegaly", "normal", "0.75", "75", "differ", "agree"):
        assert told not in said
    for kind in KINDS.values():
        assert not re.search(r"label|probab|finding|normal|ventricul", str(kind.says))


@pytest.fixture
def dark_patch(case, alice, add_scan, run_jobs) -> Case:
    """An MRI slice that lost its signal in one place: there is something to advise."""
    spec = sample_spec(np.random.default_rng(4), label="ventriculomegaly")
    png = render(spec, "mri", seed=2, defects=Defects(shadow=1.0)).png()
    add_scan(case, alice, look="mri", content=png)
    run_jobs(lime=False)
    Job.objects.filter(state=Job.State.QUEUED).update(state=Job.State.CANCELLED)
    Notice.objects.all().delete()
    return case


def test_advice_is_told_to_whoever_added_the_scan_once(dark_patch, alice, bob, sees):
    advice_service.catch_up()
    assert sees(alice) == [f"There is advice on the next acquisition for case {dark_patch.number}."]
    assert sees(bob) == []
    Notice.objects.all().delete()
    advice_service.give(dark_patch)
    assert sees(alice) == []


def test_advice_that_rests_on_answers_is_not_told_to_a_blind_reader(dark_patch, alice, sees, blind):
    advice_service.give(dark_patch)
    assert sees(alice) == [f"There is advice on the next acquisition for case {dark_patch.number}."]
    Notice.objects.all().delete()
    events.advised(dark_patch, dark_patch.advice.get(is_informed=True))
    assert sees(alice) == []


def test_a_training_tells_whoever_started_it(manager, alice, tmp_path, sees):
    asked = {"network": "cnn", "version": "3.0"}
    for end in (lambda held: lease.fail(held, "training_refused", "no"), trained):
        job = jobs.submit(Job.Kind.TRAIN, requested_by=manager, parameters=asked)
        [held] = lease.claim(job.pk)
        end(held)
    assert sees(manager) == ["Your training of cnn 3.0 has ended.", "Your training of cnn 3.0 failed."]
    assert sees(alice) == []


def trained(held: lease.Claim) -> None:
    with transaction.atomic():
        lease.finish(held)
        work_telling.trained(held.job)


def test_a_quarantined_version_is_told_to_those_who_manage_models(
    manager, alice, administrator, tmp_path, sees
):
    with translation.override("de"):
        registry.quarantine(active_version(tmp_path), reason="a test")
    assert sees(manager) == [
        "The model version cnn 0 (Ultrasound) was quarantined: its file is not what it was."
    ]
    with translation.override("de"):
        assert "cnn 0 (Ultraschall)" in Notice.objects.get(user=manager).sentence
    assert sees(alice) == sees(administrator) == []
