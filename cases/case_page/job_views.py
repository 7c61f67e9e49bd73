"""The doors to single jobs on scans, from the case page and from the queue."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.decorators import PersonRequest, people_only
from cases import services
from cases.models import Scan
from inference.models import Job
from refusals import Refusal


@require_POST
@people_only
def cancel_job(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop a job of a case one may write."""
    already = _("The job was already over: nothing was changed.")
    return _moved(request, pk, services.cancel_job, _("The job was cancelled."), already)


@require_POST
@people_only
def ask_again(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """The same work as a failed job, once more."""
    already = _("It was asked for again already, or did not fail: nothing was changed.")
    return _moved(request, pk, services.ask_again, _("The work was asked for again, as a new job."), already)


def _moved(
    request: PersonRequest, pk: uuid.UUID, move: Callable[..., Any], done: Promise, already: Promise
) -> HttpResponse:
    job = get_object_or_404(Job.objects.shown().filter(image__isnull=False), pk=pk)
    scan = get_object_or_404(Scan.objects.visible_to(request.user).select_related("case"), image=job.image_id)
    try:
        move(job, by=request.user)
        messages.success(request, str(done))
    except Refusal as refusal:
        words = already if refusal.code == "illegal_move" else refusal
        messages.warning(request, str(words), extra_tags=refusal.code)
    if request.POST.get("back") == "queue":
        return redirect("inference:queue")
    return redirect(f"{scan.case.get_absolute_url()}?scan={scan.number}")
