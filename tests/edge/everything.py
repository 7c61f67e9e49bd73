"""Every address there is, keys of everything to ask for, and which parameters each address reads."""

import contextlib
import copy
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from inference.registry.views import MOVES
from webhooks.views import ACTS

PLACE = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>|\(\?P<(?P<named>\w+)>(?P<choices>[\w|]+)\)")


@dataclass(frozen=True)
class Address:
    """A route with its places, "/cases/<uuid:pk>/"."""

    route: str

    def filled(self, values: dict[str, str]) -> str:
        """The path with these values in its places."""
        return PLACE.sub(lambda found: values[found["name"] or found["named"]], self.route)

    @property
    def places(self) -> dict[str, str]:
        """By the name of each place: uuid, int, slug, str, path, or what it may be, "csv|jsonl"."""
        return {
            found["name"] or found["named"]: found["kind"] or found["choices"] or "str"
            for found in PLACE.finditer(self.route)
        }


def addresses() -> list[Address]:
    """Every address that the resolver knows, once."""
    return [Address(route) for route in dict.fromkeys(_below(get_resolver(), "/"))]


def _below(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = prefix + _route(entry)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from _below(entry, route)


def _route(entry: URLPattern | URLResolver) -> str:
    text = str(entry.pattern)
    return (
        text if isinstance(entry.pattern, RoutePattern) else text.lstrip("^").rstrip("$").replace("\\.", ".")
    )


def keys_of_everything() -> dict[str, list[Any]]:
    """By the name of each table, "webhooks.endpoint": primary keys of a few of its rows."""
    return {
        model._meta.label_lower: list(model._default_manager.order_by("-pk").values_list("pk", flat=True)[:5])
        for model in apps.get_models()
    }


def candidates(route: str, kind: str, keys: dict[str, list[Any]]) -> list[str]:
    """What a place of this kind may hold so that something is there; likely ones first."""
    likely = sorted(keys, key=lambda label: _unlikely(label, _parts(route)))
    ordered = list(dict.fromkeys(key for table in likely for key in keys[table]))
    match kind:
        case "uuid":
            return [str(key) for key in ordered if isinstance(key, uuid.UUID)]
        case "int":
            return [*(str(key) for key in ordered if isinstance(key, int)), "0"]
        case "slug":
            return [*MOVES, *ACTS]
        case "str" | "path":
            return [str(key) for key in ordered if isinstance(key, str | int)]
        case choices:
            return choices.split("|")


def _unlikely(label: str, parts: list[str]) -> tuple[bool, bool]:
    """Least for tables that an address names, then for those of the application it names."""
    application, table = label.split(".")
    named = [part.rstrip("s") for part in parts]
    return not any(name in table for name in named), not any(name in application for name in named)


def _parts(route: str) -> list[str]:
    return [part for part in route.split("/") if part.isalpha()]


class Visitor(Client):
    """A browser or program whose requests leave nothing behind."""

    def __init__(self, **headers: str) -> None:
        super().__init__(raise_request_exception=False, headers=headers)

    def visit(self, method: str, path: str, **sent: Any) -> HttpResponse:
        """The response, read to its end; whatever the request changed is undone, a log-out too."""
        held = copy.deepcopy(self.cookies)
        with contextlib.suppress(_Undo), transaction.atomic():
            response: Any = getattr(self, method.lower())(path, **sent)
            if response.streaming:
                list(response.streaming_content)
            raise _Undo
        self.cookies = held
        return response  # type: ignore[no-any-return]


class _Undo(Exception):
    pass


asked_in_query: set[str] = set()
asked_in_form: set[str] = set()


def watch(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware of these tests: notes the names under which views look for what was sent."""

    def respond(request: HttpRequest) -> HttpResponse:
        request.GET = _watched(request.GET, asked_in_query)
        if request.method == "POST" and not request.path.startswith("/api/"):
            request.POST = _watched(request.POST, asked_in_form)
        return get_response(request)

    return respond


class _Watched(QueryDict):
    asked: set[str] | None = None

    def __getitem__(self, key: str) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._note(key)
        return super().get(key, default)

    def getlist(self, key: str, default: Any = None) -> Any:
        self._note(key)
        return super().getlist(key, default)

    def __contains__(self, key: object) -> bool:
        self._note(key)
        return super().__contains__(key)

    def _note(self, key: object) -> None:
        if self.asked is not None and isinstance(key, str):
            self.asked.add(key)


def _watched(data: QueryDict, asked: set[str]) -> _Watched:
    found = _Watched("", mutable=True, encoding=data.encoding)
    found.update(data)
    found.asked = asked
    return found


Door = tuple[Visitor, str, str]


def ways_in(
    visitor: Visitor, address: Address, keys: dict[str, list[Any]], methods: Sequence[str] = ("GET", "POST")
) -> list[Door]:
    """By GET and by POST, at the first path where something is."""
    for path in _paths(address, keys):
        answered = {method: visitor.visit(method, path) for method in methods}
        there = [method for method, found in answered.items() if found.status_code not in {404, 405}]
        if there:
            return [(visitor, method, path) for method in there]
    return []


def _paths(address: Address, keys: dict[str, list[Any]]) -> Iterator[str]:
    combined: list[dict[str, str]] = [{}]
    for name, kind in address.places.items():
        values = candidates(address.route, kind, keys)
        combined = [{**one, name: value} for one in combined for value in values]
    yield from (address.filled(one) for one in combined)
