"""What a service says no to: the code is part of every such test."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from refusals import Refusal


@contextmanager
def refused(code: str, match: str | None = None) -> Iterator[pytest.ExceptionInfo[Refusal]]:
    """Inside, somebody is refused with this code. match: as of pytest.raises."""
    with pytest.raises(Refusal, match=match) as caught:
        yield caught
    assert caught.value.code == code
