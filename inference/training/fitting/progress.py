"""How far a training is: lines for a file, one living bar for a terminal."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from tqdm import tqdm

from inference.training.fitting.session import Report, Step

RECENT = 20
"""Units of work whose pace tells the time left."""
WHOLE = 10
"""From here on decimals tell nobody anything."""


class Clock:
    """Passes every step on, and knows what the training cost so far."""

    def __init__(self, report: Report) -> None:
        self._pass_on = report
        self._started = self._last = time.monotonic()
        self._units: list[float] = []
        self._done = 0

    def report(self, step: Step) -> None:
        """Pass on with the seconds left, at most, judged by the units of work done in this run."""
        now, units = time.monotonic(), step.done - self._done
        self._units += [(now - self._last) / units] * units if units else []
        self._last, self._done = now, step.done
        values = {**step.values, **self._left(step), "memory MiB": memory_mib()}
        self._pass_on(Step(step.stage, values, step.done, step.total))

    def _left(self, step: Step) -> dict[str, float]:
        """At the pace of the last epochs."""
        recent = self._units[-RECENT:]
        return {"seconds left": (step.total - step.done) * sum(recent) / len(recent)} if recent else {}

    def figures(self) -> dict[str, Any]:
        """For the card."""
        spent = sum(self._units)
        return {
            "minutes": round((time.monotonic() - self._started) / 60, 1),
            "seconds_per_epoch": round(spent / max(len(self._units), 1), 2),
            "peak_memory_mib": memory_mib(),
        }


def memory_mib() -> int:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@contextmanager
def shown_on(out: TextIO) -> Iterator[Callable[[Step], None]]:
    """A report for a person at a terminal, or for a file."""
    if out.isatty():
        with tqdm(total=1, file=out, unit="epoch", dynamic_ncols=True, leave=False) as bar:
            yield lambda step: _move(bar, step)
    else:
        started = time.monotonic()
        yield lambda step: _write(out, step, time.monotonic() - started)


def _move(bar: Any, step: Step) -> None:
    bar.total, bar.n = max(step.total, 1), step.done
    bar.set_description(step.stage, refresh=False)
    bar.set_postfix_str(_words(step))


def _write(out: TextIO, step: Step, seconds: float) -> None:
    out.write(f"[{seconds:6.0f} s] {step.stage}  {_words(step)}\n")
    out.flush()


def _words(step: Step) -> str:
    return "  ".join(
        f"{name} {value:.0f}" if value >= WHOLE else f"{name} {value:.3f}"
        for name, value in step.values.items()
    )
