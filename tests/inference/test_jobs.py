"""The job's state machine against the real database."""

import copy
import uuid
from datetime import timedelta

import answers
import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models.functions import Now
from refused import refused

from accounts.models import Department, User
from audit.models import Event
from blobs import store
from inference.jobs import lease
from inference.jobs import state as jobs
from inference.jobs import sweep as sweeper
from inference.jobs.lease import Claim, Fenced
from inference.models import About, Image, Job, ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(db) -> Image:
    blob = store.put(b"pixels")
    return Image.objects.create(
        modality="ultrasound",
        original=blob,
        source_format="png",
        pixels=blob,
        frames=1,
        rows=8,
        columns=8,
        bits=8,
    )


@pytest.fixture
def version(db) -> ModelVersion:
    return ModelVersion.objects.create(
        network="cnn",
        version="0",
        modality="ultrasound",
        weights=store.put(b"weights"),
        preprocessing="none",
        preprocessing_sha256="0" * 64,
        labels=["normal", "ventriculomegaly"],
        threshold=0.5,
        threshold_target="",
        temperature=1.0,
    )


@pytest.fixture
def submit(image, version, alice):
    def submit(**kwargs) -> Job:
        return jobs.submit(
            Job.Kind.PREDICT,
            image=image,
            model_version=version,
            requested_by=alice,
            thread="case:1",
            **kwargs,
        )

    return submit


def state(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))


def make_due(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(not_before=Now() - timedelta(seconds=1))


def test_a_submitted_job_waits_and_is_on_the_record(submit, alice):
    job = submit()
    assert state(job) == "queued"
    assert Event.objects.get(verb="job.queued").actor_name == "alice"


def test_a_job_can_be_claimed_only_once(submit):
    job = submit()
    assert [held.job.pk for held in lease.claim(job.pk)] == [job.pk]
    assert lease.claim(job.pk) == []


def test_a_wake_up_takes_the_most_urgent_job_first(submit, settings):
    settings.JOB_BATCH = 1
    routine, urgent = submit(), submit(priority=20)
    assert lease.claim(routine.pk)[0].job.pk == urgent.pk


def test_waiting_jobs_of_one_version_are_claimed_as_one_batch(submit, settings):
    settings.JOB_BATCH = 3
    waiting = [submit() for _ in range(4)]
    assert len(lease.claim(waiting[0].pk)) == 3


@pytest.mark.parametrize(("most", "scans"), [(2, 1), (3, 1), (4, 2), (5, 2)])
def test_versions_that_are_to_answer_about_a_scan_are_claimed_at_once_and_no_scan_in_part(
    most, scans, image, version, alice, settings
):
    settings.JOB_BATCH = most
    other = copied(version, network="vgg16")
    waiting = {
        one.pk: [
            jobs.submit(Job.Kind.PREDICT, image=one, model_version=which, requested_by=alice)
            for which in (version, other)
        ]
        for one in (image, copied(image))
    }
    claimed = lease.claim(waiting[image.pk][1].pk)
    assert claimed[0].job.image_id == image.pk
    assert sorted(held.job.pk for held in claimed) == sorted(
        job.pk for of_one in list(waiting.values())[:scans] for job in of_one
    )


def test_an_urgent_scan_takes_no_less_urgent_one_along(submit, image, version, alice):
    later = jobs.submit(Job.Kind.PREDICT, image=copied(image), model_version=version, requested_by=alice)
    urgent = submit(priority=20)
    assert [held.job.pk for held in lease.claim(later.pk)] == [urgent.pk]


def test_maps_of_answers_just_given_are_claimed_by_who_gave_them_unless_something_more_urgent_waits(
    submit, image, version, alice
):
    read = lease.claim(submit().pk)
    prediction = answers.answer(read[0].job)

    def explain(method: str) -> Job:
        return jobs.submit(
            Job.Kind.EXPLAIN,
            image=image,
            model_version=version,
            prediction=prediction,
            requested_by=alice,
            parameters={"method": method},
        )

    wanted = explain("gradcam")
    explain("lime")
    urgent = submit(priority=20)
    assert lease.claim_maps(read, "gradcam") == []
    jobs.cancel(urgent, by=alice)
    assert [held.job.pk for held in lease.claim_maps(read, "gradcam")] == [wanted.pk]
    assert lease.claim_maps(read, "gradcam") == []


def copied(row, **changed):
    """The same row once more, under a key of its own."""
    again = copy.copy(row)
    again.pk, again._state.adding = uuid.uuid4(), True
    for name, value in changed.items():
        setattr(again, name, value)
    again.save()
    return again


def test_a_job_that_was_tried_before_runs_alone(submit):
    first = submit()
    submit()
    Job.objects.filter(pk=first.pk).update(attempts=1)
    assert len(lease.claim(first.pk)) == 1


def test_finishing_twice_is_fenced(submit):
    [held] = lease.claim(submit().pk)
    lease.finish(held)
    with pytest.raises(Fenced):
        lease.finish(held)


def test_a_worker_that_lost_its_lease_publishes_nothing(submit):
    job = submit()
    [zombie] = lease.claim(job.pk)
    expire(job)
    sweeper.sweep()
    make_due(job)
    [second] = lease.claim(job.pk)
    with pytest.raises(Fenced):
        lease.finish(zombie)
    lease.finish(second)
    assert state(job) == "succeeded"


def test_a_heartbeat_keeps_a_job_from_the_sweeper(submit):
    job = submit()
    held = lease.claim(job.pk)
    expire(job)
    lease.heartbeat(held, "classifying")
    sweeper.sweep()
    assert state(job) == "running"
    assert Job.objects.get(pk=job.pk).stage == "classifying"


def test_a_zombies_heartbeat_does_not_touch_the_new_holders_lease(submit):
    job = submit()
    [zombie] = lease.claim(job.pk)
    expire(job)
    sweeper.sweep()
    make_due(job)
    lease.claim(job.pk)
    lease.heartbeat([zombie], "from the grave")
    assert Job.objects.get(pk=job.pk).stage == "starting"


def test_the_third_crash_parks_the_job_with_its_reason(submit):
    job = submit()
    for _ in range(3):
        make_due(job)
        assert lease.claim(job.pk)
        expire(job)
        sweeper.sweep()
    parked = Job.objects.get(pk=job.pk)
    assert (parked.state, parked.failure_code, parked.attempts) == ("failed", "worker_lost", 3)
    assert Event.objects.filter(verb="job.requeued").count() == 2
    assert Event.objects.filter(verb="job.failed").count() == 1


def test_a_requeued_job_waits_longer_each_time(submit):
    job = submit()
    [held] = lease.claim(job.pk)
    lease.retry(held, "boom", "it broke")
    assert lease.claim(job.pk) == []
    assert Job.objects.filter(pk=job.pk, not_before__gt=Now()).exists()


def test_a_failed_job_does_not_block_the_same_scan(submit):
    job = submit()
    [held] = lease.claim(job.pk)
    lease.fail(held, "boom", "it broke")
    again = submit()
    assert [held.job.pk for held in lease.claim(again.pk)] == [again.pk]


@pytest.mark.parametrize("running", [False, True])
def test_cancelling_ends_a_job_for_good(submit, alice, running):
    job = submit()
    held = lease.claim(job.pk) if running else []
    jobs.cancel(job, by=alice)
    assert state(job) == "cancelled"
    for claim in held:
        with pytest.raises(Fenced):
            lease.finish(claim)


def test_a_job_that_is_over_cannot_be_cancelled(submit, alice):
    job = submit()
    [held] = lease.claim(job.pk)
    lease.finish(held)
    with refused("illegal_move"):
        jobs.cancel(job, by=alice)


def test_the_database_itself_keeps_a_finished_job_finished(submit):
    job = submit()
    [held] = lease.claim(job.pk)
    lease.finish(held)
    with pytest.raises(DatabaseError, match="is over"), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(state="queued")


def end_well(held: Claim, by: User) -> None:
    lease.finish(held)


def end_cancelled(held: Claim, by: User) -> None:
    jobs.cancel(held.job, by=by)


@pytest.mark.parametrize("end", [end_well, end_cancelled])
def test_a_job_that_did_not_fail_keeps_no_failure_of_an_earlier_attempt(submit, alice, end):
    job = submit()
    lease.claim(job.pk)
    expire(job)
    sweeper.sweep()
    assert Job.objects.get(pk=job.pk).failure_code == "worker_lost", "while it waits, why it waits again"
    make_due(job)
    [second] = lease.claim(job.pk)
    end(second, alice)
    ended = Job.objects.get(pk=job.pk)
    assert (ended.failure_code, ended.failure_detail) == ("", "")


@pytest.mark.parametrize("state", ["succeeded", "cancelled"])
def test_the_database_refuses_a_failure_on_a_job_that_did_not_fail(submit, state):
    job = submit()
    with pytest.raises(IntegrityError, match="only_what_failed"), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(state=state, failure_code="worker_lost")


def test_every_move_out_of_running_is_in_the_table(submit):
    [held] = lease.claim(submit().pk)
    assert jobs.MOVES[Job.State.RUNNING] == {"succeeded", "failed", "queued", "cancelled"}
    with pytest.raises(ValueError, match="no such move"):
        lease._move(Claim(held.job, held.token), Job.State.RUNNING)


def test_departments_take_turns_at_equal_priority_and_the_urgent_goes_before_all(submit, settings):
    settings.JOB_BATCH = 1
    crowd, lone = (Department.objects.create(name=name, slug=name) for name in ("crowd", "lone"))
    many = [submit(about=About(crowd.pk, {})) for _ in range(4)]
    few = [submit(about=About(lone.pk, {})) for _ in range(2)]

    def claimed() -> Job:
        return lease.claim(many[0].pk)[0].job

    taken = [claimed() for _ in range(4)]
    assert [job.department for job in taken] == [crowd, lone, crowd, lone]
    assert {job.pk for job in taken} == {many[0].pk, many[1].pk, few[0].pk, few[1].pk}
    urgent = submit(about=About(crowd.pk, {}), priority=20)
    assert claimed().pk == urgent.pk
    assert [claimed().pk for _ in range(2)] == [many[2].pk, many[3].pk]
    assert lease.claim(many[0].pk) == []
