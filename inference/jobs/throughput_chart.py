"""The queue's throughput, drawn."""

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from inference.charts.bars import bars_chart
from inference.charts.svg import Chart
from inference.charts.voice import voice
from inference.jobs.queue import Hour
from inference.models import Job

DRAWN = (Job.Kind.PREDICT, Job.Kind.EXPLAIN, Job.Kind.SHADOW)
"""Kinds with a bar of their own; the rest is rare, and drawn together."""


def throughput_chart(hours: Sequence[Hour]) -> Chart:
    """Jobs done in each hour, in the reader's time."""
    rest = [kind for kind in Job.Kind if kind not in DRAWN]
    bars = []
    for hour in hours:
        own = [hour.done.get(kind, 0) for kind in DRAWN]
        bars.append((_clock(hour), [*own, sum(hour.done.get(kind, 0) for kind in rest)]))
    done = sum(sum(parts) for _hour, parts in bars)
    return bars_chart(
        _("Done in each hour"),
        _("%(jobs)s jobs in the last 24 hours, the present hour last.") % {"jobs": done},
        (_("hour"), _("jobs")),
        [_("classify"), _("explain"), _("unseen"), _("other")],
        bars,
        (_("hour"), *(str(kind.label) for kind in Job.Kind), _("all")),
        tuple(_row(hour) for hour in reversed(hours)),
        voice=voice(),
    )


def _row(hour: Hour) -> tuple[str, ...]:
    counts = [hour.done.get(kind, 0) for kind in Job.Kind]
    return (_clock(hour), *map(str, counts), str(sum(counts)))


def _clock(hour: Hour) -> str:
    return f"{timezone.localtime(hour.start):%H:%M}"
