"""Settings from the environment, failing loudly.

Any name X may be given as X_FILE, the path of a file that holds the value, so that
secrets need not stand in the environment.
"""

import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TIMEOUTS = {"connect_timeout": "5", "tcp_user_timeout": "15000"}
"""Of the database, unless the URL says otherwise: nobody waits for ever for a server that has gone silent."""
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str, default: str | None = None) -> str:
    """The value of `name` or of the file `name`_FILE; no default makes it required."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text().strip()
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE in the environment.")
    return value


def flag(name: str, default: bool) -> bool:
    """A yes or no; anything else is refused."""
    value = text(name, "1" if default else "0").lower()
    if value not in _TRUE | _FALSE:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return value in _TRUE


def choice(name: str, default: str, known: tuple[str, ...]) -> str:
    """One of the known words."""
    value = text(name, default)
    if value not in known:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(known)}, not {value!r}.")
    return value


def integer(name: str, default: int) -> int:
    """A whole number."""
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None


def integers(name: str, defaults: dict[str, int]) -> dict[str, int]:
    """Whole numbers by name, `predict=60,train=3600`; what is not named keeps its default."""
    said: dict[str, int] = {}
    for item in listing(name):
        key, _, number = item.partition("=")
        if key not in defaults or not number.isdecimal() or int(number) == 0:
            known = ", ".join(defaults)
            raise ImproperlyConfigured(
                f"{name} takes items such as {known.split(',')[0]}=60, of {known}, not {item!r}."
            )
        said[key] = int(number)
    return defaults | said


def listing(name: str, default: str = "") -> list[str]:
    """Comma-separated values, empty ones dropped."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def path_prefix(name: str) -> str:
    """A path such as /ventra, or "" for none; a slash at its end is dropped."""
    value = text(name, "").rstrip("/")
    if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
        raise ImproperlyConfigured(f"{name} must be a path such as /ventra, not {value!r}.")
    return value


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Comma-separated networks in CIDR notation."""
    try:
        return [ip_network(item) for item in listing(name)]
    except ValueError as fault:
        raise ImproperlyConfigured(f"{name} must be networks such as 10.20.0.0/16: {fault}.") from None


def need(value: object, sentence: str) -> None:
    """One setting that asks for another."""
    if not value:
        raise ImproperlyConfigured(sentence)


def database(name: str) -> dict[str, Any]:
    """Django's DATABASES entry for a postgres:// URL; ?host=/dir names a socket folder."""
    url = urlsplit(text(name))
    if url.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must start with postgres://: Ventra speaks PostgreSQL only.")
    query = {key: values[-1] for key, values in parse_qs(url.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or "") or text("DATABASE_PASSWORD", ""),
        "HOST": query.pop("host", url.hostname or ""),
        "PORT": str(url.port or query.pop("port", "")),
        "OPTIONS": TIMEOUTS | query,
    }
