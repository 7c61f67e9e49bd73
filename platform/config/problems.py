"""Errors of the API as RFC 9457 problem documents."""

import errno
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext, gettext_noop
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, serializers
from rest_framework.views import set_rollback

from blobs.store import BlobUnavailable
from language.stored import said
from refusals import Refusal

TOO_MANY = (TooManyFilesSent, TooManyFieldsSent)
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "5"
DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
NO_STORAGE = gettext_noop("Stored files cannot be reached. Nothing was changed; try again shortly.")
_NO_DATABASE = gettext_noop("The database does not answer. Try again shortly.")
_NO_DATABASE_WHEN_SENT = gettext_noop(
    "The database does not answer. It is not known whether what you sent was kept: look, then try again."
)


class FieldErrorSerializer(serializers.Serializer[Any]):
    """One thing that is wrong with the request."""

    field = serializers.CharField(help_text="Where: a body field, a parameter, or a path such as frames.0")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457: `code` is stable and for machines, `detail` is one sentence for people."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]  # a field, as RFC 9457 names it


def problem(status: int, code: str, detail: str, **more: Any) -> JsonResponse:
    """A problem document. It is JSON whatever the client would have accepted for an answer."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code}
    return JsonResponse(body | {"detail": detail} | more, status=status, content_type=MEDIA_TYPE)


def problem_response(exception: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """REST framework's exception handler; None lets an unexpected fault be a 500."""
    set_rollback()
    match exception:
        case Refusal():
            return _refused(exception)
        case Http404():
            return problem(404, "not_found", gettext("There is nothing here, or you may not see it."))
        case PermissionDenied():
            return problem(403, "permission_denied", str(exception) or gettext("You may not do this."))
        case exceptions.APIException():
            return _of_framework(exception)
        case RequestDataTooBig():
            return problem(413, "too_large", gettext("The request is larger than this address accepts."))
        case SuspiciousOperation():
            return _malformed(exception)
        case OperationalError() | InterfaceError() | BlobUnavailable():
            return no_storage() if isinstance(exception, BlobUnavailable) else no_database(context)
    return None


def no_database(context: dict[str, Any]) -> JsonResponse:
    """503: worth trying again. What was sent may have been kept, where it broke in the last moment."""
    response = problem(503, "database_unavailable", _no_database_sentence(context.get("request")))
    response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def no_storage() -> JsonResponse:
    """503: a file that was stored cannot be read, or none can be stored. Worth trying again."""
    response = problem(503, "storage_unavailable", gettext(NO_STORAGE))
    response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def _refused(refusal: Refusal) -> JsonResponse:
    response = problem(refusal.status, refusal.code, said(str(refusal)), **refusal.named)
    if refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _of_framework(exception: exceptions.APIException) -> JsonResponse:
    if isinstance(exception, exceptions.ValidationError):
        errors = list(_field_errors(exception.get_full_details()))
        return problem(400, "invalid", gettext("The request is not valid: see errors."), errors=errors)
    response = problem(exception.status_code, str(exception.get_codes()), str(exception.detail))
    if header := getattr(exception, "auth_header", None):
        response.headers["WWW-Authenticate"] = header
    return response


def _field_errors(details: Any, path: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """Flatten REST framework's nested errors; a leaf is {"message", "code"}."""
    if isinstance(details, list):
        for item in details:
            yield from _field_errors(item, path)
    elif isinstance(details.get("code"), str) and "message" in details:
        field = ".".join(path) or "request"
        yield {"field": field, "code": details["code"], "detail": str(details["message"])}
    else:
        for name, inner in details.items():
            yield from _field_errors(inner, (*path, str(name)))


@csrf_exempt
def api_not_found(_request: HttpRequest) -> JsonResponse:
    """What the API says for a path that no route has, whatever the method."""
    return problem(404, "not_found", gettext("There is no such address in this API."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A malformed request: a problem document from the API, a page elsewhere."""
    if _is_api(request):
        return _malformed(exception)
    if isinstance(exception, TOO_MANY):
        return render(request, "413.html", {"sentence": _too_many()}, status=413)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Our own fault, already logged: a problem document from the API, a page elsewhere.

    503 for a database that has gone and a disk that is full: those pass.
    """
    fault = sys.exc_info()[1]
    if isinstance(fault, OperationalError | InterfaceError):
        return _for_now(request, no_database({"request": request}), "503-database.html")
    if isinstance(fault, OSError) and fault.errno in DISK_FAULTS:
        return _for_now(request, no_storage(), "503.html")
    if not _is_api(request):
        return defaults.server_error(request)
    return problem(
        500, "server_error", gettext("Something went wrong here. The request id finds it in the log.")
    )


def _for_now(request: HttpRequest, said_to_programs: JsonResponse, template: str) -> HttpResponse:
    """503, as a problem document or as a page; worth trying again."""
    if _is_api(request) or "application/json" in request.headers.get("Accept", ""):
        return said_to_programs
    sentence = _no_database_sentence(request)
    # without the request: what pages know of their reader comes from the database
    response = HttpResponse(render_to_string(template, {"sentence": sentence}), status=503)
    response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def _no_database_sentence(request: Any) -> str:
    is_sent = request is not None and request.method not in {"GET", "HEAD", "OPTIONS"}
    return gettext(_NO_DATABASE_WHEN_SENT if is_sent else _NO_DATABASE)


def _malformed(exception: Exception) -> JsonResponse:
    if isinstance(exception, TOO_MANY):
        return problem(413, "too_many_parts", _too_many())
    return problem(400, "bad_request", gettext("The request is malformed."))


def _too_many() -> str:
    """Nothing of such a request was taken, and it must not look as if some of it had been."""
    files, fields = settings.DATA_UPLOAD_MAX_NUMBER_FILES, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    sentence = gettext(
        "One request takes {files} files and {fields} other fields at most. Nothing was taken."
    )
    return sentence.format(files=files, fields=fields)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
