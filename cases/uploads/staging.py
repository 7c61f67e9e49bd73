"""Where the bytes of a session lie until it is committed: in WORK_ROOT, by their hashes, not their names."""

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from blobs.store import BlobUnavailable


class Staged(NamedTuple):
    """A file that lies in a session's folder."""

    sha256: str
    size: int
    path: Path


def folder(session: uuid.UUID) -> Path:
    """A session's own folder."""
    return _root() / str(session)


def path_of(session: uuid.UUID, sha256: str) -> Path:
    """Where a part lies. Raises BlobUnavailable when it does not."""
    path = folder(session) / sha256
    if not path.is_file():
        raise BlobUnavailable(f"part {sha256} of an upload is missing")
    return path


def put(session: uuid.UUID, chunks: Iterable[bytes]) -> Staged:
    """Keep the bytes until the session ends. Raises BlobUnavailable: nothing was kept."""
    place = folder(session)
    try:
        place.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".incoming-", dir=place)
        try:
            digest, size = hashlib.sha256(), 0
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    size += file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            path = place / digest.hexdigest()
            Path(temporary).rename(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as refused:
        raise BlobUnavailable(f"an upload cannot be kept: {refused.strerror or refused}") from refused
    return Staged(path.name, size, path)


def forget(session: uuid.UUID) -> None:
    """Let go of all that lies there."""
    shutil.rmtree(folder(session), ignore_errors=True)


def sessions() -> list[uuid.UUID]:
    """Every session that has a folder."""
    root = _root()
    names = [one.name for one in root.iterdir()] if root.is_dir() else []
    return [uuid.UUID(name) for name in names if _is_key(name)]


def _is_key(name: str) -> bool:
    try:
        uuid.UUID(name)
    except ValueError:
        return False
    return True


def _root() -> Path:
    return Path(settings.WORK_ROOT) / "sessions"
