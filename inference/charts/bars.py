"""Bars upon each other, as a chart."""

from collections.abc import Sequence
from html import escape

from inference.charts.svg import LEGEND, LINES, PLAIN, Chart, Voice, framed, x_at, y_at
from inference.charts.weeks import round_above

LETTER, BESIDE = 6, 24
"""Widths in the legend: of a letter at most, and of the sample beside a name with the gap after it."""

Bar = tuple[str, Sequence[int]]
"""The words under a bar, and how many of each name it stands for."""


def bars_chart(
    title: str,
    words: str,
    axes: tuple[str, str],
    names: Sequence[str],
    bars: Sequence[Bar],
    columns: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
    *,
    voice: Voice = PLAIN,
) -> Chart:
    """Bars upon each other, told apart by how they are filled; the names stand above them."""
    places = _in_lines([LETTER * len(name) + BESIDE for name in names])
    room = 1.05 + 0.1 * (1 + max((line for _, line in places), default=0))
    highest = round_above(max((sum(parts) for _, parts in bars), default=0) * room)
    width = (x_at(1) - x_at(0)) / max(len(bars), 1)
    marks = []
    for number, (below, parts) in enumerate(bars):
        x, top = x_at(0) + number * width, 0
        for fill, count in enumerate(parts):
            low, top = top, top + count
            height = y_at(low / highest) - y_at(top / highest)
            if count:
                marks.append(_bar(x + 1, y_at(top / highest), width - 2, height, fill))
        if number % (len(bars) // 4 or 1) == 0:
            place = f'x="{x + width / 2:.1f}" y="{y_at(0) + 15:.1f}"'
            marks.append(f'<text {place} text-anchor="middle">{escape(below)}</text>')
    for fill, (name, (along, line)) in enumerate(zip(names, places, strict=True)):
        x, y = x_at(0) + 2 + along, y_at(1) + 4 + line * LEGEND
        marks.append(_bar(x, y, 10, 10, fill))
        marks.append(f'<text x="{x + 14:.1f}" y="{y + 9:.1f}">{escape(name)}</text>')
    svg = framed(title, axes, marks, diagonal=False, across=None, highest=highest, voice=voice)
    return Chart(title, words, svg, columns, rows)


def _in_lines(widths: Sequence[float]) -> list[tuple[float, int]]:
    """How far along and in which line each stands, when a line is as wide as the frame."""
    places, along, line = [], 0.0, 0
    for width in widths:
        if along and along + width > x_at(1) - x_at(0):
            along, line = 0.0, line + 1
        places.append((along, line))
        along += width
    return places


def _bar(x: float, y: float, width: float, height: float, fill: int) -> str:
    size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="bar bar-{fill % LINES}" {size}/>'
