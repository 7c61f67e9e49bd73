"""The page that shows what files will become, and the addresses to which the case page's script sends."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import PersonRequest, people_only
from cases import access
from cases.models import Case, UploadSession
from cases.review.forms import focused
from cases.uploads import committing, service, words
from cases.uploads.forms import BeginForm, CommitForm
from language.stored import said
from refusals import Refusal


@require_POST
@people_only
def begin(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """A session for files that the script then sends one by one."""
    case = get_object_or_404(Case.objects.visible_to(request.user), pk=pk)
    access.require_writer(case, request.user)
    form = BeginForm(request.POST)
    if not form.is_valid():
        sentence = gettext("Say whether these are ultrasound or MRI scans.")
        return JsonResponse({"code": "invalid", "sentence": sentence}, status=400)
    try:
        session = service.open_session(case, form.cleaned_data["modality"], by=request.user)
    except Refusal as refusal:
        return _refused(refusal)
    parts = reverse("cases:upload_parts", args=[session.pk])
    return JsonResponse({"parts": parts, "page": session.get_absolute_url()}, status=201)


@require_POST
@people_only
def add_part(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """One more file of a session."""
    session = _session(request, pk)
    access.require_writer(session.case, request.user)
    files = request.FILES.getlist("file")
    if len(files) != 1:
        sentence = gettext("Choose at least one file.")
        return JsonResponse({"code": "invalid", "sentence": sentence}, status=400)
    name, sha256 = request.POST.get("name", ""), request.POST.get("sha256", "")
    try:
        added = service.add_part(session, files[0], by=request.user, name=name, sha256=sha256)
    except Refusal as refusal:
        return _refused(refusal)
    return JsonResponse({"sha256": added.part.sha256}, status=201 if added.is_new else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def understood(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """What the files of a session will become; sent, they become it."""
    session = _session(request, pk)
    access.require_writer(session.case, request.user)
    lines = words.summary(session)
    asks = any(line.known for line in lines)
    if request.method != "POST":
        return _page(request, session, lines, CommitForm(asks=asks))
    form, status = CommitForm(request.POST, asks=asks), 422
    if form.is_valid():
        try:
            progress = committing.commit(session, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            status = 409 if refusal.is_late else refusal.status
            at = refusal.field if refusal.field in form.fields else None
            form.add_error(at, str(refusal))
            return _page(request, session, lines, form, status=status, code=refusal.code)
        _tell(request, progress)
        return redirect(_goes_on(session, progress))
    return _page(request, session, lines, form, status=status)


def _goes_on(session: UploadSession, progress: committing.Progress) -> str:
    """The first new scan; the same page once more where there is more to add."""
    if progress.left:
        return session.get_absolute_url()
    keys = [one.scan for one in progress.done if one.scan]
    numbers = session.case.scans.filter(pk__in=keys).order_by("number").values_list("number", flat=True)
    return (
        f"{session.case.get_absolute_url()}?scan={numbers[0]}" if numbers else session.case.get_absolute_url()
    )


def _tell(request: HttpRequest, progress: committing.Progress) -> None:
    """What became of the files, above the next page."""
    added = sum(one.status == "added" for one in progress.done)
    known = sum(one.status == "known" for one in progress.done)
    if added:
        sentence = ngettext("{count} scan was added.", "{count} scans were added.", added)
        messages.success(request, sentence.format(count=added))
    if known:
        sentence = ngettext("{count} was here already.", "{count} were here already.", known)
        messages.info(request, sentence.format(count=known))
    for one in progress.done:
        if one.status == "refused":
            messages.warning(request, f"{said(one.detail)} ({one.code})")
    if progress.left:
        sentence = ngettext(
            "{count} is still to be added: go on.", "{count} are still to be added: go on.", progress.left
        )
        messages.warning(request, sentence.format(count=progress.left))


def _page(
    request: HttpRequest,
    session: UploadSession,
    lines: list[words.Line],
    form: CommitForm,
    *,
    status: int = 200,
    code: str = "invalid",
) -> HttpResponse:
    context: dict[str, Any] = {
        "section": "worklist",
        "session": session,
        "case": session.case,
        "lines": lines,
        "will_be_scans": any(not line.is_left_out for line in lines),
        "form": focused(form),
        "code": code,
    }
    return render(request, "cases/understood.html", context, status=status)


def _session(request: PersonRequest, pk: uuid.UUID) -> UploadSession:
    sessions = UploadSession.objects.visible_to(request.user).select_related("case__patient")
    return get_object_or_404(sessions, pk=pk)


def _refused(refusal: Refusal) -> JsonResponse:
    return JsonResponse({"code": refusal.code, "sentence": said(str(refusal))}, status=refusal.status)
