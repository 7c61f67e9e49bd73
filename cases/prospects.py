"""Will a model version answer about a scan, or has one? An upload says it at once, a scan whenever asked."""

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from cases.models import Scan
from inference.models import Job

SENTENCES: Mapping[str, Promise] = {
    "no_active_version": gettext_lazy(
        "No active model reads {modality} scans: none will answer about it until a version is activated and "
        "somebody asks again."
    ),
    "jobs_ended": gettext_lazy("Every answer about it failed or was cancelled; a reader can ask again."),
    "scan_withdrawn": gettext_lazy("The scan was withdrawn: it counts for nothing."),
}
"""Each reason why a scan gets no answer, by its code."""


def unanswered_because(scan: Scan, jobs: Iterable[Job]) -> str:
    """ "" where a version has answered or will, else a code of SENTENCES. jobs: of the scan's image."""
    if scan.is_withdrawn:
        return "scan_withdrawn"
    asked = [job.state for job in jobs if job.kind == Job.Kind.PREDICT]
    if not asked:
        return "no_active_version"
    return "jobs_ended" if set(asked) <= {Job.State.FAILED, Job.State.CANCELLED} else ""


def sentence(scan: Scan, code: str) -> str:
    """The same for people; "" where an answer will come."""
    return str(SENTENCES[code]).format(modality=scan.image.get_modality_display()) if code else ""
