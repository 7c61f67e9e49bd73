"""Whose address it is, times in the user's own zone, and words in the user's own language."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts.addresses import client_address, is_trusted


def believe_proxies(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let REMOTE_ADDR be the client's address for everything that follows, limits and audit alike.

    What is forwarded, the address and that the client came by TLS, counts only where TRUSTED_PROXIES names
    whoever reports it; by default nobody.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        peer, forwarded = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
        if not is_trusted(peer, settings.TRUSTED_PROXIES):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        request.META["REMOTE_ADDR"] = client_address(peer, forwarded, settings.TRUSTED_PROXIES)
        return get_response(request)

    return respond


def own_time_zone(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Show every time in the zone the user has chosen; UTC before log-in, and for no such zone."""

    def respond(request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone(getattr(request.user, "time_zone", "UTC"))):
            return get_response(request)

    return respond


def _zone(name: str) -> ZoneInfo:
    """Zones come and go with the machine's tables: one that has gone must not lock its owner out."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def own_language(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Say everything in the language the user has chosen.

    Without a choice it stays as LocaleMiddleware found it: the cookie of this browser, what the browser asks
    for, English.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "")
        if not chosen or not translation.check_for_language(chosen):
            return get_response(request)
        with translation.override(chosen):
            response = get_response(request)
        response.headers.setdefault("Content-Language", chosen)
        return response

    return respond
