"""Atrial width by gestational age: what was signed in this pregnancy, and today's, in the normal band."""

from collections.abc import Sequence
from html import escape

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases.models import Case
from cases.review.measurements import Width
from cases.review.priors import Prior
from cases.severity import WIDE_MM
from inference.charts.svg import Chart, framed, x_at, y_at
from inference.charts.voice import voice

MEAN_MM, DEVIATION_MM = 6.4, 1.2
"""Of normal fetuses, 20 to 40 weeks: 8,216 of nine studies (Almog et al. 2003, J Ultrasound Med 22:39)."""
FIRST_WEEK, LAST_WEEK = 20, 40
LEFT_WEEK, RIGHT_WEEK = 14, 42
LEAST_TOP_MM = 20.0
WEEKS = (16.0, 20.0, 24.0, 28.0, 32.0, 36.0, 40.0)


def width_chart(case: Case, width: Width | None, priors: Sequence[Prior]) -> Chart | None:
    """None unless there are two confirmed widths to compare. width: today's."""
    points = [
        (one.case.gestational_age_days, one.width.mm, one.case.number, one.day)
        for one in reversed(priors)
        if one.is_same_pregnancy and one.width and not one.width.is_provisional
    ]
    if not points:
        return None
    today = width if width and not width.is_provisional else None
    if len(points) + (today is not None) < 2:
        return None
    widest = max([mm for _age, mm, _number, _day in points] + ([today.mm] if today else []))
    top = max(LEAST_TOP_MM, -(-widest // 10) * 10.0)
    marks = [_band(top), _line(WIDE_MM, top)]
    known = [(days or 0, mm) for days, mm, _number, _day in points]
    if today and case.gestational_age_days is not None:
        known.append((case.gestational_age_days, today.mm))
    path = " ".join(f"{_x(days):.1f},{y_at(mm / top):.1f}" for days, mm in known)
    marks.append(f'<polyline class="curve" points="{path}"/>')
    for number, (days, mm) in enumerate(known):
        kind = "point" if today and number == len(known) - 1 else "dot"
        marks.append(f'<circle class="{kind}" cx="{_x(days):.1f}" cy="{y_at(mm / top):.1f}" r="4"/>')
    speak = voice()
    title = _("Atrial width by gestational age")
    axes = (_("week"), _("mm"))
    across = {week: _share(week * 7) for week in WEEKS}
    svg = framed(title, axes, marks, diagonal=False, across=across, highest=top, voice=speak)
    rows = [
        (number, date_format(day, "DATE_FORMAT"), _weeks(days), speak.number(f"{mm:.1f}"))
        for days, mm, number, day in points
    ]
    if today:
        rows.append((case.number, _("now"), case.age_in_words, speak.number(f"{today.mm:.1f}")))
    words = _(
        "Band: 6.4 ± 2.4 mm, two standard deviations of normal fetuses from 20 to 40 weeks "
        "(Almog et al. 2003). Dashed: 10 mm."
    )
    return Chart(title, words, svg, (_("case"), _("date"), _("age"), _("mm")), tuple(rows))


def _weeks(days: int | None) -> str:
    weeks, rest = divmod(days or 0, 7)
    return _("{weeks}w{days}d").format(weeks=weeks, days=rest)


def _share(days: float) -> float:
    return min(1.0, max(0.0, (days / 7 - LEFT_WEEK) / (RIGHT_WEEK - LEFT_WEEK)))


def _x(days: float) -> float:
    return x_at(_share(days))


def _band(top: float) -> str:
    left, right = _x(FIRST_WEEK * 7), _x(LAST_WEEK * 7)
    low, high = (y_at((MEAN_MM + sign * 2 * DEVIATION_MM) / top) for sign in (-1, 1))
    corners = f"{left:.1f},{low:.1f} {left:.1f},{high:.1f} {right:.1f},{high:.1f} {right:.1f},{low:.1f}"
    return f'<polygon class="band" points="{escape(corners)}"/>'


def _line(mm: float, top: float) -> str:
    y = y_at(mm / top)
    return f'<line class="guide" x1="{x_at(0):.1f}" x2="{x_at(1):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
