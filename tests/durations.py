"""Files of long tests first: what begins last is short, and no test process waits long for another.

durations.json says how many seconds each file took when the whole suite was last timed:
`./test --time-again` runs it and writes them. A file that is not there counts as one of middle length.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

KEPT = Path(__file__).with_name("durations.json")
UNKNOWN_SECONDS = 10.0


class TimeAgain:
    """Adds up what the files of a run take, and keeps it beside what was known of others."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid.partition("::")[0]] += report.duration

    def pytest_sessionfinish(self) -> None:
        noted = known() | {file: round(seconds, 1) for file, seconds in self.seconds.items()}
        there = {file: noted[file] for file in sorted(noted) if (KEPT.parents[1] / file).exists()}
        KEPT.write_text(json.dumps(there, indent=0) + "\n")


def known() -> dict[str, float]:
    """Seconds of each file."""
    return json.loads(KEPT.read_text())


def longest_first(items: list[pytest.Item]) -> None:
    """Sort by file, in place; inside a file the order stays."""
    seconds = known()
    items.sort(key=lambda item: -seconds.get(item.nodeid.partition("::")[0], UNKNOWN_SECONDS))
