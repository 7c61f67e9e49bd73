"""Atrial width by gestational age: what was signed in this pregnancy, and today's, in the normal band."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases.models import Case
from cases.review.measurements import Width
from cases.review.priors import Prior
from cases.severity import WIDE_MM
from inference.charts.svg import Chart, framed, x_at, y_at
from inference.charts.voice import voice
from inference.charts.weeks import round_above

MEAN_MM, DEVIATION_MM = 6.4, 1.2
"""Of normal fetuses, 20 to 40 weeks: 8,216 of nine studies (Almog et al. 2003, J Ultrasound Med 22:39)."""
FIRST_WEEK, LAST_WEEK = 20, 40
LEFT_WEEK, RIGHT_WEEK = 14, 42
LEAST_TOP_MM = 20.0
WEEKS = (16.0, 20.0, 24.0, 28.0, 32.0, 36.0, 40.0)


@dataclass(frozen=True)
class _Point:
    """A confirmed width at an age. when: in words."""

    case: Case
    when: str
    mm: float

    def at(self, top: float) -> tuple[str, str]:
        """Where it lies in the drawing."""
        return f"{_x(self.case.gestational_age_days or 0):.1f}", f"{y_at(self.mm / top):.1f}"


def width_chart(case: Case, width: Width | None, priors: Sequence[Prior]) -> Chart | None:
    """None unless there are two confirmed widths of one pregnancy to compare. width: today's."""
    points = [
        _Point(one.case, date_format(one.day, "DATE_FORMAT"), one.width.mm)
        for one in reversed(priors)
        if one.is_same_pregnancy and one.width and not one.width.is_provisional
    ]
    is_today_known = width is not None and not width.is_provisional
    if width and is_today_known and points:  # then both ages are known
        points.append(_Point(case, _("now"), width.mm))
    if len(points) < 2:
        return None
    top = max(LEAST_TOP_MM, round_above(max(point.mm for point in points)))
    places = [point.at(top) for point in points]
    marks = [_band(top), _line(WIDE_MM, top)]
    marks.append(f'<polyline class="curve" points="{" ".join(map(",".join, places))}"/>')
    for point, (x, y) in zip(points, places, strict=True):
        kind = "point" if point.case == case else "dot"
        marks.append(f'<circle class="{kind}" cx="{x}" cy="{y}" r="4"/>')
    speak = voice()
    title = _("Atrial width by gestational age")
    across = {week: _share(week * 7) for week in WEEKS}
    axes = (_("week"), _("mm"))
    svg = framed(title, axes, marks, diagonal=False, across=across, highest=top, voice=speak)
    words = _(
        "Band: 6.4 ± 2.4 mm, two standard deviations of normal fetuses from 20 to 40 weeks "
        "(Almog et al. 2003). Dashed: 10 mm."
    )
    rows = tuple(
        (point.case.number, point.when, point.case.age_in_words, speak.number(f"{point.mm:.1f}"))
        for point in points
    )
    return Chart(title, words, svg, (_("case"), _("date"), _("age"), _("mm")), rows)


def _share(days: float) -> float:
    return min(1.0, max(0.0, (days / 7 - LEFT_WEEK) / (RIGHT_WEEK - LEFT_WEEK)))


def _x(days: float) -> float:
    return x_at(_share(days))


def _band(top: float) -> str:
    left, right = _x(FIRST_WEEK * 7), _x(LAST_WEEK * 7)
    low, high = (y_at((MEAN_MM + sign * 2 * DEVIATION_MM) / top) for sign in (-1, 1))
    corners = f"{left:.1f},{low:.1f} {left:.1f},{high:.1f} {right:.1f},{high:.1f} {right:.1f},{low:.1f}"
    return f'<polygon class="band" points="{corners}"/>'


def _line(mm: float, top: float) -> str:
    y = y_at(mm / top)
    return f'<line class="guide" x1="{x_at(0):.1f}" x2="{x_at(1):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
