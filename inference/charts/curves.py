"""Charts of curves: one with its band, what is said against what is found, several told apart by dashes."""

from collections.abc import Sequence
from html import escape

from inference.charts.svg import LEGEND, LINES, PLAIN, Chart, Voice, framed, range_words, x_at, y_at
from inference.training.evaluation.curves import Bin, Curve


def curve_chart(
    title: str,
    words: str,
    axes: tuple[str, str],
    curve: Curve,
    point: tuple[float, float] | None,
    *,
    diagonal: bool,
    voice: Voice = PLAIN,
) -> Chart:
    """A curve with its band. point: where the model works, at its threshold."""
    lower = [f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in zip(curve.x, curve.low, strict=True)]
    upper = [f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in zip(curve.x, curve.high, strict=True)]
    line = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in zip(curve.x, curve.y, strict=True))
    marks = [
        f'<polygon class="band" points="{" ".join(upper + lower[::-1])}"/>',
        f'<polyline class="curve" points="{line}"/>',
    ]
    if point:
        marks.append(f'<circle class="point" cx="{x_at(point[0]):.1f}" cy="{y_at(point[1]):.1f}" r="4.5"/>')
    picked = range(0, len(curve.x), 10)
    rows = tuple(
        (
            voice.number(f"{curve.x[i]:.2f}"),
            voice.number(f"{curve.y[i]:.2f}"),
            range_words(curve.low[i], curve.high[i], voice),
        )
        for i in picked
    )
    svg = framed(title, axes, marks, diagonal=diagonal, voice=voice)
    return Chart(title, words, svg, (*axes, voice.say("95 % interval")), rows)


def reliability_chart(bins: Sequence[Bin], voice: Voice = PLAIN) -> Chart:
    """Said against found, with Wilson's intervals; the diagonal is a model that means what it says."""
    marks = []
    for part in bins:
        x, low, high = x_at(part.said), y_at(part.found.low), y_at(part.found.high)
        marks.append(
            f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
            f'<circle class="dot" cx="{x:.1f}" cy="{y_at(part.found.value):.1f}" r="3.5"/>'
        )
    axes = (voice.say("probability said"), voice.say("share that was so"))
    rows = tuple(
        (
            voice.number(f"{b.said:.2f}"),
            voice.number(f"{b.found.value:.2f}"),
            range_words(b.found.low, b.found.high, voice),
            str(b.found.count),
        )
        for b in bins
    )
    title = voice.say("Reliability")
    words = voice.say("On the dashed line, 0.8 means eight in ten. Bars are 95 % intervals.")
    columns = (*axes, voice.say("95 % interval"), voice.say("pictures"))
    return Chart(title, words, framed(title, axes, marks, diagonal=True, voice=voice), columns, rows)


Line = tuple[str, Sequence[tuple[float, float]]]
"""A name, and points from 0 to 1 either way."""


def lines_chart(
    title: str,
    words: str,
    axes: tuple[str, str],
    lines: Sequence[Line],
    columns: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
    *,
    legend: float = 0.0,
    voice: Voice = PLAIN,
) -> Chart:
    """Several lines, told apart by their dashes. legend: the height, 0 to 1, at which it ends."""
    marks = line_marks(lines, legend)
    return Chart(title, words, framed(title, axes, marks, diagonal=False, voice=voice), columns, rows)


def line_marks(lines: Sequence[Line], legend: float = 0.0) -> list[str]:
    """The lines of such a chart and their legend."""
    marks = []
    for number, (name, points) in enumerate(lines):
        drawn = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in points)
        height = y_at(legend) - 8 - LEGEND * (len(lines) - 1 - number)
        sample = f"{x_at(0) + 6:.1f},{height:.1f} {x_at(0) + 28:.1f},{height:.1f}"
        marks += [
            f'<polyline class="curve line-{number % LINES}" points="{part}"/>' for part in (drawn, sample)
        ]
        marks.append(f'<text x="{x_at(0) + 33:.1f}" y="{height + 4:.1f}">{escape(name)}</text>')
    return marks
