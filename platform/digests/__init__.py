"""The one byte form of what is hashed, and its hash: of signatures, seals, records and answers alike.

Knows no other room and no Django, since the audit seals by it and the science names its records by it. It
stands alone because a second way to write a value would be a second hash of it.
"""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """The one byte form of a JSON value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256_hex(content: bytes) -> str:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
