"""Which model answers and why that one; is anything stuck?"""

import re
from datetime import timedelta

import answers
import numpy as np
import pytest
from conftest import member
from django.db.models.functions import Now

from accounts.models import Membership, Role
from audit.models import Event
from blobs import store
from cases import events, services
from cases.models import Scan
from inference.formats.stack import PictureStack
from inference.jobs import lease, presence, queue
from inference.jobs import state as jobs
from inference.models import Job, ModelVersion, Worker
from inference.registry import cards
from inference.results import images

pytestmark = pytest.mark.django_db

CARD = {
    "intended_use": "A second opinion.",
    "known_biases": ["Normal and dilated heads come from different sources."],
    "figures": {
        "auc": {"value": 0.931, "low": 0.88, "high": 0.96, "count": 214},
        "sensitivity": {"value": 0.95, "low": 0.9, "high": 0.98},
        "calibration_error": 0.0412,
    },
    "split": {"train": {"patients": 301, "pictures": 812}, "test": {"patients": 77, "pictures": 214}},
    "predictive_values": [{"prevalence": 0.01, "positive_predictive_value": 0.05}],
}


@pytest.fixture
def version(db, tmp_path) -> ModelVersion:
    return answers.active_version(tmp_path, card=CARD)


def test_the_models_page_says_which_version_answers_and_how_well(version, client_of, alice):
    page = client_of(alice).get("/models/").content.decode()
    assert "Active" in page
    assert "0.931 (0.880 to 0.960, n = 214)" in page


def test_a_model_card_shows_every_figure_with_its_interval(version, client_of, alice):
    page = client_of(alice).get(f"/models/{version.pk}/").content.decode()
    for said in (
        "0.950 (0.900 to 0.980)",
        "Known biases",
        "different sources",
        "0.0412",
        "301",
        "A second opinion.",
    ):
        assert said in page


def held_out(**figures: float) -> dict:
    """A card with these figures, each with an interval of 0.02 to either side."""
    return {
        "held_out": {
            name: {"value": value, "low": value - 0.02, "high": value + 0.02, "count": 50}
            for name, value in figures.items()
        }
    }


def test_the_models_page_sorts_versions_by_any_of_their_figures(tmp_path, client_of, alice):
    for name, auc, sensitivity in (("1", 0.7, 0.9), ("2", 0.9, 0.7), ("3", 0.8, 0.8)):
        answers.version(
            tmp_path, version=name, card=held_out(auc=auc, sensitivity=sensitivity, specificity=0.9)
        )
    client = client_of(alice)

    def order(sort: str) -> list[str]:
        page = client.get(f"/models/?sort={sort}").content.decode()
        return re.findall(r"</a> (\d)</td>", page)

    assert order("auc") == ["2", "3", "1"]
    assert order("sensitivity") == ["1", "3", "2"]
    assert order("network") == ["1", "2", "3"]
    assert sorted(order("whatever")) == ["1", "2", "3"]


def test_a_figure_is_drawn_where_it_lies_and_says_when_it_is_too_low(tmp_path, client_of, alice):
    answers.version(tmp_path, card=held_out(auc=0.7, sensitivity=0.5, specificity=0.9))
    page = client_of(alice).get("/models/").content.decode()
    assert '<rect x="68.0"' in page
    assert 'd="M70.0 0v8"' in page
    assert "0.680 to 0.720" in page
    assert "too low" in page, "of ventriculomegaly half is found, and the rule asks for more"
    assert "not measured" in page, "no source was left out"


@pytest.mark.parametrize("strange", [True, "0.9", 1.7, -0.1, {"value": "high"}, [0.9]])
def test_a_strange_figure_of_a_card_is_no_figure(strange, tmp_path, client_of, alice):
    answers.version(tmp_path, card={"held_out": {"auc": strange, "sensitivity": 0.8}})
    assert client_of(alice).get("/models/?sort=auc").status_code == 200


def test_a_version_without_a_card_is_not_to_be_relied_on(tmp_path, client_of, alice):
    version = answers.version(tmp_path, card={})
    page = client_of(alice).get(f"/models/{version.pk}/").content.decode()
    assert "This version has no card." in page


def test_headline_figures_come_from_the_first_part_that_has_any():
    card = {"held_out_phantoms": {"auc": 0.99}, "held_out": {"auc": 0.9}, "confound": {"auc": 0.7}}
    assert cards.headlines(card) == [("AUC, held out", "0.9")]


def test_alike_parts_of_a_card_become_one_table():
    (split,) = [section for section in cards.sections(CARD) if section.title == "Split"]
    (table,) = split.tables
    assert table.columns == ("", "Patients", "Pictures")
    assert table.rows == (("Train", "301", "812"), ("Test", "77", "214"))


def test_the_models_page_asks_the_database_as_often_for_many_versions(
    version, client_of, alice, django_assert_num_queries
):
    for number in range(5):
        ModelVersion.objects.create(
            network="cnn", version=f"9.{number}", modality="mri", weights=version.weights, labels=[],
            threshold=0.5, temperature=1,
        )  # fmt: skip
    client = client_of(alice)
    with django_assert_num_queries(9):  # session, user, role twice, versions, seats, memberships, notices
        client.get("/models/")


@pytest.fixture
def waiting(alice, version, department) -> list[Job]:
    """Three jobs on a scan of Alice's department."""
    original = store.put(b"a scan")
    stack = PictureStack(np.zeros((1, 8, 10), np.uint8), "ultrasound", original.sha256, "png")
    image = images.create(stack, original=original, pixels=images.put_pixels(stack))
    case, _ = services.open_case(by=alice, department=department, patient_id="P-1")
    scan = Scan.objects.create(
        case=case, number=1, image=image, original_sha256=original.sha256, added_by=alice
    )
    return [
        jobs.submit(
            Job.Kind.PREDICT,
            image=image,
            model_version=version,
            requested_by=alice,
            thread=case.thread,
            priority=priority,
            about=events.about(scan),
        )
        for priority in (0, 20, 0)
    ]


def test_places_in_the_queue_follow_urgency_then_age(waiting):
    first, urgent, last = (job.pk for job in waiting)
    assert queue.positions([first, urgent, last]) == {urgent: 1, first: 2, last: 3}
    lease.claim(urgent)
    assert queue.positions([first, urgent, last]) == {}, "one claim takes all that are alike"


def test_the_queue_page_shows_what_waits_what_runs_and_what_failed(waiting, client_of, bob, settings):
    settings.JOB_BATCH = 1
    client = client_of(bob)
    (held,) = lease.claim(waiting[0].pk)
    lease.fail(held, "input_corrupt", "The blob has changed.")
    lease.claim(waiting[0].pk)
    found = client.get("/queue/").context["queue"]
    assert found.counts == {"queued": 1, "running": 1, "succeeded": 0, "failed": 1, "cancelled": 0}
    assert "The blob has changed." in client.get("/queue/").content.decode()
    assert found.oldest_wait_since is not None


def failed(job: Job) -> Job:
    (held,) = lease.claim(job.pk)
    lease.fail(held, "worker_lost", "The worker that held the job stopped answering.")
    return held.job


def test_failed_work_is_asked_for_again_once_as_a_new_job(waiting, client_of, bob, settings):
    settings.JOB_BATCH = 1
    job = failed(waiting[0])
    Job.objects.exclude(pk=job.pk).delete()
    client = client_of(bob)
    assert f"/jobs/{job.pk}/again/" in client.get("/queue/").content.decode()
    client.post(f"/jobs/{job.pk}/again/", {"back": "queue"})
    page = client.post(f"/jobs/{job.pk}/again/", {"back": "queue"}, follow=True).content.decode()
    assert "nothing was changed" in page
    assert f"/jobs/{job.pk}/again/" not in page, "what was asked again is not offered again"
    new = Job.objects.get(state="queued")
    assert (new.kind, new.image, new.model_version, new.thread) == (
        job.kind, job.image, job.model_version, job.thread,
    )  # fmt: skip
    assert new.requested_by == bob
    assert Job.objects.get(pk=job.pk).state == "failed", "the failure stays on record"
    assert Event.objects.filter(verb="job.queued", subject_id=str(new.pk)).get().actor_id == bob.pk


def test_only_failed_work_on_a_scan_is_asked_for_again(waiting, client_of, bob, manager):
    check = jobs.submit(Job.Kind.CHECK, requested_by=manager)
    for job in waiting[1:2]:
        client_of(bob).post(f"/jobs/{job.pk}/again/", {"back": "queue"})
    Job.objects.filter(pk__in=[job.pk for job in waiting]).update(state="cancelled")
    failed(check)
    client_of(bob).post(f"/jobs/{check.pk}/again/")
    assert Job.objects.count() == len(waiting) + 1


def test_a_worker_is_alive_while_it_says_so_and_lost_when_its_lease_is_over(
    waiting, client_of, manager, settings
):
    client = client_of(manager)
    assert "No worker has said that it is there" in client.get("/queue/").content.decode()
    presence.arrive(settings.JOB_QUEUE)
    presence.runs_on("cpu")
    lease.claim(waiting[0].pk)
    (one,) = client.get("/queue/").context["queue"].workers
    assert (one.is_lost, one.worker.device, len(one.jobs)) == (False, "cpu", 3)
    assert not client.get("/queue/").context["queue"].unheard

    Worker.objects.update(lease_until=Now() - timedelta(seconds=1))
    presence.forget_lost()
    page = client.get("/queue/")
    (one,) = page.context["queue"].workers
    assert one.is_lost
    assert "lost" in page.content.decode()

    assert presence.beat(), "it was only slow"
    assert not client.get("/queue/").context["queue"].workers[0].is_lost
    Worker.objects.update(lease_until=Now() - timedelta(hours=25))
    presence.forget_lost()
    assert not Worker.objects.exists()
    assert not presence.beat()


def test_a_queue_that_nobody_listens_to_is_named(waiting, client_of, manager):
    presence.arrive("elsewhere")
    page = client_of(manager).get("/queue/")
    assert page.context["queue"].unheard == [waiting[0].queue]
    assert "no worker that is alive listens to it" in page.content.decode()


def test_throughput_counts_each_hour_by_kind_with_the_numbers_beneath(waiting, client_of, manager, settings):
    settings.JOB_BATCH = 1
    for _ in range(2):
        (held,) = lease.claim(waiting[0].pk)
        lease.finish(held)
    old = Job.objects.filter(state="succeeded").first()
    Job.objects.filter(pk=old.pk).update(finished_at=Now() - timedelta(hours=3))
    (held,) = lease.claim(waiting[0].pk)
    lease.finish(held)
    Job.objects.filter(pk=held.job.pk).update(finished_at=Now() - timedelta(hours=30))
    hours = queue.throughput()
    assert len(hours) == 24
    assert [hour.done for hour in hours if hour.done] == [{"predict": 1}, {"predict": 1}]
    assert hours[-4].done == {"predict": 1}, "three hours ago"
    chart = client_of(manager).get("/queue/").context["chart"]
    assert chart.svg.count('class="bar bar-0"') == 2 + 1, "two hours, and the name above them"
    assert [row[-1] for row in chart.rows].count("1") == 2


def test_the_queue_page_asks_the_database_as_often_for_many_workers_and_jobs(
    waiting, client_of, manager, django_assert_max_num_queries, settings
):
    settings.JOB_BATCH = 2
    for number in range(8):
        Worker.objects.create(
            name=f"host:{number}", queues="inference", lease_until=Now() + timedelta(hours=1)
        )
    lease.claim(waiting[0].pk)
    client = client_of(manager)
    with django_assert_max_num_queries(20):
        client.get("/queue/")


def test_an_idle_queue_says_so(client_of, manager):
    assert "Nothing waits and nothing runs." in client_of(manager).get("/queue/").content.decode()


def test_a_job_cancelled_on_the_queue_page_is_on_the_trail(waiting, client_of, bob):
    client = client_of(bob)
    client.post(f"/jobs/{waiting[0].pk}/cancel/", {"back": "queue"})
    again = client.post(f"/jobs/{waiting[0].pk}/cancel/", {"back": "queue"}, follow=True)
    assert again.redirect_chain[-1][0] == "/queue/"
    assert "already over" in again.content.decode()
    (event,) = Event.objects.filter(verb="job.cancelled")
    assert event.actor_id == bob.pk


def listed(page) -> set:
    found = page.context["queue"]
    return {job.pk for job in (*found.running, *found.waiting, *found.failures)}


@pytest.fixture
def a_bit_of_each(waiting, settings) -> set:
    """One that waits, one that runs, one that failed."""
    settings.JOB_BATCH = 1
    failed(waiting[1])
    lease.claim(waiting[0].pk)
    return {job.pk for job in waiting}


def test_the_queue_lists_the_jobs_of_scans_that_one_may_see(a_bit_of_each, client_of, bob):
    page = client_of(bob).get("/queue/")
    assert listed(page) == a_bit_of_each
    assert page.context["queue"].unlisted == 0


@pytest.mark.parametrize("who", ["a senior elsewhere", "a model manager", "an administrator"])
def test_everybody_else_sees_counts_and_no_job(
    who, a_bit_of_each, client_of, manager, administrator, other_department
):
    people = {"a model manager": manager, "an administrator": administrator}
    user = people.get(who) or member("erin", other_department, Role.SENIOR_READER)
    client = client_of(user)
    page = client.get("/queue/")
    assert listed(page) == set()
    assert page.context["queue"].counts["queued"] == 1
    assert page.context["queue"].unlisted == 2
    said = page.content.decode()
    assert not [key for key in a_bit_of_each if str(key) in said]
    before = set(Job.objects.values_list("pk", "state"))
    for key in a_bit_of_each:
        for address in (
            f"/queue/{key}/cancel/",
            f"/queue/{key}/again/",
            f"/jobs/{key}/cancel/",
            f"/jobs/{key}/again/",
        ):
            assert client.post(address).status_code in {403, 404}, address
    assert set(Job.objects.values_list("pk", "state")) == before


def test_an_auditor_who_reads_a_case_moves_none_of_its_jobs(a_bit_of_each, client_of, auditor, department):
    Membership.objects.create(user=auditor, department=department, role=Role.MODEL_MANAGER)
    page = client_of(auditor).get("/queue/")
    assert listed(page) == a_bit_of_each
    assert page.context["queue"].movable == frozenset()


def test_work_on_models_is_its_managers(client_of, manager, bob, administrator):
    check = jobs.submit(Job.Kind.CHECK, requested_by=manager)
    assert client_of(bob).post(f"/queue/{check.pk}/cancel/").status_code == 403
    assert client_of(administrator).post(f"/queue/{check.pk}/cancel/").status_code == 403
    assert f"/queue/{check.pk}/cancel/" in client_of(manager).get("/queue/").content.decode()
    client_of(manager).post(f"/queue/{check.pk}/cancel/")
    check.refresh_from_db()
    assert check.state == Job.State.CANCELLED


def test_the_models_page_warns_of_a_modality_that_nobody_reads(version, client_of, alice):
    page = client_of(alice).get("/models/").content.decode()
    assert "No version answers MRI scans" in page
    assert "No version answers Ultrasound scans" not in page
