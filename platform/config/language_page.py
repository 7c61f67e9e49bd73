"""The switch of the language in the foot of every page.

It stands in the composition root because a choice of a person is both an account's matter and an audit line.
"""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts.models import User
from audit.trail import record


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Remember the choice in this browser and, of somebody who is logged in, for every browser."""
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES) and isinstance(request.user, User):
        keep(request.user, chosen)
    return set_language(request)


@transaction.atomic
def keep(user: User, language: str) -> None:
    """Store a person's own language."""
    User.objects.filter(pk=user.pk).update(language=language)
    record(
        "account.changed", actor=user, subject=user, name=user.get_username(), change=f"language {language}"
    )
