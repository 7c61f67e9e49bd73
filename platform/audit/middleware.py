"""Every request gets an identity that its audit lines and its response share."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from audit.context import Origin, origin


def trace_request(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Set audit.context.origin for the request, and answer with its X-Request-Id.

    The address is what accounts.middleware.believe_proxies has made of the peer's.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        door = "api" if request.path_info.startswith("/api/") else "page"
        here = Origin(door, str(uuid.uuid4()), request.META.get("REMOTE_ADDR") or None)
        request.origin = here  # type: ignore[attr-defined]  # for what is logged of it outside of this middleware
        token = origin.set(here)
        try:
            response = get_response(request)
        finally:
            origin.reset(token)
        response.headers["X-Request-Id"] = here.request_id
        return response

    return respond
