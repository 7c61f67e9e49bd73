"""Every write a person causes: one function, one transaction, one audit line."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import Department, User
from accounts.roles import WRITE_CASES, departments_where
from audit.trail import record
from blobs.models import Blob
from cases import access, events, identity, late_slices
from cases.late_slices import Slices
from cases.models import Calibration, Case, Patient, Scan, ScanFile
from cases.review import service as review
from cases.review.policy import may_see_answers
from inference.engine.records import MEASURING_NETWORKS, METHOD_NAMES
from inference.formats import Identity
from inference.formats.spacing import CALIBRATED
from inference.formats.stack import PictureStack
from inference.jobs import state as jobs
from inference.models import Image, Job, ModelVersion, Prediction
from inference.registry import service as registry
from inference.results import images
from refusals import Refusal

UNSEEN_DELAY = 5
"""How much less urgent a candidate's answer is than any that somebody waits for."""
EXPLAINING_SEED = 0
"""Of what is drawn at random: whoever asks twice is given the same map."""
CHECKING_DELAY = 2
"""How much less urgent running an answer again is than answering and explaining."""


@transaction.atomic
def open_case(  # noqa: PLR0913  # a case is all that is known of it when it is opened
    *,
    by: User,
    department: Department,
    patient_id: str,
    patient_birth_date: date | None = None,
    gestational_age_days: int | None = None,
    priority: int = Case.Priority.ROUTINE,
    question: str = "",
    is_demo: bool = False,
    idempotency_key: str | None = None,
) -> tuple[Case, bool]:
    """Open a case, or give back the one this key has opened before: (case, opened now).

    Raises PermissionDenied outside the departments where `by` is a reader, idempotency_key_reused when the
    key stands for another department, patient or age, and other_birth_date when the department knows the
    patient by another.
    """
    if not departments_where(by, WRITE_CASES).filter(pk=department.pk).exists():
        raise PermissionDenied(gettext("You are not a reader of this department."))
    patient = _patient(department, patient_id)
    wanted: dict[str, Any] = {
        "department": department,
        "patient": patient,
        "gestational_age_days": gestational_age_days,
        "priority": priority,
        "question": question,
        "is_demo": is_demo,
    }
    if idempotency_key:
        User.objects.select_for_update().get(pk=by.pk)  # the same key at the same moment waits here
        if known := _opened_before(by, idempotency_key, wanted):
            return known, False
    _learn_birth_date(patient, patient_birth_date)
    case = Case.objects.create(
        number=_next_number(), opened_by=by, idempotency_key=idempotency_key or None, **wanted
    )
    case.refresh_from_db()
    record("case.opened", actor=by, subject=case, thread=case.thread, number=case.number)
    return case, True


def add_scan(
    case: Case,
    stack: PictureStack,
    *,
    by: User,
    original: Blob,
    file_name: str = "",
    said: Identity = Identity(),  # noqa: B008  # it is frozen
    mismatch_reason: str = "",
    came: Slices = Slices(),  # noqa: B008  # it is frozen
) -> tuple[Scan, bool]:
    """Add a decoded scan and queue it for every active version: (scan, added now).

    The same file again in the same case is the scan that is already there; a new one calls for a new read.
    said: what the file says of its patient; mismatch_reason: why it belongs here where that is another one.
    came: out of which files, and what to do where the case holds a scan of their series.
    Raises PermissionDenied where `by` is no reader, case_signed, patient_mismatch, other_modality,
    series_known.
    """
    pixels = images.put_pixels(stack)
    with transaction.atomic():
        held = access.lock_for_writing(case, by)  # scans are numbered one at a time
        if known := known_scan(case, stack):
            return known, False
        identity.refuse_another_patient(held, said, reason=mismatch_reason)
        late_slices.refuse_known_series(held, stack, said, came)
        scan = Scan.objects.create(
            case=case,
            number=(case.scans.aggregate(last=Max("number"))["last"] or 0) + 1,
            image=images.create(stack, original=original, pixels=pixels),
            original_sha256=original.sha256,
            file_name=file_name[:200],
            added_by=by,
        )
        ScanFile.objects.bulk_create(
            ScanFile(scan=scan, place=place, blob=blob, name=name[:400])
            for place, (blob, name) in enumerate(came.files)
        )
        record("scan.added", actor=by, subject=scan, thread=case.thread, **scan.facts())
        identity.keep(scan, said, by=by, reason=mismatch_reason)
        submit_scan(scan, by=by)
        review.move_on(held)
    return scan, True


def known_scan(case: Case, stack: PictureStack) -> Scan | None:
    """The standing scan that is the same file. Raises other_modality where it was taken as another."""
    known = case.scans.active().select_related("image").filter(original_sha256=stack.original_sha256).first()
    if known and known.image.modality != stack.modality:
        sentence = gettext(
            "This file is scan {number} of the case already, as {modality}. Withdraw that first."
        )
        modality = known.image.get_modality_display()
        raise Refusal(
            "other_modality", sentence.format(number=known.number, modality=modality), scan=known.number
        )
    return known


@transaction.atomic
def assign(case: Case, assignee: User | None, *, by: User) -> None:
    """Give a case to a reader of its department, or to nobody. Raises case_signed, not_a_reader."""
    case = access.lock_for_writing(case, by)
    if assignee and not _colleagues(case).filter(pk=assignee.pk).exists():
        raise Refusal("not_a_reader", gettext("There is no reader of this name in the department."))
    Case.objects.filter(pk=case.pk).update(assignee=assignee)
    to = assignee.username if assignee else ""
    record(
        "case.assigned" if assignee else "case.released", actor=by, subject=case, thread=case.thread, to=to
    )
    events.assigned(case, assignee, by=by)


def colleague(case: Case, name: str) -> User:
    """The reader of the case's department with this user name. One refusal for whoever reads elsewhere, only
    looks, or is not there at all: not_a_reader.
    """
    found = _colleagues(case).filter(username=name).first()
    if found is None:
        raise Refusal("not_a_reader", gettext("There is no reader of this name in the department."))
    return found


def _colleagues(case: Case) -> QuerySet[User]:
    """The people who read in the case's department."""
    people = User.objects.filter(is_active=True, is_service=False)
    held = {"memberships__department": case.department_id, "memberships__role__in": WRITE_CASES}
    return people.filter(**held).distinct()


@transaction.atomic
def try_again(scan: Scan, *, by: User) -> list[Job]:
    """Queue anew what failed or was cancelled, and active versions that were never asked.

    Each new job is a new row; the failed one stays as it is. Empty when nothing is missing.
    Raises PermissionDenied, case_signed.
    """
    access.lock_scan_for_writing(scan, by)
    record("scan.tried_again", actor=by, subject=scan, thread=scan.case.thread, scan=scan.number)
    newest = {(job.model_version_id, job.kind, repr(_wish(job))): job for job in _oldest_first(scan)}
    ended_badly = [job for job in newest.values() if job.state in {Job.State.FAILED, Job.State.CANCELLED}]
    asked = {job.model_version_id for job in newest.values()}
    never_asked = [v for v in registry.active_versions(scan.image.modality) if v.pk not in asked]
    again = [
        jobs.again(job, by=by, about=events.about(scan), parameters=_renewed(job, scan))
        for job in ended_badly
    ]
    return again + _submit_to(never_asked, scan, by=by)


def submit_scan(scan: Scan, *, by: User, frames: list[int] | None = None) -> list[Job]:
    """Queue the scan for every active version of its modality, and unseen for every candidate."""
    asked = _submit_to(registry.active_versions(scan.image.modality), scan, by=by, frames=frames)
    _submit_unseen(scan, frames)
    return asked


def measure_again(scan: Scan, *, by: User) -> list[Job]:
    """Ask versions that take a calibrated scale again, by the one that counts now, about the same frames.

    What they were still to say by another scale is cancelled, so that the newest answer is by the newest.
    """
    asked = {job.model_version_id: job for job in _oldest_first(scan) if job.kind == Job.Kind.PREDICT}
    versions = [one for one in registry.active_versions(scan.image.modality) if one.takes_a_scale]
    jobs.cancel_answers(scan.image, versions, by=by)
    frames = {key: job.parameters.get("frames") for key, job in asked.items()}
    return [
        job
        for version in versions
        for job in _submit_to([version], scan, by=by, frames=frames.get(version.pk))
    ]


def _wish(job: Job) -> dict[str, Any]:
    """What a person asked for; which scale counts has no say in it."""
    return {name: value for name, value in job.parameters.items() if name != CALIBRATED}


def _renewed(job: Job, scan: Scan) -> dict[str, Any]:
    """What is told when the same is asked for again: by the scale that counts now."""
    return _wish(job) | (_calibrated(scan, job.scan[1]) if job.kind == Job.Kind.PREDICT else {})


def _calibrated(scan: Scan, version: ModelVersion) -> dict[str, Any]:
    """The scale by which a version measures where the file states none; others take none."""
    if not version.takes_a_scale or scan.image.states_scale:
        return {}
    found = Calibration.objects.counting(scan)
    return found.as_parameter() if found else {}


def _parameters(scan: Scan, frames: list[int] | None, version: ModelVersion) -> dict[str, Any]:
    """What is told besides the pictures: by a stated age it is said whether ultrasound is too early."""
    parameters: dict[str, Any] = {"frames": frames} if frames else {}
    age = scan.case.gestational_age_days
    if age is not None and scan.image.modality == Image.Modality.ULTRASOUND:
        parameters["gestational_age_days"] = age
    return parameters | _calibrated(scan, version)


def _submit_unseen(scan: Scan, frames: list[int] | None) -> None:
    """A candidate comes last in the queue, and its work joins no case: nobody is shown it."""
    for version in registry.shadow_versions(scan.image.modality):
        jobs.submit(
            Job.Kind.SHADOW,
            image=scan.image,
            model_version=version,
            requested_by=None,
            priority=Case.Priority.ROUTINE - UNSEEN_DELAY,
            parameters=_parameters(scan, frames, version),
        )


def _submit_to(
    versions: Iterable[ModelVersion], scan: Scan, *, by: User, frames: list[int] | None = None
) -> list[Job]:
    return [
        jobs.submit(
            Job.Kind.PREDICT,
            image=scan.image,
            model_version=version,
            requested_by=by,
            thread=scan.case.thread,
            priority=scan.case.priority,
            parameters=_parameters(scan, frames, version),
            about=events.about(scan),
        )
        for version in versions
    ]


def _oldest_first(scan: Scan) -> QuerySet[Job]:
    jobs_of_scan = Job.objects.shown().filter(image=scan.image_id)
    return jobs_of_scan.select_related("image", "model_version", "prediction").order_by("created_at")


@transaction.atomic
def choose_frames(scan: Scan, frames: list[int], *, by: User) -> list[Job]:
    """Read these frames instead of those the rule chose; the earlier answers stay.

    Raises no_such_frame, PermissionDenied, case_signed.
    """
    access.lock_scan_for_writing(scan, by)
    wrong = [frame for frame in frames if frame not in scan.frame_numbers]
    if wrong or not frames:
        sentence = gettext("The scan has no such frame; it has {frames}.")
        raise Refusal("no_such_frame", sentence.format(frames=scan.image.frames))
    record("scan.frames_chosen", actor=by, subject=scan, thread=scan.case.thread, frames=frames)
    return submit_scan(scan, by=by, frames=sorted(set(frames)))


def refuse_scan(case: Case, *, by: User, code: str, detail: str) -> None:
    """Remember that a file was submitted and refused, and why."""
    record("scan.refused", actor=by, subject=case, thread=case.thread, code=code, reason=detail)


@transaction.atomic
def cancel_job(job: Job, *, by: User) -> None:
    """Stop a job of a case where `by` is a reader. Raises illegal_move when it is over, case_signed."""
    scan = Scan.objects.select_related("case").get(image=job.image_id)
    access.lock_scan_for_writing(scan, by)
    jobs.cancel(job, by=by)


@transaction.atomic
def ask_again(job: Job, *, by: User) -> Job:
    """Ask once more for failed work on a scan. Raises illegal_move, case_signed, PermissionDenied."""
    scan = Scan.objects.select_related("case").get(image=job.image_id)
    access.lock_for_writing(scan.case, by)
    return jobs.ask_again(job, by=by, parameters=_renewed(job, scan))


def scan_of(image: Image) -> Scan:
    """The scan an image belongs to."""
    return Scan.objects.select_related("case").get(image=image)


def _patient(department: Department, patient_id: str) -> Patient:
    """The department's patient of this identifier, made known if she is not.

    Where two make her known at once neither meets an error, whose detail a server might log.
    """
    fresh = Patient(department=department, patient_id=patient_id)
    Patient.objects.bulk_create([fresh], ignore_conflicts=True)
    return Patient.objects.get(department=department, patient_id=patient_id)


def _learn_birth_date(patient: Patient, stated: date | None) -> None:
    """A patient the department knows without a birth date gets one; a known one never changes unnoticed."""
    if stated is None or stated == patient.birth_date:
        return
    if patient.birth_date is not None:
        raise Refusal("other_birth_date", gettext("The department knows this patient by another birth date."))
    patient.birth_date = stated
    patient.save(update_fields=["birth_date"])


def _opened_before(by: User, key: str, wanted: dict[str, Any]) -> Case | None:
    known = Case.objects.filter(opened_by=by, idempotency_key=key).first()
    if known and any(getattr(known, name) != value for name, value in wanted.items()):
        raise Refusal("idempotency_key_reused", gettext("This Idempotency-Key has opened another case."))
    return known


def _next_number() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cases_case_number')")
        return f"{timezone.now().year}-{cursor.fetchone()[0]:06d}"


@transaction.atomic
def explain(prediction: Prediction, *, method: str, class_label: str, by: User) -> tuple[Job, bool]:
    """Explain an answer by another method, or for the class that was not called: (job, queued now).

    The same wish again is the job that has fulfilled it, or will. Raises nothing_to_explain, case_signed.
    """
    scan = scan_of(prediction.image)
    access.lock_scan_for_writing(scan, by)
    _refuse_blind(scan.case, by)
    if prediction.model_version.network in MEASURING_NETWORKS:
        raise Refusal(
            "nothing_to_explain", gettext("It measures: the calipers that it proposes are its explanation.")
        )
    if not prediction.analysable:
        raise Refusal(
            "nothing_to_explain", gettext("There is no answer to explain: the scan is not analysable.")
        )
    if method not in METHOD_NAMES or class_label not in prediction.model_version.labels:
        raise Refusal(
            "nothing_to_explain", gettext("There is no such method, or the model knows no such class.")
        )
    if job := _known(prediction, method, class_label):
        return job, False
    asked = jobs.submit(
        Job.Kind.EXPLAIN,
        image=prediction.image,
        model_version=prediction.model_version,
        prediction=prediction,
        requested_by=by,
        thread=scan.case.thread,
        priority=scan.case.priority,
        parameters={"method": method, "class_label": class_label, "seed": EXPLAINING_SEED},
        about=events.about(scan),
    )
    return asked, True


def _known(prediction: Prediction, method: str, class_label: str) -> Job | None:
    """The job that has made this explanation, or will. Without a class a job explains the one called."""
    ended = [Job.State.FAILED, Job.State.CANCELLED]
    jobs_so_far = prediction.explain_jobs.filter(kind=Job.Kind.EXPLAIN).exclude(state__in=ended)
    for job in jobs_so_far:
        asked = job.parameters
        if (asked["method"], asked.get("class_label", prediction.label)) == (method, class_label):
            return job
    return None


def _refuse_blind(case: Case, user: User) -> None:
    """Asking about an answer tells something of it. Raises PermissionDenied."""
    if not may_see_answers(case, user):
        raise PermissionDenied(gettext("The models' answers are hidden until you have filed your read."))


@transaction.atomic
def run_again(prediction: Prediction, *, by: User) -> Job:
    """Run an answer and its explanations again and compare; whoever may see the case may check it.

    Of a signed case as well: what comes of it is a row of its own, and no part of what was signed. Raises
    PermissionDenied, scan_withdrawn.
    """
    scan = scan_of(prediction.image)
    access.lock_scan_for_checking(scan, by)
    _refuse_blind(scan.case, by)
    return jobs.submit(
        Job.Kind.REPEAT,
        image=prediction.image,
        model_version=prediction.model_version,
        prediction=prediction,
        requested_by=by,
        thread=scan.case.thread,
        priority=scan.case.priority - CHECKING_DELAY,
        about=events.about(scan),
    )
