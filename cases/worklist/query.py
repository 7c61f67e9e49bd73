"""What somebody looks for in the worklist: the filters stand in the address, the searched words never do.

Addresses end in histories, bookmarks and the logs of whatever lies between; words may name a patient. So the
form is sent by POST, the words stay in the session, and the address holds a key to them.
"""

import uuid
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from cases.worklist.forms import WorklistForm

_WORDS, _LAST = "worklist_words", "worklist_query"
MOST_SEARCHES = 20
"""Searches that a session remembers: as many tabs, or steps back."""


def keep_search(request: HttpRequest) -> str:
    """The query under which the filters of a sent form are shown; its words go into the session."""
    form = WorklistForm(request.POST)
    query = form.as_query()
    if words := form.cleaned_data.get("q"):
        key = str(uuid.uuid4())
        held = {**request.session.get(_WORDS, {}), key: words}
        request.session[_WORDS] = dict(list(held.items())[-MOST_SEARCHES:])
        query["search"] = key
    return urlencode(query)


def asked(request: HttpRequest) -> QueryDict:
    """The filters of the address, with the words that its key stands for."""
    data = request.GET.copy()
    if words := request.session.get(_WORDS, {}).get(data.get("search", "")):
        data["q"] = words
    return data


def remember(request: HttpRequest) -> str:
    """The query of the list that is shown, without its place in it: where the way back leads."""
    query = request.GET.copy()
    query.pop("after", None)
    shown = query.urlencode()
    if request.session.get(_LAST, "") != shown:
        request.session[_LAST] = shown
    return shown


def last(request: HttpRequest) -> str:
    """The address of the worklist as it was last looked at."""
    query = request.session.get(_LAST, "")
    place = reverse("cases:worklist")
    return f"{place}?{query}" if query else place
