"""Charts of a value for each week, with the range around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from inference.charts.svg import PLAIN, Chart, Voice, framed, range_words, x_at, y_at


@dataclass(frozen=True)
class Week:
    """A value with the range around it, and how many it rests on; None where nothing happened."""

    start: date
    value: float | None
    low: float | None
    high: float | None
    count: int


def weeks_chart(
    title: str,
    words: str,
    what: str,
    weeks: Sequence[Week],
    *,
    top: float | None = None,
    voice: Voice = PLAIN,
) -> Chart:
    """A value for each week, with its range. top: of the axis; by default a round number above all."""
    highest = top or round_above(max((week.high or 0.0 for week in weeks), default=0.0))
    marks, middles = [], []
    for number, week in enumerate(weeks):
        x = x_at((number + 0.5) / len(weeks))
        if number % 3 == 0:
            day = escape(voice.day(week.start))
            marks.append(f'<text x="{x:.1f}" y="{y_at(0) + 15:.1f}" text-anchor="middle">{day}</text>')
        if week.value is None or week.low is None or week.high is None:
            continue
        low, high, y = (y_at(value / highest) for value in (week.low, week.high, week.value))
        marks.append(f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>')
        marks.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
        middles.append(f"{x:.1f},{y:.1f}")
    marks.append(f'<polyline class="curve" points="{" ".join(middles)}"/>')
    if not middles:
        nothing = escape(voice.say("nothing yet"))
        marks.append(
            f'<text x="{x_at(0.5):.1f}" y="{y_at(0.5) - 8:.1f}" text-anchor="middle">{nothing}</text>'
        )
    rows = tuple(
        (
            voice.date(week.start),
            voice.number(f"{week.value:.2f}"),
            range_words(week.low, week.high, voice),
            str(week.count),
        )
        for week in weeks
        if week.value is not None and week.low is not None and week.high is not None
    )
    axes = (voice.say("week"), what)
    svg = framed(title, axes, marks, diagonal=False, across=None, highest=highest, voice=voice)
    return Chart(title, words, svg, (*axes, voice.say("range"), voice.say("count")), rows)


def round_above(value: float) -> float:
    """1, 2 or 5 times a power of ten, at least 1."""
    step = 1.0
    while step < value:
        step *= 2.5 if f"{step:.0e}"[0] == "2" else 2.0
    return step
