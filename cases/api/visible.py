"""What a user may see of the work done on scans, and may change of the record."""

import uuid
from typing import cast

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from rest_framework.request import Request

from accounts.models import User
from cases.models import Case, Scan
from cases.review.policy import may_see_answers
from inference.models import Explanation, Image, Job, Prediction

JOBS = (
    Job.objects.shown()
    .select_related("model_version", "prediction", "answer")
    .prefetch_related("explanations")
)
PREDICTIONS = (
    Prediction.objects.shown()
    .select_related("model_version", "job", "image")
    .prefetch_related("explanations", "repetitions")
)
EXPLANATIONS = Explanation.objects.select_related("job", "prediction__image")


def user_of(request: Request) -> User:
    """Who is asking. Every view of the API demands a token, so that nobody is anonymous."""
    return cast(User, request.user)


def cases(user: User | AnonymousUser) -> QuerySet[Case]:
    """Visible cases with what their representation shows."""
    return Case.objects.visible_to(user).select_related("department", "patient", "opened_by")


def scans(user: User | AnonymousUser) -> QuerySet[Scan]:
    """Visible scans with the work done on them, oldest job first."""
    jobs_of_image = Prefetch("image__jobs", queryset=JOBS.order_by("created_at"))
    scans = Scan.objects.visible_to(user).select_related(
        "case", "image", "added_by", "identity", "withdrawal__withdrawn_by"
    )
    return scans.prefetch_related(jobs_of_image)


def jobs(user: User | AnonymousUser) -> QuerySet[Job]:
    """The jobs of visible scans."""
    return JOBS.filter(image__in=_images(user))


def predictions(user: User | AnonymousUser) -> QuerySet[Prediction]:
    """The answers about visible scans."""
    return PREDICTIONS.filter(image__in=_images(user))


def explanations(user: User | AnonymousUser) -> QuerySet[Explanation]:
    """The explanations of answers about visible scans."""
    return EXPLANATIONS.filter(prediction__image__in=_images(user))


def case_to_write(user: User, pk: uuid.UUID) -> Case:
    """A case `user` may add to: Http404 when it is not visible, PermissionDenied when only visible."""
    case = get_object_or_404(cases(user), pk=pk)
    if not Case.objects.writable_by(user).filter(pk=pk).exists():
        raise PermissionDenied(gettext("You are not a reader of this department."))
    return case


def refuse_if_hidden(user: User, image: Image) -> None:
    """A reader who reads first gets no answer through the API either. Raises PermissionDenied."""
    scan = Scan.objects.select_related("case__department").get(image=image)
    if not may_see_answers(scan.case, user):
        raise PermissionDenied(gettext("The models' answers are hidden until you have filed your read."))


def _images(user: User | AnonymousUser) -> QuerySet[Scan, uuid.UUID]:
    return Scan.objects.visible_to(user).values_list("image", flat=True)
