"""The administrators' pages: look up through visible_to, call one service, render."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import PersonRequest, role_required
from accounts.reauthentication import ConfirmedForm
from accounts.roles import MANAGE_WEBHOOKS, departments_where
from refusals import Refusal
from webhooks import services
from webhooks.catalogue import EVENTS
from webhooks.forms import EndpointForm
from webhooks.models import Delivery, Endpoint
from webhooks.words import delivered_words

SHOWN = 50
ACTS: dict[str, tuple[Callable[..., Any], Any]] = {
    "enable": (services.enable, _("The webhook hears again from now on.")),
    "disable": (services.disable, _("The webhook is sent nothing more.")),
    "test": (services.send_test, _("A test is on its way: reload this page in a moment.")),
}


@require_safe
@role_required(MANAGE_WEBHOOKS)
def endpoints(request: PersonRequest) -> HttpResponse:
    """Who hears of what?"""
    found = Endpoint.objects.visible_to(request.user).select_related("department")
    return render(request, "webhooks/endpoints.html", {"endpoints": found})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@role_required(MANAGE_WEBHOOKS)
def create(request: PersonRequest) -> HttpResponse:
    """A form, and the page of what it made, with its secret this once."""
    departments = departments_where(request.user, MANAGE_WEBHOOKS)
    form = EndpointForm(departments, request, request.POST or None, initial={"events": list(EVENTS)})
    if request.method == "POST" and form.is_valid():
        said = {name: form.cleaned_data[name] for name in ("department", "name", "address", "events")}
        endpoint, secret = services.create(by=request.user, **said)
        return _page(request, endpoint, secret=secret)
    return render(request, "webhooks/form.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@role_required(MANAGE_WEBHOOKS)
def endpoint(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Does it arrive?"""
    return _page(request, _visible(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@role_required(MANAGE_WEBHOOKS)
def change(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """The same form, filled in."""
    known = _visible(request, pk)
    stands = {"name": known.name, "address": known.address, "events": known.events}
    departments = departments_where(request.user, MANAGE_WEBHOOKS)
    form = EndpointForm(departments, request, request.POST or None, initial=stands, known=known)
    if request.method == "POST" and form.is_valid():
        said = {name: form.cleaned_data[name] for name in ("name", "address", "events")}
        services.change(known, by=request.user, **said)
        messages.success(request, _("The webhook was changed."))
        return redirect("webhooks:endpoint", known.pk)
    context = {"form": form, "endpoint": known}
    return render(request, "webhooks/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@role_required(MANAGE_WEBHOOKS)
def rotate(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """The password, and then a new secret, shown this once."""
    known = _visible(request, pk)
    form = ConfirmedForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _page(request, known, secret=services.rotate(known, by=request.user))
    context = {"form": form, "endpoint": known}
    return render(request, "webhooks/rotate.html", context, status=422 if form.errors else 200)


@require_POST
@role_required(MANAGE_WEBHOOKS)
def act(request: PersonRequest, pk: uuid.UUID, name: str) -> HttpResponse:
    """Enable, disable, or send a test."""
    known = _visible(request, pk)
    if name not in ACTS:
        raise Http404
    carry_out, done = ACTS[name]
    return _done(request, known, done, lambda: carry_out(known, by=request.user))


@require_POST
@role_required(MANAGE_WEBHOOKS)
def send_again(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """One message that is over, once more."""
    visible = Endpoint.objects.visible_to(request.user)
    rows = Delivery.objects.filter(endpoint__in=visible).select_related("endpoint__department")
    delivery = get_object_or_404(rows, pk=pk)
    done = _("The message is on its way again: reload this page in a moment.")
    return _done(request, delivery.endpoint, done, lambda: services.send_again(delivery, by=request.user))


def _done(request: PersonRequest, known: Endpoint, done: Any, carry_out: Callable[[], Any]) -> HttpResponse:
    try:
        carry_out()
        messages.success(request, done)
    except Refusal as refused:
        messages.warning(request, str(refused))
    return redirect("webhooks:endpoint", known.pk)


def _visible(request: PersonRequest, pk: uuid.UUID) -> Endpoint:
    found = Endpoint.objects.visible_to(request.user).select_related("department", "made_by")
    return get_object_or_404(found, pk=pk)


def _page(request: PersonRequest, known: Endpoint, *, secret: str = "") -> HttpResponse:
    recent = known.deliveries.order_by("-created_at")[:SHOWN]
    context = {
        "endpoint": known,
        "deliveries": [(one, delivered_words(one)) for one in recent],
        "former": known.secrets.filter(until__isnull=False).order_by("-until").first(),
        "secret": secret,
    }
    return render(request, "webhooks/endpoint.html", context)
