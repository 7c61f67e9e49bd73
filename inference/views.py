"""The pages of models and of the queue. No patient appears on them, and the queue lists what one may see."""

import uuid
from collections.abc import Iterable

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.gate import PersonRequest, role_required
from accounts.roles import MANAGE_MODELS, SEE_MODELS, SEE_QUEUE, holds
from inference import cards, comparison, jobs, plots, queue, registry, registry_views
from inference.call_figures import call_figures
from inference.engine.fitness import RULES
from inference.fitness import fitness_of, fitness_of_all
from inference.hours import throughput_chart
from inference.models import Activation, Image, Job, ModelVersion
from inference.voice import voice


@require_safe
@role_required(SEE_MODELS)
def models(request: PersonRequest) -> HttpResponse:
    """Every version by modality: which one answers, since when, and how good it is."""
    open_seats = Activation.objects.filter(ended_at__isnull=True)
    versions = ModelVersion.objects.prefetch_related(
        Prefetch("activations", queryset=open_seats, to_attr="seats")
    )
    judged = fitness_of_all(versions)
    rows = [
        {"version": one, "headlines": cards.headlines(one.card), "fitness": judged[one.pk]}
        for one in versions
    ]
    context = {
        "section": "models",
        "rows": rows,
        "unread": [modality.label for modality in Image.Modality if not _is_read(modality, versions)],
        "rules": [(Image.Modality(name).label, rule) for name, rule in RULES.items()],
        "may_manage": holds(request.user, MANAGE_MODELS),
    }
    return render(request, "inference/models.html", context)


def _is_read(modality: Image.Modality, versions: Iterable[ModelVersion]) -> bool:
    """Whether a version answers scans of this modality, and somebody sees what it says."""
    return any(version.modality == modality and version.state == version.State.ACTIVE for version in versions)


@require_safe
@role_required(SEE_MODELS)
def model(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """The model card: data, split, figures with intervals, biases, intended use."""
    version = get_object_or_404(ModelVersion, pk=pk)
    context = {
        "section": "models",
        "version": version,
        "headlines": cards.headlines(version.card),
        "fitness": fitness_of(version),
        "sections": cards.sections(version.card),
        "call_figures": call_figures(version),
        "charts": plots.charts(version.card, voice()),
        "activations": version.activations.select_related("activated_by").order_by("-started_at"),
        "unseen": registry.is_shadow(version),
        "rival": comparison.holder_of(version),
        "evaluations": version.evaluations.all(),
        "moves": registry_views.may_move(version) if holds(request.user, MANAGE_MODELS) else [],
    }
    return render(request, "inference/model.html", context)


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
    except jobs.IllegalMove:
        messages.warning(request, gettext("The job was already over: nothing was changed."))
    return redirect("inference:queue")
