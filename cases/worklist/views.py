"""The pages of many cases: the worklist, its saved views, and how a department reads."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import PersonRequest, people_only, role_required
from accounts.models import User
from accounts.roles import MANAGE_ACCOUNTS, MANAGE_MODELS, READ_CASES, departments_where, holds
from audit.trail import record
from cases.dashboard import dashboard
from cases.models import Case, SavedView
from cases.viewer import shortcuts
from cases.worklist import lines as worklist
from cases.worklist import query as worklist_query
from cases.worklist.forms import SavedViewForm, WorklistForm
from cases.worklist.listing import note_listing
from cases.worklist.next_case import next_case


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def worklist_page(request: PersonRequest) -> HttpResponse:
    """What is next? A search is sent by POST, so that its words stand in no address."""
    if request.method == "POST":
        return redirect(f"{reverse('cases:worklist')}?{worklist_query.keep_search(request)}")
    form = WorklistForm(worklist_query.asked(request)).offer_to(request.user)
    page = worklist.page(request.user, form)
    has_cases = bool(page.lines) or Case.objects.visible_to(request.user).exists()
    own = None if has_cases else landing(request.user)
    if own:
        return redirect(own)
    note_listing(request.user, [line.case for line in page.lines], filters=form.chosen())
    context = {
        "section": "worklist",
        "key_groups": shortcuts.WORKLIST if page.lines or form.chosen() else shortcuts.PLAIN,
        "form": form,
        "page": page,
        "query": worklist_query.remember(request),
        "order": form.chosen_order(),
        "is_filtered": bool(form.chosen()),
        "has_cases": has_cases,
        "saved_views": SavedView.objects.filter(owner=request.user),
    }
    return render(request, "cases/worklist.html", context)


def landing(user: User) -> str | None:
    """Where somebody begins who was lent no case and whose role reads none; None for all others."""
    if holds(user, READ_CASES):
        return None
    places = ((MANAGE_MODELS, "inference:models"), (MANAGE_ACCOUNTS, "inference:queue"))
    return next((place for roles, place in places if holds(user, roles)), None)


@require_safe
@people_only
def next_page(request: PersonRequest) -> HttpResponse:
    """The case to take up next; the worklist, with a sentence, where nothing waits for this reader."""
    found = next_case(request.user)
    if found:
        return redirect(found)
    messages.info(request, gettext("Nothing more waits for you."))
    return redirect("cases:worklist")


@require_POST
@role_required(READ_CASES)
def save_view(request: PersonRequest) -> HttpResponse:
    """Keep the worklist's filters under a name; the same name again is the newer choice."""
    form = SavedViewForm(request.POST)
    if not form.is_valid():
        sentence = gettext("Give the view a name of at most 40 characters, and set a filter first.")
        messages.warning(request, sentence)
        return redirect("cases:worklist")
    name, query = form.cleaned_data["name"], form.cleaned_data["query"]
    SavedView.objects.update_or_create(owner=request.user, name=name, defaults={"query": query})
    return redirect(f"{reverse('cases:worklist')}?{query}")


@require_POST
@role_required(READ_CASES)
def forget_view(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Remove one of one's own saved views."""
    get_object_or_404(SavedView, pk=pk, owner=request.user).delete()
    return redirect("cases:worklist")


@require_safe
@role_required(READ_CASES)
def department_page(request: PersonRequest) -> HttpResponse:
    """How do we read, and does anything drift?"""
    where = departments_where(request.user, READ_CASES).values_list("pk", flat=True)
    record("department.viewed", actor=request.user, departments=where)
    context = {"section": "department", "dashboard": dashboard(request.user)}
    return render(request, "cases/department.html", context)
