"""Who may open a page at all; which rows it then shows is said by each room's own reading rules."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.urls import get_script_prefix
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from accounts import kept
from accounts.models import Role, User
from accounts.roles import holds

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class PersonRequest(HttpRequest):
    """A request whose user is a logged-in person."""

    user: User


PersonView = Callable[Concatenate[PersonRequest, P], HttpResponseBase]


def people_only(view: PersonView[P]) -> View[P]:
    """Send visitors to the log-in page, and refuse service accounts: their door is the API."""

    @wraps(view)
    def guarded(request: PersonRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(_page_to_come_back_to(request))
        if request.user.is_service:
            raise PermissionDenied(gettext("A service account works through the API only."))
        return view(request, *args, **kwargs)

    return guarded  # type: ignore[return-value]  # the first lines prove that the user is ours


def _page_to_come_back_to(request: HttpRequest) -> str:
    """The page that was asked for; for a form whose session had ended, the one that it stood on."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    if page := kept.keep(request):
        return page
    stood_on = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(stood_on, {request.get_host()}, require_https=request.is_secure()):
        return get_script_prefix()
    parts = urlsplit(stood_on)
    return urlunsplit(("", "", parts.path or get_script_prefix(), parts.query, ""))


def role_required(roles: frozenset[Role]) -> Callable[[PersonView[P]], View[P]]:
    """Refuse people who hold none of the roles in any department."""

    def decorate(view: PersonView[P]) -> View[P]:
        @wraps(view)
        def guarded(request: PersonRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not holds(request.user, roles):
                raise PermissionDenied(gettext("Your role does not include this page."))
            return view(request, *args, **kwargs)

        return people_only(guarded)  # type: ignore[arg-type]  # wraps names the argument, Concatenate cannot

    return decorate
