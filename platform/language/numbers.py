"""Numbers as the language of whoever looks writes them. Machines get numbers that never passed here."""

import re

from django.utils.formats import get_format

_POINT = re.compile(r"(?<=\d)\.(?=\d)")


def localised(text: str) -> str:
    """A number, or several, written by Python: 0.93 becomes 0,93 in German. Not for versions or hashes."""
    return _POINT.sub(str(get_format("DECIMAL_SEPARATOR")), text)


def decimal(value: float, places: int) -> str:
    """A rounded number with so many decimals."""
    return localised(f"{value:.{places}f}")


def probability(value: float) -> str:
    """A probability or a threshold with two decimals; never a certainty that a model cannot have."""
    if value < 0.005:
        return localised("< 0.01")
    return localised("> 0.99") if value > 0.995 else decimal(value, 2)


def percent(value: float, places: int = 0) -> str:
    """A share of one, in percent."""
    return f"{decimal(100 * value, places)} %"
