"""What people ask about an answer that is there: another explanation, or the whole once more."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from cases import access, telling
from cases.models import Case
from cases.refusals import CannotDo
from cases.services import scan_of
from cases.standing import may_see_answers
from inference import jobs
from inference.engine.records import ATRIUM, METHOD_NAMES
from inference.models import Job, Prediction

EXPLAINING_SEED = 0
"""Of what is drawn at random: whoever asks twice is given the same map."""
CHECKING_DELAY = 2
"""How much less urgent running an answer again is than answering and explaining."""


class NothingToExplain(CannotDo):
    """The answer is a refusal, or the method or the class is not known."""

    code = "nothing_to_explain"


@transaction.atomic
def explain(prediction: Prediction, *, method: str, class_label: str, by: User) -> tuple[Job, bool]:
    """Explain an answer by another method, or for the class that was not called: (job, queued now).

    The same wish again is the job that has fulfilled it, or will. Raises NothingToExplain, CaseSigned.
    """
    scan = scan_of(prediction.image)
    access.lock_scan_for_writing(scan, by)
    _refuse_blind(scan.case, by)
    if prediction.model_version.network == ATRIUM:
        raise NothingToExplain(gettext("It measures: the calipers that it proposes are its explanation."))
    if not prediction.analysable:
        raise NothingToExplain(gettext("There is no answer to explain: the scan is not analysable."))
    if method not in METHOD_NAMES or class_label not in prediction.model_version.labels:
        raise NothingToExplain(gettext("There is no such method, or the model knows no such class."))
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
        about=telling.about(scan),
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
    PermissionDenied, ScanWithdrawn.
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
        about=telling.about(scan),
    )
