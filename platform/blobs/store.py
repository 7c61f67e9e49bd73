"""Putting bytes away and getting the same bytes back."""

import hashlib
from collections.abc import Iterator
from typing import IO, Any, cast

from django.core.files.base import ContentFile, File
from django.core.files.storage import storages

from blobs.models import Blob
from blobs.storage import DurableFileSystemStorage


class BlobCorrupt(Exception):
    """The stored bytes no longer hash to their name: what is there is not what was stored."""


class BlobUnavailable(OSError):
    """The bytes cannot be got at, or put away, now: missing, unreadable, the disk full or gone.

    This says nothing of what they are. It may pass, so whoever can wait waits.
    """


def put(content: bytes | IO[bytes]) -> Blob:
    """Store the bytes, then the row. The same bytes again give the same row, and heal a changed file.

    Raises BlobUnavailable: nothing was stored.
    """
    if reason := fault():
        raise BlobUnavailable(reason)
    file: File[Any] = ContentFile(content) if isinstance(content, bytes) else File(content)
    sha256, size = _measure(file)
    file.seek(0)
    try:
        _storage().save(name_of(sha256), file)
    except OSError as refused:
        raise BlobUnavailable(f"blob {sha256} cannot be stored: {_reason(refused)}") from refused
    blob, _ = Blob.objects.get_or_create(sha256=sha256, defaults={"size": size})
    return blob


def put_back(sha256: str, file: "File[Any]") -> None:
    """Store the bytes of a row that a backup has. Raises BlobCorrupt where they are others, and OSError."""
    if _measure(file)[0] != sha256:
        raise BlobCorrupt(f"blob {sha256} has changed")
    file.seek(0)
    _storage().save(name_of(sha256), file)


def read(sha256: str) -> bytes:
    """The bytes, verified; raises BlobCorrupt and BlobUnavailable."""
    try:
        with open_unverified(sha256) as file:
            content = bytes(file.read())
    except BlobUnavailable:
        raise
    except OSError as refused:
        raise BlobUnavailable(f"blob {sha256} cannot be read: {_reason(refused)}") from refused
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BlobCorrupt(f"blob {sha256} has changed")
    return content


def open_unverified(sha256: str) -> "File[Any]":
    """A seekable file for those who need a part of a large blob; the caller closes it. BlobUnavailable."""
    try:
        return _storage().open(name_of(sha256))
    except FileNotFoundError:
        raise BlobUnavailable(f"blob {sha256} is missing") from None
    except OSError as refused:
        raise BlobUnavailable(f"blob {sha256} cannot be read: {_reason(refused)}") from refused


def fault() -> str:
    """Why no blob can be read or stored now, in a sentence; empty while nothing is wrong.

    A store without a row is new, and its folder is made when the first blob comes.
    """
    return _storage().fault() if Blob.objects.exists() else ""


def free_bytes() -> int | None:
    """What may still be written on the disk of the store; None where that cannot be told now."""
    try:
        return _storage().free_bytes()
    except OSError:
        return None


def tidy() -> None:
    """Remove what somebody who was killed had half stored."""
    _storage().tidy()


def corrupt() -> Iterator[str]:
    """One sentence for each row whose bytes are missing, unreadable or changed."""
    for sha256 in Blob.objects.values_list("sha256", flat=True).iterator():
        try:
            read(sha256)
        except (BlobCorrupt, BlobUnavailable) as found:
            yield str(found)


def name_of(sha256: str) -> str:
    """Where a blob lies in a store, in ours and in that of a backup."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _measure(file: "File[Any]") -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in file.chunks():
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _storage() -> DurableFileSystemStorage:
    return cast(DurableFileSystemStorage, storages["blobs"])


def _reason(refused: OSError) -> str:
    """Without the path, which is nobody's business who reads this."""
    return refused.strerror or str(refused)
