"""What somebody sent after their session had ended: it waits for them behind the log-in page.

A form that holds words carries a ticket: who filled it in, and on which page, signed. Without one nothing is
kept, so that strangers store nothing; and nobody but that person is given the words.
"""

from datetime import timedelta

from django.core import signing
from django.http import HttpRequest

from accounts.models import User

KEY, SALT = "kept_words", "accounts.kept"
FIELD = "ticket"
GOOD_FOR = timedelta(days=7)
MOST_FIELDS, LONGEST = 20, 8_000
SECRET = frozenset({FIELD, "csrfmiddlewaretoken", "password"})


def ticket(user: User, page: str) -> str:
    """For a form on this page (a path of ours) that this user fills in."""
    return signing.dumps([user.pk, page], salt=SALT)


def keep(request: HttpRequest) -> str:
    """Keep a form that a visitor sent, in their session: the page it stood on, "" without a ticket."""
    try:
        user, page = signing.loads(request.POST.get(FIELD, ""), salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        return ""
    names = [name for name in request.POST if name not in SECRET][:MOST_FIELDS]
    words = {name: str(request.POST[name])[:LONGEST] for name in names}
    request.session[KEY] = {"user": user, "page": page, "words": words}
    return str(page)


def waiting(request: HttpRequest, page: str) -> dict[str, str]:
    """What this person sent from this page before logging in; empty when there is nothing."""
    found = request.session.get(KEY) or {}
    is_theirs = found.get("user") == request.user.pk and found.get("page") == page
    return dict(found["words"]) if is_theirs else {}


def forget(request: HttpRequest, *, unless: str = "") -> None:
    """It is kept elsewhere by now, or done with. unless: a field; words with it are another form's."""
    if unless not in (request.session.get(KEY) or {}).get("words", {}):
        request.session.pop(KEY, None)
