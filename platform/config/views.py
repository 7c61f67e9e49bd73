"""The schema of the API."""

import json
from functools import cache
from pathlib import Path
from typing import cast

import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed

from config.problems import problem_response

SAFE = frozenset({"GET", "HEAD"})


@csrf_exempt
def schema(request: HttpRequest) -> HttpResponse:
    """The API's description as it was made when this version was built; JSON for whoever prefers it.

    Made anew for each request it would cost a second, and the generator is not for several threads.
    """
    if request.method not in SAFE:
        return cast(HttpResponse, problem_response(MethodNotAllowed(str(request.method)), {}))
    as_yaml, as_json = _schema()
    if request.get_preferred_type(["application/vnd.oai.openapi", "application/json"]) == "application/json":
        return HttpResponse(as_json, content_type="application/json")
    return HttpResponse(as_yaml, content_type="application/vnd.oai.openapi; charset=utf-8")


@cache
def _schema() -> tuple[bytes, bytes]:
    as_yaml = Path(settings.API_SCHEMA).read_bytes()
    return as_yaml, json.dumps(yaml.safe_load(as_yaml)).encode()
