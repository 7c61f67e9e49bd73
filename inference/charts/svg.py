"""Charts as SVG, drawn here and coloured by the page's own style sheet: nothing inline, no script.

Every chart has axes with words, shows how sure its curve is, and comes with the numbers behind it as a table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

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
"""English, for files and the command line. Pages have inference.charts.voice."""


@dataclass(frozen=True)
class Chart:
    """A drawing with its title, what to look for in one sentence, and the numbers behind it."""

    title: str
    words: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def range_words(low: float, high: float, voice: Voice) -> str:
    """An interval in the voice's words."""
    figures = {"low": voice.number(f"{low:.2f}"), "high": voice.number(f"{high:.2f}")}
    return voice.say("{low} to {high}").format(**figures)


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
