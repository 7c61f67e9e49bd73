"""Putting bytes away and getting the same bytes back."""

import hashlib
from collections.abc import Iterator
from typing import IO, Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages

from blobs.models import Blob


class BlobCorrupt(Exception):
    """The stored bytes are missing or no longer hash to their name."""


def put(content: bytes | IO[bytes]) -> Blob:
    """Store the bytes, then the row. Storing the same bytes twice gives the same row."""
    file: File[Any] = ContentFile(content) if isinstance(content, bytes) else File(content)
    sha256, size = _measure(file)
    file.seek(0)
    _storage().save(_name(sha256), file)
    blob, _ = Blob.objects.get_or_create(sha256=sha256, defaults={"size": size})
    return blob


def read(sha256: str) -> bytes:
    """The bytes, verified; raises BlobCorrupt."""
    try:
        with _storage().open(_name(sha256)) as file:
            content = bytes(file.read())
    except FileNotFoundError:
        raise BlobCorrupt(f"blob {sha256} is missing") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BlobCorrupt(f"blob {sha256} has changed")
    return content


def open_unverified(sha256: str) -> "File[Any]":
    """A seekable file for those who need a part of a large blob; the caller closes it."""
    try:
        return _storage().open(_name(sha256))
    except FileNotFoundError:
        raise BlobCorrupt(f"blob {sha256} is missing") from None


def corrupt() -> Iterator[str]:
    """One sentence for each row whose bytes are missing or changed."""
    for sha256 in Blob.objects.values_list("sha256", flat=True).iterator():
        try:
            read(sha256)
        except BlobCorrupt as fault:
            yield str(fault)


def _measure(file: "File[Any]") -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in file.chunks():
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _storage() -> Storage:
    return storages["blobs"]


def _name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
