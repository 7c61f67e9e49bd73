"""The bell's pages: what has happened, read and unread."""

from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import PersonRequest, people_only
from notices.context import unread
from notices.models import Notice

PAGE = 50


@require_safe
@people_only
def notices(request: PersonRequest) -> HttpResponse:
    """One page, newest first; `before` is the key that the page continues from."""
    rows = Notice.objects.visible_to(request.user).order_by("-pk")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal():
        rows = rows.filter(pk__lt=int(before[:18]))
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    context = {
        "notices": shown,
        "some_are_unread": any(notice.read_at is None for notice in shown),
        "older": shown[-1].pk if len(found) > PAGE else None,
        "is_first": not before,
    }
    return render(request, "notices/notices.html", context)


@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """The count alone; 204 while it is what the page shows, and for whoever is no longer logged in."""
    if not request.user.is_authenticated or request.user.is_service:
        return HttpResponse(status=204)
    count = unread(request.user)
    if request.GET.get("seen") == str(count):
        return HttpResponse(status=204)
    return HttpResponse(render_to_string("notices/count.html", {"count": count}))


@require_POST
@people_only
def look(request: PersonRequest, pk: int) -> HttpResponse:
    """To what a notice is about, which reads it."""
    notice = get_object_or_404(Notice.objects.visible_to(request.user), pk=pk)
    _read(request, pk=pk)
    return redirect(notice.page)


@require_POST
@people_only
def read(request: PersonRequest, pk: int) -> HttpResponse:
    """Read, without going there."""
    get_object_or_404(Notice.objects.visible_to(request.user), pk=pk)
    _read(request, pk=pk)
    return redirect("notices:notices")


@require_POST
@people_only
def read_all(request: PersonRequest) -> HttpResponse:
    """Everything up to the newest that the page showed: what came since stays unread."""
    newest = request.POST.get("newest", "")
    if newest.isascii() and newest.isdecimal():
        _read(request, pk__lte=int(newest[:18]))
    return redirect("notices:notices")


@transaction.atomic
def _read(request: PersonRequest, **which: int) -> None:
    Notice.objects.visible_to(request.user).unread().filter(**which).update(read_at=Now())
