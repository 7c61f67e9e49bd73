"""The pages of work on models: what trains, what is being checked, and what came of it."""

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.gate import PersonRequest, role_required
from accounts.roles import MANAGE_MODELS, SEE_MODELS
from inference import plots, trainings
from inference.forms import TrainingForm
from inference.jobs import RefusedWork
from inference.models import Job, ModelVersion
from inference.voice import voice
from language.stored import said

SHOWN = 40
ON_MODELS = (Job.Kind.TRAIN, Job.Kind.CHECK)


@require_safe
@role_required(SEE_MODELS)
def all_work(request: PersonRequest) -> HttpResponse:
    """Every training and every check of an upload, newest first."""
    jobs = Job.objects.filter(kind__in=ON_MODELS).select_related("requested_by", "model_version")
    context = {"section": "models", "jobs": jobs.order_by("-created_at")[:SHOWN]}
    return render(request, "inference/all_work.html", context)


@require_safe
@role_required(SEE_MODELS)
def work(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """One training or check: how far it is, and what came of it."""
    jobs = Job.objects.filter(kind__in=ON_MODELS).select_related("requested_by", "model_version")
    job = get_object_or_404(jobs, pk=pk)
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
        except RefusedWork as refused:
            form.add_error(None, said(str(refused)))
        else:
            return redirect("inference:work", job.pk)
    context = {"section": "models", "form": form, "data_sets": trainings.data_sets()}
    return render(request, "inference/train.html", context, status=422 if form.errors else 200)


def _made(job: Job) -> list[ModelVersion]:
    """The versions that came of it: one for each modality."""
    trained = list(job.trained.all())
    return trained or ([job.model_version] if job.model_version else [])
