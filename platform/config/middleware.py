"""What every request must be, what every response carries, and what is answered before either."""

import logging
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from blobs.store import BlobUnavailable
from config import problems
from config.monitoring import exposition, probes

logger = logging.getLogger(__name__)
# Nothing inline, nothing from outside: a hospital has no internet, and an attacker gets no script.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


PROBES = {"/healthz": probes.alive, "/readyz": probes.ready, "/metrics": exposition.metrics}


def answer_probes(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Health and figures before the host is checked: a probe names this machine, not what people call it."""

    def respond(request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        return probe(request) if probe else get_response(request)

    return respond


class StorageFaults:
    """A page that needs a file which cannot be reached now says so: 503, and nothing was changed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """As it comes."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, fault: Exception) -> HttpResponse | None:
        """None for every other fault. The API's own handler comes before this one."""
        if not isinstance(fault, BlobUnavailable):
            return None
        logger.error("Stored files cannot be reached: %s", fault)
        if "application/json" in request.headers.get("Accept", ""):
            return problems.no_storage()
        response = render(request, "503.html", status=503)
        response.headers["Retry-After"] = problems.RETRY_AFTER_SECONDS
        return response


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Set the policy, and forbid caching of anything that is not a static file."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"
        )
        return response

    return respond


def refuse_what_is_no_text(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """400 for NUL in a path, a page's query or a cookie: PostgreSQL has no text with it, and nobody types it.

    What stands in a body is refused by the form or serializer it belongs to, which keeps the rest; a query of
    the API by its filter, which names the parameter.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        api = request.path_info.startswith("/api/")
        query = () if api else (text for name, values in request.GET.lists() for text in (name, *values))
        if any("\0" in text for text in (request.path, *query, *request.COOKIES.values())):
            # before LocaleMiddleware, which would have done this
            translation.activate(translation.get_language_from_request(request))
            raise BadRequest("NUL in the address or a cookie")
        return get_response(request)

    return respond
