"""How a page says what became of a form: it is carried out, or refused in one sentence with its code."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from cases import advising, worklist_query
from cases.models import Case
from cases.refusals import CannotDo


def carried_out(request: HttpRequest, case: Case, act: Callable[[], Any]) -> HttpResponse:
    """Carry it out, or say why not; then the page again, on the scan that was shown.

    What was done may call for other advice: it is given now, so that the page already has it.
    """
    try:
        act()
    except CannotDo as refusal:
        return refused(request, case, str(refusal), code=refusal.code)
    advising.give(case)
    return redirect(back_to(request, case))


def refused(request: HttpRequest, case: Case, sentence: str, *, code: str = "") -> HttpResponse:
    """The page again with the sentence; the code is the message's extra tag."""
    messages.warning(request, sentence, extra_tags=code)
    return redirect(back_to(request, case))


def back_to(request: HttpRequest, case: Case) -> str:
    """The address of the page that the form stood on."""
    if request.POST.get("back") == "worklist":
        return worklist_query.last(request)
    number = request.POST.get("scan", "")
    return f"{case.get_absolute_url()}?scan={number}" if number.isdecimal() else case.get_absolute_url()
