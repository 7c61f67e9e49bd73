"""The voice in which charts speak to whoever looks. Charts know no Django: training draws them too."""

from django.utils.formats import date_format
from django.utils.translation import gettext

from inference.charts.svg import Voice
from language.numbers import localised
from language.stored import said


def voice() -> Voice:
    """Words, numbers and days in the active language."""
    return Voice(
        say=gettext,
        stored=said,
        number=localised,
        day=lambda day: date_format(day, "DAY_FORMAT"),
        date=lambda day: date_format(day, "DATE_FORMAT"),
    )
