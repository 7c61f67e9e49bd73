"""The auditor's page: filter, read on, export. Looking is itself on the trail."""

from collections.abc import Iterable

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import PersonRequest, role_required
from accounts.roles import READ_AUDIT, departments_where
from audit import checks, export, seals
from audit.forms import FilterForm, of_event
from audit.models import Event
from audit.sentences import particulars, sentence
from audit.trail import numbers_of, record

PAGE = 50


@require_safe
@role_required(READ_AUDIT)
def trail(request: PersonRequest) -> HttpResponse:
    """One page of events, newest first; `before` is the id that the page continues from."""
    form = FilterForm(request.GET)
    events = form.narrow(Event.objects.visible_to(request.user)).order_by("-id")
    if before := form.cleaned_data.get("before"):
        events = events.filter(pk__lt=before)
    found = list(events[: PAGE + 1])
    shown = found[:PAGE]
    record("audit.viewed", actor=request.user, departments=_looked_at(request, shown), filters=form.chosen())
    query = request.GET.copy()
    query.pop("before", None)
    numbers = numbers_of({event.thread for event in shown})
    context = {
        "section": "audit",
        "form": form,
        "check": checks.last(),
        "under_way": checks.under_way(),
        "links": sum(seals.head(chain)[0] for chain in (seals.EVENTS, seals.ROWS)),
        "lines": [
            (event, sentence(event), particulars(event), numbers.get(event.thread) or of_event(event))
            for event in shown
        ],
        "query": query.urlencode(),
        "older": shown[-1].pk if len(found) > PAGE else None,
    }
    return render(request, "audit/trail.html", context)


@require_POST
@role_required(READ_AUDIT)
def check(request: PersonRequest) -> HttpResponse:
    """Ask for both chains to be walked again; the page says how far that is."""
    checks.ask(request.user)
    return redirect("audit:trail")


@require_safe
@role_required(READ_AUDIT)
def download(request: PersonRequest, form: str) -> HttpResponseBase:
    """Every event that passes the filters, as CSV or JSON lines, oldest first."""
    filters = FilterForm(request.GET)
    events = filters.narrow(Event.objects.visible_to(request.user)).order_by("id")
    where = _looked_at(request, list(events[:PAGE]))
    record("audit.exported", actor=request.user, departments=where, format=form, filters=filters.chosen())
    lines = export.csv_lines if form == "csv" else export.json_lines
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    response = StreamingHttpResponse(lines(events.iterator()), content_type=kind)
    name = f"ventra-audit-{timezone.now():%Y%m%d-%H%M%S}.{form}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _looked_at(request: PersonRequest, events: Iterable[Event]) -> set[int]:
    """Whose trail was read; who looked for one case's of one department has not looked at the others'."""
    audited = set(departments_where(request.user, READ_AUDIT).values_list("pk", flat=True))
    found = audited & {key for event in events for key in event.departments}
    return found if found and request.GET.get("thread") else audited
