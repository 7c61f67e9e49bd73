"""The switch of the language in the foot of every page.

It is how somebody reads, and no change of an account: the audit has no line for it.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts.models import User


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Remember the choice in this browser and, of somebody who is logged in, for every browser."""
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES) and isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=chosen)
    return set_language(request)
