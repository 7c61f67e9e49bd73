"""What a page showed a reader: it comes back with the form, and the reader answers for that and nothing else.

Each part of the page carries its own part of it in a hidden field of the form, so that whatever replaces the
part on the open page (new answers, another measurement) replaces what is answered for as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from digests import canonical_json, sha256_hex

LONGEST = 20_000
"""Characters of one part that are looked at; a hundred scans say less."""


@dataclass(frozen=True)
class Shown:
    """scans: each by its key and SHA-256. answers: the newest of every version by their keys, and the call.

    measurements: those that nobody has withdrawn, why an atrium is not measured, and what scans are
    calibrated by, by their keys. reads: those that cover the scans, by their keys. What is hidden from the
    reader is not among them.
    """

    scans: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()
    measurements: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()

    @classmethod
    def sent(cls, form: Mapping[str, Any]) -> "Shown":
        """As a form sends it back; a form that says nothing has shown nothing."""
        return cls(**{name: _parts(str(form.get(f"shown_{name}") or "")) for name in NAMES})

    @property
    def fields(self) -> dict[str, str]:
        """Names and values of the hidden fields."""
        return {f"shown_{name}": ",".join(parts) for name, parts in self.as_json().items()}

    def as_json(self) -> dict[str, list[str]]:
        """Plain values in a fixed order."""
        return {name: sorted(getattr(self, name)) for name in NAMES}

    @property
    def sha256(self) -> str:
        """One hash for everything that was shown."""
        return sha256_hex(canonical_json(self.as_json()))


NAMES = tuple(field.name for field in fields(Shown))


def _parts(value: str) -> frozenset[str]:
    return frozenset(part for part in value[:LONGEST].split(",") if part)
