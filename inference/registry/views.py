"""The pages of model versions: what each is worth, and how it comes into use, leaves it, or is looked up."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import PersonRequest, role_required
from accounts.roles import MANAGE_MODELS, SEE_MODELS, holds
from inference.charts import card_plots as plots
from inference.charts.voice import voice
from inference.engine.fitness import RULES
from inference.engine.weights.weights_file import MAX_FILE_BYTES
from inference.models import Activation, Image, ModelVersion
from inference.registry import cards, comparison, overview, readmission, weights_upload
from inference.registry import service as registry
from inference.registry.call_figures import call_figures
from inference.registry.fitness import fitness_of, fitness_of_all
from inference.registry.forms import MomentForm, ReasonForm, UploadForm
from language.stored import said
from refusals import Refusal


@dataclass(frozen=True)
class Move:
    """One thing a model manager may do with a version, in the words of its page."""

    title: str | Promise
    button: str | Promise
    done: str | Promise
    carry_out: Callable[..., Any]


MOVES = {
    "activate": Move(
        gettext_lazy("Put into use"),
        gettext_lazy("Put into use"),
        gettext_lazy("{version} answers from now on."),
        registry.activate,
    ),
    "retire": Move(
        gettext_lazy("Take out of use"),
        gettext_lazy("Take out of use"),
        gettext_lazy("{version} answers no longer."),
        registry.retire,
    ),
    "start-shadow": Move(
        gettext_lazy("Let it answer unseen"),
        gettext_lazy("Let it answer unseen"),
        gettext_lazy("{version} answers the same scans from now on, shown to nobody."),
        registry.start_shadow,
    ),
    "stop-shadow": Move(
        gettext_lazy("Stop the unseen answers"),
        gettext_lazy("Stop them"),
        gettext_lazy("{version} answers unseen no longer."),
        registry.stop_shadow,
    ),
    "roll-back": Move(
        gettext_lazy("Go back"),
        gettext_lazy("Go back"),
        gettext_lazy("{version} was replaced by its predecessor."),
        registry.roll_back,
    ),
    "readmit": Move(
        gettext_lazy("Take back from quarantine"),
        gettext_lazy("Take back"),
        gettext_lazy("{version} is no longer quarantined. It answers nobody until it is put into use."),
        readmission.readmit,
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@role_required(MANAGE_MODELS)
def move(request: PersonRequest, pk: uuid.UUID, name: str) -> HttpResponse:
    """What will change, the reason, the password; then it is done, once."""
    if name not in MOVES:
        raise Http404
    chosen, version = MOVES[name], get_object_or_404(ModelVersion, pk=pk)
    form = ReasonForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            chosen.carry_out(version, by=request.user, reason=form.cleaned_data["reason"])
            messages.success(request, str(chosen.done).format(version=version))
        except Refusal as refused:
            messages.warning(request, gettext("Nothing was changed: {why}").format(why=refused))
        return redirect("inference:model", version.pk)
    context = {"section": "models", "version": version, "form": form, "move": chosen, "name": name}
    context["compared"] = _compared(version, name)
    return render(request, "inference/move.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@role_required(MANAGE_MODELS)
def upload(request: PersonRequest) -> HttpResponse:
    """A weights file from outside is refused with its reason, or waits for a worker to run it once."""
    form = UploadForm(request, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        filled = form.cleaned_data
        stated = filled["record"].read(weights_upload.MAX_RECORD_BYTES + 1) if filled["record"] else b""
        try:
            job = weights_upload.submit(
                filled["network"],
                filled["modality"],
                filled["version"],
                filled["weights"].read(MAX_FILE_BYTES + 1),
                stated,
                by=request.user,
            )
        except Refusal as refused:
            sentence = gettext("Nothing was stored. {why} ({code})")
            form.add_error("weights", sentence.format(why=said(refused.detail), code=refused.code))
        else:
            return redirect("inference:work", job.pk)
    context = {"section": "models", "form": form}
    return render(request, "inference/upload.html", context, status=422 if form.errors else 200)


@require_safe
@role_required(SEE_MODELS)
def seats(request: PersonRequest) -> HttpResponse:
    """Which version answered at a moment of the past."""
    form = MomentForm(request.GET or None)
    moment = form.moment() if request.GET else None
    found = registry.seats_at(moment) if moment else None
    context = {"section": "models", "form": form, "moment": moment, "seats": found}
    return render(request, "inference/seats.html", context, status=422 if form.errors else 200)


@require_safe
@role_required(SEE_MODELS)
def compare(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """A candidate beside the version in whose seat it would answer."""
    version = get_object_or_404(ModelVersion, pk=pk)
    holder = comparison.holder_of(version)
    found = comparison.compare(version, holder) if holder else None
    context = {"section": "models", "version": version, "found": found}
    return render(request, "inference/compare.html", context)


def may_move(version: ModelVersion) -> list[str]:
    """The names of the moves that are legal now."""
    state = ModelVersion.State(version.state)
    names = []
    if state in registry.ACTIVATABLE:
        names = ["activate", "stop-shadow" if registry.is_shadow(version) else "start-shadow"]
    if state == ModelVersion.State.QUARANTINED:
        names = ["readmit"]
    if state == ModelVersion.State.ACTIVE:
        names.append("retire")
        if registry.predecessor(version.modality, version.network):
            names.append("roll-back")
    return names


def _compared(version: ModelVersion, name: str) -> list[dict[str, Any]]:
    """Who answers before and after the move, each with its headline figures."""
    holder = comparison.holder_of(version)
    sides: tuple[tuple[str, ModelVersion | None], ...]
    match name:
        case "activate":
            sides = (gettext("Answers now"), holder), (gettext("Answers afterwards"), version)
        case "retire":
            sides = (gettext("Answers now"), version), (gettext("Answers afterwards"), None)
        case "roll-back":
            former = registry.predecessor(version.modality, version.network)
            sides = (gettext("Answers now"), version), (gettext("Answers afterwards"), former)
        case "readmit":
            sides = (gettext("Answers, before and afterwards"), holder), (gettext("Taken back"), version)
        case _:
            sides = (gettext("Answers, before and afterwards"), holder), (gettext("Answers unseen"), version)
    return [
        {
            "title": title,
            "version": side,
            "headlines": cards.headlines(side.card) if side else [],
            "fitness": fitness_of(side) if side else None,
        }
        for title, side in sides
    ]


@require_safe
@role_required(SEE_MODELS)
def models(request: PersonRequest) -> HttpResponse:
    """Every version by modality: which one answers, since when, and how good it is."""
    open_seats = Activation.objects.filter(ended_at__isnull=True)
    versions = ModelVersion.objects.prefetch_related(
        Prefetch("activations", queryset=open_seats, to_attr="seats")
    )
    sort = request.GET.get("sort", "")
    context = {
        "section": "models",
        "by_modality": overview.rows(list(versions), fitness_of_all(versions), sort),
        "columns": overview.COLUMNS,
        "sort": sort,
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
        "moves": may_move(version) if holds(request.user, MANAGE_MODELS) else [],
    }
    return render(request, "inference/model.html", context)
