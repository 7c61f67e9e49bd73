"""What a page says, for tests that look for something in it, and its forms, filled in as a person would."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver

from cases.review.panel import review_panel
from cases.review.shown import Shown


def without_clock_times(html: str) -> str:
    """The page without fractions of a second, in which any number may stand by chance."""
    return re.sub(r"(?<=:\d\d)\.\d+", "", html)


def hidden_fields(html: str) -> dict[str, str]:
    """Name and value of every hidden input of the page."""
    found: dict[str, str] = {}

    class Inputs(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            said = dict(attributes)
            if tag == "input" and said.get("type") == "hidden" and said.get("name"):
                found[str(said["name"])] = said.get("value") or ""

    Inputs().feed(html)
    return found


def shown_by(client: Client, address: str) -> dict[str, str]:
    """What the page at this address shows, as its form sends it back."""
    fields = hidden_fields(client.get(address).content.decode())
    return {name: value for name, value in fields.items() if name.startswith("shown_")}


def file_read(client: Client, case: Any, follow: bool = False, **sent: Any) -> HttpResponse:
    """Open the case page, fill in the read's form and file it."""
    shown = shown_by(client, case.get_absolute_url())
    return client.post(f"/cases/{case.pk}/reads/", shown | sent, follow=follow)


def sign(client: Client, case: Any, password: str, follow: bool = False) -> HttpResponse:
    """Open the signing page, give the password and sign."""
    address = f"/cases/{case.pk}/sign/"
    return client.post(address, shown_by(client, address) | {"password": password}, follow=follow)


def shown_now(case: Any, user: Any) -> Shown:
    """What a page would show this user at this moment, for tests that call a service."""
    case.refresh_from_db()
    return review_panel(case, user).shown


def routes(patterns, start: str = "", space: str = "") -> Iterator[tuple[str, str, URLPattern]]:
    """(address, name, pattern) of everything in the resolver."""
    for entry in patterns:
        address = start + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = ":".join(part for part in (space, entry.namespace or "") if part)
            yield from routes(entry.url_patterns, address, inner)
        else:
            yield address, f"{space}:{entry.name}" if space else str(entry.name), entry
