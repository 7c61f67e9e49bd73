"""Secrets that are derived and never stored, and the signature that each message carries.

A secret is an HMAC of a random salt under the program's SECRET_KEY. Whoever steals the database has the salts
and no secret; whoever also has SECRET_KEY has everything anyway. Headers and signature follow the Standard
Webhooks specification, so that receivers find libraries that verify them.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from webhooks.models import Endpoint, Secret

OVERLAP = timedelta(hours=24)
PREFIX = "whsec_"


class SecretLost(Exception):
    """SECRET_KEY has changed, and none of SECRET_KEY_FALLBACKS is the one that the secret came from."""


def make(endpoint: Endpoint) -> str:
    """A new secret, for showing once. The one before it signs as well until the overlap is over."""
    endpoint.secrets.filter(until__isnull=False).delete()
    endpoint.secrets.update(until=Now() + OVERLAP)
    salt = secrets.token_hex(32)
    key = _derived(salt, settings.SECRET_KEY)
    Secret.objects.create(endpoint=endpoint, salt=salt, sha256=_fingerprint(key))
    return PREFIX + base64.b64encode(key).decode()


def headers(endpoint: Endpoint, event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What proves that the message is ours, unchanged and recent. Raises SecretLost."""
    signed = b".".join([event_id.encode(), str(timestamp).encode(), body])
    valid = endpoint.secrets.filter(Q(until__isnull=True) | Q(until__gt=Now())).order_by("-made_at", "-pk")
    signatures = [_signature(key, signed) for key in _keys(valid)]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _keys(rows: Iterable[Secret]) -> Iterator[bytes]:
    for row in rows:
        found = [_derived(row.salt, known) for known in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
        matching = [key for key in found if hmac.compare_digest(_fingerprint(key), row.sha256)]
        if matching:
            yield matching[0]
        elif row.until is None:
            raise SecretLost


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _derived(salt: str, secret_key: str | bytes) -> bytes:
    return salted_hmac("webhooks.signing", salt, secret=secret_key, algorithm="sha256").digest()


def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()
