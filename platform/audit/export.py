"""The trail as files: CSV for spreadsheets, JSON lines for machines."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from audit.models import Event

COLUMNS = (
    "id", "occurred_at", "verb", "actor_id", "actor_name", "subject_type", "subject_id",
    "thread", "detail", "door", "request_id", "ip_address", "departments",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Line:
    """What csv.writer writes to: it hands back each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(events: Iterable[Event]) -> Iterator[str]:
    """A heading, then one line an event; no cell starts a formula when a spreadsheet opens it."""
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for event in events:
        yield writer.writerow([_harmless(value) for value in _row(event).values()])


def json_lines(events: Iterable[Event]) -> Iterator[str]:
    """One JSON object a line."""
    for event in events:
        yield json.dumps(_row(event) | {"detail": event.detail}, ensure_ascii=False, default=str) + "\n"


def _row(event: Event) -> dict[str, Any]:
    said = {name: getattr(event, name) for name in COLUMNS}
    detail = json.dumps(event.detail, sort_keys=True, ensure_ascii=False)
    return said | {"occurred_at": event.occurred_at.isoformat(), "detail": detail}


def _harmless(value: Any) -> str:
    """OWASP's remedy against formula injection: an apostrophe before a sign that would begin one."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
