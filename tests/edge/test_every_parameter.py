"""No string breaks a page: whatever is sent, in any parameter of any address, it is answered."""

import json
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import long
import pytest
from drf_spectacular.generators import SchemaGenerator
from edge import everything
from edge.everything import Visitor, addresses, keys_of_everything, ways_in

pytestmark = pytest.mark.django_db

NASTY = {
    "NUL": "a\0b",
    "lone surrogate": "a\ud800b",
    "10,000 characters": "x" * 10_000,
    "early date": "0001-01-01",
    "far date": "9999-12-31",
    "far moment": "9999-12-31T23:59:59-23:59",
    "5,000 digits": "9" * 5_000,
}
NUMBERS = {f"the value {value}": value for value in (10**40, -(10**40), 1e400, True, None, {}, [])}
NOWHERE = {"/api/", "/admin/(?P<url>.*)"}
"""What answers 404 always."""


@pytest.fixture
def watched(settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "edge.everything.watch"]


@pytest.fixture
def person(watched, world) -> Visitor:
    visitor = Visitor()
    visitor.force_login(world.user, backend="django.contrib.auth.backends.ModelBackend")
    return visitor


@pytest.fixture
def program(watched, world) -> Visitor:
    return Visitor(Authorization=f"Token {world.token}")


PARTS = 8
"""So that a fault names a few addresses, and the walk starts again with few requests behind it."""


@cache
def described() -> dict[str, Any]:
    """What the API says of itself."""
    return SchemaGenerator().get_schema(request=None, public=True)


def doors(part: int, person: Visitor, program: Visitor) -> list[tuple[Visitor, str, str]]:
    """Every address and method that answers, of a part of them: who asks, the method, the path."""
    keys = keys_of_everything()
    found: list[tuple[Visitor, str, str]] = []
    nothing = set()
    for address in addresses()[part::PARTS]:
        opened = ways_in(program if address.route.startswith("/api/v1/") else person, address, keys)
        found += opened
        if not opened:
            nothing.add(address.route)
    assert nothing <= NOWHERE, "give the world something that is there"
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_no_value_of_any_parameter_breaks_an_address(part, person, program, world):
    schema = described()
    broken: list[str] = []
    for door in doors(part, person, program):
        visitor, method, path = door
        everything.asked_in_query.clear()
        everything.asked_in_form.clear()
        visitor.visit(method, path, **(_form("any", "thing") if method == "POST" else {}))
        for name in sorted(everything.asked_in_query):
            broken += _all_answered((visitor, method, f"{path}?"), name, _in_query)
        for name in sorted(everything.asked_in_form):
            broken += _all_answered(door, name, _form)
        names, headers = _described(schema, method, path) if visitor is program else ([], [])
        for name in names:
            broken += _all_answered(door, name, _json, NASTY | NUMBERS)
            broken += _all_answered(door, name, _json_list)
        for name in headers:
            broken += _all_answered(door, name, _header)
    assert not broken, "\n".join(broken)


Door = tuple[Visitor, str, str]


def some_of(values: dict[str, Any], name: str) -> dict[str, Any]:
    """In the suite a parameter is given one in three of the values; `./test --long` gives it all."""
    return long.share_of(values, len(values) // 3, name)


def _all_answered(door: Door, name: str, sent: Any, values: dict[str, Any] = NASTY) -> list[str]:
    """Which of the values were answered with a fault of ours."""
    visitor, method, path = door
    found = []
    for what, value in some_of(values, f"{method} {path} {name}").items():
        found += _answered(visitor, method, path, f"{name}: {what}", **sent(name, value))
    return found


def _in_query(name: str, value: str) -> dict[str, Any]:
    return {"query": urlencode({name: value}, errors="surrogatepass")}


def _form(name: str, value: str) -> dict[str, Any]:
    body = urlencode({name: value}, errors="surrogatepass")
    return {"data": body, "content_type": "application/x-www-form-urlencoded"}


def _json(name: str, value: Any) -> dict[str, Any]:
    return {"data": json.dumps({name: value}), "content_type": "application/json"}


def _json_list(name: str, value: Any) -> dict[str, Any]:
    return _json(name, [value, {"a": value}])


def _header(name: str, value: str) -> dict[str, Any]:
    return {"headers": {name: value}, "data": "{}", "content_type": "application/json"}


def test_no_value_in_the_path_breaks_an_address(person, program, world):
    broken = []
    for address in addresses():
        visitor = program if address.route.startswith("/api/v1/") else person
        for method in ("GET", "POST"):
            for what, value in some_of(NASTY, f"{method} {address.route}").items():
                filled = {name: quote(value, safe="", errors="surrogatepass") for name in address.places}
                if filled:
                    broken += _answered(visitor, method, address.filled(filled), what)
    assert not broken, "\n".join(broken)


def _answered(
    visitor: Visitor, method: str, path: str, what: str, *, query: str = "", **sent: Any
) -> list[str]:
    path = f"{path}{query}"
    response = visitor.visit(method, path, **sent)
    return [f"{response.status_code} {method} {path[:90]} {what}"] if response.status_code >= 500 else []


def _described(schema: dict[str, Any], method: str, path: str) -> tuple[list[str], list[str]]:
    """What the API says of its own operation: the names in its body, and its headers."""
    for template, operations in schema["paths"].items():
        if method.lower() in operations and _fits(template, path):
            operation = operations[method.lower()]
            content = operation.get("requestBody", {}).get("content", {})
            names: list[str] = []
            for body in content.values():
                reference = body["schema"].get("$ref", "").rpartition("/")[2]
                names += schema["components"]["schemas"].get(reference, body["schema"]).get("properties", {})
            parameters = operation.get("parameters", [])
            return names, [one["name"] for one in parameters if one["in"] == "header"]
    return [], []


def _fits(template: str, path: str) -> bool:
    expected, given = template.split("/"), path.split("/")
    return len(expected) == len(given) and all(
        one == other or one.startswith("{") for one, other in zip(expected, given, strict=True)
    )
