"""Charts as SVG, drawn here and coloured by the page's own style sheet: nothing inline, no script.

Every chart has axes with words, shows how sure its curve is, and comes with the numbers behind it as a table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from inference.training.curves import Bin, Curve

WIDTH, HEIGHT = 320, 280
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 12, 44
LEGEND = 14
"""Height of a line of the legend."""
LINES = 4
"""Ways of drawing a line."""
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
EVENLY = {tick: tick for tick in TICKS}
STYLE = (
    "<style>text{font:11px sans-serif;fill:#444}.frame{fill:none;stroke:#999}.grid{stroke:#ddd}"
    ".guide{stroke:#999;stroke-dasharray:3 3}.band{fill:#2a7f8e;fill-opacity:.18}"
    ".curve{fill:none;stroke:#2a7f8e;stroke-width:2}.point{fill:#b26a00}.whisker{stroke:#2a7f8e;stroke-width:1.5}"
    ".dot{fill:#2a7f8e}.line-1{stroke-dasharray:7 4}.line-2{stroke-dasharray:2 3}"
    ".line-3{stroke-dasharray:9 3 2 3}.bar{fill:#2a7f8e;stroke:#2a7f8e}.bar-1{fill-opacity:.35}"
    ".bar-2{fill:#fff;stroke-dasharray:3 2}.bar-3{fill:#444;stroke:#444}</style>"
)
"""For a chart that stands alone in a file; on a page, static/css/charts.css does this for either theme."""


@dataclass(frozen=True)
class Voice:
    """How a chart says things: its words, sentences of a row, numbers of Python's, short and whole dates."""

    say: Callable[[str], str]
    stored: Callable[[str], str]
    number: Callable[[str], str]
    day: Callable[[date], str]
    date: Callable[[date], str]


PLAIN = Voice(str, str, str, "{:%d %b}".format, "{:%Y-%m-%d}".format)
"""English, for files and the command line. Pages have inference.voice."""


@dataclass(frozen=True)
class Chart:
    """A drawing with its title, what to look for in one sentence, and the numbers behind it."""

    title: str
    words: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


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
            _range(curve.low[i], curve.high[i], voice),
        )
        for i in picked
    )
    svg = framed(title, axes, marks, diagonal=diagonal, voice=voice)
    return Chart(title, words, svg, (*axes, voice.say("95 % interval")), rows)


def _range(low: float, high: float, voice: Voice) -> str:
    figures = {"low": voice.number(f"{low:.2f}"), "high": voice.number(f"{high:.2f}")}
    return voice.say("{low} to {high}").format(**figures)


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
            _range(b.found.low, b.found.high, voice),
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
            _range(week.low, week.high, voice),
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


def standalone(chart: Chart) -> str:
    """The drawing as a file of its own."""
    return chart.svg.replace(">", f">{STYLE}", 1)


def framed(
    title: str,
    axes: tuple[str, str],
    marks: Sequence[str],
    *,
    diagonal: bool,
    across: Mapping[float, float] | None = EVENLY,
    highest: float = 1.0,
    voice: Voice = PLAIN,
) -> str:
    """Axes, grid and marks. The picture's name is its title, for those who do not see it.

    across: numbers of the horizontal axis, and where from 0 to 1 they stand; None says that the marks number
    it. highest: what the top of the vertical one stands for.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(title)}">'
    ]
    for tick, place in (EVENLY if across is None else across).items():
        x = x_at(place)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{y_at(0):.1f}" y2="{y_at(1):.1f}"/>')
        if across is not None:
            number = voice.number(f"{tick:g}")
            parts.append(f'<text x="{x:.1f}" y="{y_at(0) + 15:.1f}" text-anchor="middle">{number}</text>')
    for tick in TICKS:
        y = y_at(tick)
        parts.append(f'<line class="grid" x1="{x_at(0):.1f}" x2="{x_at(1):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        number = voice.number(f"{tick * highest:g}")
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number}</text>')
    if diagonal:
        parts.append(
            f'<line class="guide" x1="{x_at(0):.1f}" y1="{y_at(0):.1f}"'
            f' x2="{x_at(1):.1f}" y2="{y_at(1):.1f}"/>'
        )
    parts += marks
    middle = (y_at(0) + y_at(1)) / 2
    parts.append(f'<text x="{x_at(0.5):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(axes[0])}</text>')
    parts.append(
        f'<text x="12" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 12 {middle:.1f})">'
        f"{escape(axes[1])}</text></svg>"
    )
    return "".join(parts)


def x_at(value: float) -> float:
    """How far from the left a share of the frame's width lies."""
    return LEFT + value * (WIDTH - LEFT - RIGHT)


def y_at(value: float) -> float:
    """How far from the top a share of the frame's height lies."""
    return HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM)
