"""The parent's side of an archive: its members as files in a folder of ours, or a reasoned refusal.

The child (archive_child) can open no file. What it says is believed no further than it can be checked:
names are names only, and never become a path here; sizes are counted as bytes arrive.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import IO, BinaryIO

from inference.formats.archive_child import LIMITS, LONGEST_NAME, ArchiveLimits
from inference.formats.fork_server import ForkServer
from inference.formats.limits import FILE_BYTES, Data
from inference.formats.sandbox import child_environment
from refusals import Refusal

GRACE_SECONDS = 2.0
LINE_BYTES = 8_192
CHUNK = 1 << 20
Keep = Callable[[str, Iterator[bytes]], None]
STARTS = (b"PK\x03\x04", b"PK\x05\x06")


def is_archive(start: bytes | Data) -> bool:
    """Whether these first bytes are those of a ZIP file."""
    return start[:4] in STARTS


def unpack(archive: BinaryIO, keep: Keep, *, limits: ArchiveLimits = LIMITS) -> None:
    """Hand every member to `keep`: its name in the archive, and its bytes in chunks, to be read at once.

    Raises Refusal (`unsafe_archive`), maybe after some members were handed out: whoever keeps them lets
    go of them again.
    """
    with _child(archive, limits) as answer:
        hand_out(answer, keep, limits)


def hand_out(answer: IO[bytes], keep: Keep, limits: ArchiveLimits) -> None:
    """The child's answer, checked as it is read. Raises Refusal as `unpack` does."""
    left = limits.total_bytes
    for _ in range(limits.entries + 1):
        said = _line(answer)
        if "error" in said:
            raise _refusal(said["error"])
        if said.get("end") is True:
            return
        name, size = said.get("name"), said.get("size")
        if not isinstance(name, str) or len(name) > LONGEST_NAME or type(size) is not int:
            raise _damaged()
        left -= size
        if not 0 <= size <= FILE_BYTES or left < 0:
            raise _damaged()
        keep(name, _chunks(answer, size))
    raise _damaged()


@contextmanager
def _child(archive: BinaryIO, limits: ArchiveLimits) -> Iterator[IO[bytes]]:
    """What the child answers, through a pipe: it could write to nothing else. It is gone at the end."""
    reading, writing = os.pipe()

    def run() -> None:
        try:
            files, seconds = [archive.fileno(), writing], limits.wall_seconds + GRACE_SECONDS
            with suppress(OSError):  # the answer ends early then, which is a refusal
                SERVER.run([json.dumps(asdict(limits))], files, seconds=seconds)
        finally:
            os.close(writing)

    work = threading.Thread(target=run)
    work.start()
    try:
        with os.fdopen(reading, "rb") as answer:
            yield answer
    finally:
        work.join()


def _line(answer: IO[bytes]) -> dict[str, object]:
    try:
        said = json.loads(answer.readline(LINE_BYTES))
    except ValueError:
        raise _damaged() from None
    if not isinstance(said, dict):
        raise _damaged()
    return said


def _chunks(answer: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        chunk = answer.read(min(size, CHUNK))
        if not chunk:
            raise _damaged()
        size -= len(chunk)
        yield chunk


def _refusal(error: object) -> Refusal:
    code, detail = error if isinstance(error, list) and len(error) == 2 else ("", "")
    if code != "unsafe_archive" or not isinstance(detail, str):
        return _damaged()
    return Refusal(code, detail[:300])


def _damaged() -> Refusal:
    return Refusal("unsafe_archive", "The archive is damaged, or is no ZIP file.")


SERVER = ForkServer("inference.formats.archive_child", (), child_environment())
"""Started with the first archive that this process has taken apart."""
