"""Errors of the API as RFC 9457 problem documents."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from cases.services import KeyReused
from inference.formats.errors import FormatError
from inference.jobs import IllegalMove

MEDIA_TYPE = "application/problem+json"


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """A problem document: a stable code for the machine, one sentence for the person."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code}
    return Response(body | {"detail": detail} | more, status=status, content_type=MEDIA_TYPE)


def problem_response(exception: Exception, _context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler; None lets an unexpected fault be a 500."""
    set_rollback()
    match exception:
        case FormatError():
            return problem(exception.status, exception.code, exception.detail)
        case KeyReused():
            return problem(422, "idempotency_key_reused", str(exception))
        case IllegalMove():
            return problem(409, "illegal_move", str(exception))
        case Http404():
            return problem(404, "not_found", "There is nothing here, or you may not see it.")
        case PermissionDenied():
            return problem(403, "permission_denied", str(exception) or "You may not do this.")
        case exceptions.ValidationError():
            return problem(400, "invalid", "The request is not valid: see errors.", errors=exception.detail)
        case exceptions.APIException():
            return _of_framework(exception)
    return None


def _of_framework(exception: exceptions.APIException) -> Response:
    code = exception.get_codes()
    response = problem(
        exception.status_code, code if isinstance(code, str) else "error", str(exception.detail)
    )
    if header := getattr(exception, "auth_header", None):
        response.headers["WWW-Authenticate"] = header
    return response


def api_not_found(_request: HttpRequest, _path: str = "") -> JsonResponse:
    """What the API says for a path that no route has."""
    body = problem(404, "not_found", "There is no such address in this API.").data
    return JsonResponse(body, status=404, content_type=MEDIA_TYPE)
