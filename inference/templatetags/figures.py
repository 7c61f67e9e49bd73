"""Numbers as people read them."""

from typing import Any

from django.template import Library
from django.utils.translation import gettext

from language import numbers
from language.numbers import decimal, localised, percent

register = Library()


@register.filter
def probability(value: float | None) -> str:
    """As language.numbers writes it; a dash for none."""
    return "–" if value is None else numbers.probability(value)


@register.filter
def seconds(value: float | None) -> str:
    """0.34 s, 12 s."""
    if value is None:
        return "–"
    return f"{decimal(value, 0 if value >= 10 else 2)} s"


@register.filter
def share(value: float | None) -> str:
    """A fraction as a whole percentage."""
    return "–" if value is None else percent(value)


@register.filter
def short(value: Any) -> str:
    """The first twelve characters of a hash."""
    return str(value)[:12]


@register.filter
def figure(value: float | None) -> str:
    """Two significant digits, and never a zero that is none."""
    if value is None:
        return "–"
    return localised("< 0.001" if 0 < value < 0.001 else f"{value:.2g}")


@register.filter
def interval(value: Any, form: str = "plain") -> str:
    """A Figure with its 95 % interval. form: percent or signed."""
    shown = {"percent": "{:.0%}", "signed": "{:+.3f}"}.get(form, "{:.2f}")
    figures = (localised(shown.format(number)) for number in (value.value, value.low, value.high))
    return gettext("{middle} ({low} to {high})").format(
        **dict(zip(("middle", "low", "high"), figures, strict=True))
    )


@register.filter
def duration(seconds: float) -> str:
    """40 s, 12 min, 3 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


@register.filter
def words(name: str) -> str:
    """phantom_epochs -> Phantom epochs."""
    return name.replace("_", " ").capitalize()
