"""A file system storage that survives a power cut between any two lines."""

import os
import re
import tempfile
import time
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage

_FANNED = re.compile(r"[0-9a-f]{2}")
"""Blobs lie in folders named by the first digits of their hash."""
ABANDONED_SECONDS = 24 * 3600


class DurableFileSystemStorage(FileSystemStorage):
    """Temporary file in a folder of the same disk, fsync, rename, fsync of the folder.

    Names are content hashes: a file that is there and whole is the same file, and stays. One that is not
    whole any more is replaced.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:  # noqa: ARG002
        """The name itself: equal names have equal content."""
        return name

    def fault(self) -> str:
        """Why the folder of a store that is in use cannot be used now; empty while nothing is wrong.

        An empty one counts: it is where a volume is mounted that is not there.
        """
        try:
            with os.scandir(self.location) as entries:
                if not any(_FANNED.fullmatch(entry.name) for entry in entries):
                    return "The folder of stored files is empty."
        except OSError as refused:
            return f"The folder of stored files cannot be read: {refused.strerror}."
        if not os.access(self.location, os.W_OK | os.X_OK):
            return "Nothing can be written in the folder of stored files."
        if self.free_bytes() < settings.DISK_RESERVE_BYTES:
            return "The disk of the stored files is full up to its reserve."
        return ""

    def free_bytes(self) -> int:
        """What may still be written on the disk of the folder; raises OSError."""
        disk = os.statvfs(self.location)
        return disk.f_bavail * disk.f_frsize

    def tidy(self) -> None:
        """Remove what somebody who was killed had half written."""
        for path in self._incoming().glob("*"):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink(missing_ok=True)

    def _incoming(self) -> Path:
        """Where files lie until they are whole."""
        return Path(self.location) / "incoming"

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]
        target = Path(self.path(name))
        if _holds(target, content):
            return name
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming = self._incoming()
        incoming.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=incoming)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).rename(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        for folder in (target.parent, *target.parent.parents[:2]):  # aa/bb, aa and the root may be new
            _sync_folder(folder)
        return name


def _holds(target: Path, content: File) -> bool:  # type: ignore[type-arg]
    """Whether the file is there and has this content; unreadable is not."""
    try:
        with target.open("rb") as file:
            return all(file.read(len(chunk)) == chunk for chunk in content.chunks()) and not file.read(1)
    except OSError:
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
