"""What only `./test --long` does whole: walks of which the suite takes a share, and tests that take minutes.

A share is drawn by name: the same each time, and over many names every value has its turn.
"""

import os
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

import pytest

KEYS = re.compile(r"[0-9a-f-]{32,}|\d+")
"""Of rows, in an address: they are others each time."""
Key, Value = TypeVar("Key"), TypeVar("Value")


def is_asked() -> bool:
    """Whether this run leaves nothing out."""
    return "VENTRA_LONG" in os.environ


def share(values: Sequence[Value], count: int, name: str) -> Sequence[Value]:
    """So many of the values, one after another from where the name begins; all of them in a long run."""
    if is_asked() or count >= len(values):
        return values
    start = zlib.crc32(KEYS.sub("", name).encode())
    return [values[(start + place) % len(values)] for place in range(count)]


def share_of(values: Mapping[Key, Value], count: int, name: str) -> dict[Key, Value]:
    """The same of a mapping."""
    return dict(share(list(values.items()), count, name))


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that are marked long, in place, unless this is a long run."""
    if is_asked():
        return
    left = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if not item.get_closest_marker("long")]
