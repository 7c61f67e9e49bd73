"""The pages of work: the queue, and what trains, what is being checked, and what came of it.

No patient appears here, and the queue lists what one may see.
"""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import PersonRequest, role_required
from accounts.roles import MANAGE_MODELS, SEE_MODELS, SEE_QUEUE
from inference.charts import card_plots as plots
from inference.charts.voice import voice
from inference.jobs import queue
from inference.jobs import state as jobs
from inference.jobs.throughput_chart import throughput_chart
from inference.models import Job, ModelVersion
from inference.registry import trainings
from inference.registry.forms import TrainingForm
from language.stored import said
from refusals import Refusal

SHOWN = 40
ON_MODELS = (Job.Kind.TRAIN, Job.Kind.CHECK)


@require_safe
@role_required(SEE_MODELS)
def all_work(request: PersonRequest) -> HttpResponse:
    """Every training and every check of an upload, newest first."""
    on_models = Job.objects.filter(kind__in=ON_MODELS).select_related("requested_by", "model_version")
    context = {"section": "models", "jobs": on_models.order_by("-created_at")[:SHOWN]}
    return render(request, "inference/all_work.html", context)


@require_safe
@role_required(SEE_MODELS)
def work(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """One training or check: how far it is, and what came of it."""
    on_models = Job.objects.filter(kind__in=ON_MODELS).select_related("requested_by", "model_version")
    job = get_object_or_404(on_models, pk=pk)
    points = job.progress.get("points", [])
    context = {
        "section": "models",
        "job": job,
        "last": points[-1] if points else None,
        "left": points[-1].get("seconds left") if points else None,
        "memory": points[-1].get("memory MiB") if points else None,
        "chart": plots.progress_chart(points, voice()),
        "made": _made(job),
    }
    return render(request, "inference/work.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(MANAGE_MODELS)
def train(request: PersonRequest) -> HttpResponse:
    """Choose a network and what it learns from; a worker does the rest."""
    form = TrainingForm(trainings.data_sets(), request.POST or None)
    if request.method == "POST" and form.is_valid():
        filled = dict(form.cleaned_data)
        what = [filled.pop(name) for name in ("network", "version", "folders")]
        try:
            job = trainings.submit(*what, by=request.user, about=filled.pop("about"), **filled)
        except Refusal as refused:
            form.add_error(None, said(str(refused)))
        else:
            return redirect("inference:work", job.pk)
    context = {"section": "models", "form": form, "data_sets": trainings.data_sets()}
    return render(request, "inference/train.html", context, status=422 if form.errors else 200)


def _made(job: Job) -> list[ModelVersion]:
    """The versions that came of it: one for each modality."""
    trained = list(job.trained.all())
    return trained or ([job.model_version] if job.model_version else [])


@require_safe
@role_required(SEE_QUEUE)
def queue_page(request: PersonRequest) -> HttpResponse:
    """Is anything stuck?"""
    context = {
        "section": "queue",
        "queue": queue.overview(request.user),
        "chart": throughput_chart(queue.throughput()),
    }
    return render(request, "inference/queue.html", context)


@require_POST
@role_required(MANAGE_MODELS)
def cancel_job(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop one job on models; those on scans are moved through the case they belong to."""
    job = get_object_or_404(Job.objects.movable_by(request.user).filter(image__isnull=True), pk=pk)
    try:
        jobs.cancel(job, by=request.user)
        messages.success(request, gettext("The job was cancelled."))
    except Refusal:
        messages.warning(request, gettext("The job was already over: nothing was changed."))
    return redirect("inference:queue")
