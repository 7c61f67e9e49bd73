"""A ZIP file taken apart, in a child that can open no file.

The fork server (inference.formats.fork_server) makes one for every archive. It answers with each member: a
line of JSON with its name and size, then its bytes; a last line says that it was all, or why it is not.
Everything the directory of the archive says is checked before a byte is inflated: the number of entries,
their sizes, how far they would grow, their paths, whether they overlap.
"""

import json
import re
import resource
import signal
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import BinaryIO

from inference.formats.limits import FILE_BYTES, MIB, RATIO_MOST
from refusals import Refusal

RATIO_FROM = MIB
"""Bytes of a member from which its ratio counts: an empty small file may be as empty as it likes."""
LONGEST_NAME = 400
LOCAL_HEADER = 30
ENCRYPTED = 0x1
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
SCRAP = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")
"""What file managers leave in archives."""
NESTED = re.compile(
    r"\.(zip|jar|7z|rar|tar|tgz|tbz2?|txz|bz2|xz|zst|cab|iso)$|(?<!\.nii)\.gz$", re.IGNORECASE
)
NESTED_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ", b"BZh")
DAMAGED = "The archive is damaged, or is no ZIP file."
DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    OSError,
)
"""What Python's zipfile raises over bytes that are none."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class ArchiveLimits:
    """What one archive may hold, and what the child that opens it may use."""

    entries: int = 2_000
    total_bytes: int = 1024 * MIB
    memory_bytes: int = 1536 * MIB
    cpu_seconds: int = 15
    wall_seconds: int = 25


LIMITS = ArchiveLimits()


def members(archive: zipfile.ZipFile, limits: ArchiveLimits) -> list[zipfile.ZipInfo]:
    """The files of an archive whose directory is in order. Raises Refusal (`unsafe_archive`)."""
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise Refusal(
            "unsafe_archive", f"The archive holds {len(entries)} entries; it may hold {limits.entries}."
        )
    files = [one for one in entries if not one.is_dir()]
    for one in entries:
        _check_entry(one)
    if len({one.filename.casefold() for one in files}) < len(files):
        raise Refusal("unsafe_archive", "The archive holds two files of one name.")
    total = sum(one.file_size for one in files)
    if total > limits.total_bytes:
        raise Refusal(
            "unsafe_archive", f"The archive would unpack to more than {limits.total_bytes // MIB} MiB."
        )
    _check_overlaps(entries, archive.start_dir)
    return [one for one in files if not SCRAP.search(one.filename)]


def _check_entry(one: zipfile.ZipInfo) -> None:
    _check_path(one.orig_filename)
    if one.flag_bits & ENCRYPTED:
        raise Refusal("unsafe_archive", "The archive is encrypted; send it without a password.")
    if one.compress_type not in METHODS:
        raise Refusal(
            "unsafe_archive", "The archive is compressed in a way that is not read here; send a plain ZIP."
        )
    mode = one.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refusal("unsafe_archive", "The archive holds a link or a device, not only files.")
    if NESTED.search(one.filename):
        raise Refusal("unsafe_archive", "The archive holds another archive; send that by itself.")
    if one.file_size > FILE_BYTES:
        raise Refusal("unsafe_archive", f"The archive holds a file larger than {FILE_BYTES // MIB} MiB.")
    if one.file_size > RATIO_FROM and one.file_size > RATIO_MOST * max(one.compress_size, 1):
        raise Refusal(
            "unsafe_archive", f"The archive would grow more than {RATIO_MOST} times when it is unpacked."
        )


def _check_path(name: str) -> None:
    """Relative, inside, and of characters that a name may have."""
    parts = PurePosixPath(name).parts
    if (
        not parts
        or len(name) > LONGEST_NAME
        or name.startswith("/")
        or ".." in parts
        or "\\" in name
        or ":" in parts[0]
        or _CONTROL.search(name)
    ):
        raise Refusal(
            "unsafe_archive", "The archive names a file outside itself, or by a name that no file may have."
        )


def _check_overlaps(entries: list[zipfile.ZipInfo], start_of_directory: int) -> None:
    """No two members share bytes: an archive of a few kB would else unpack to terabytes."""
    end = 0
    for one in sorted(entries, key=lambda one: one.header_offset):
        if one.header_offset < end:
            raise Refusal("unsafe_archive", "Files of the archive overlap each other.")
        end = one.header_offset + LOCAL_HEADER + len(one.orig_filename) + one.compress_size
    if end > start_of_directory:
        raise Refusal("unsafe_archive", "The archive is cut short, or its directory is wrong.")


def _content(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    """As many bytes as the directory says, with the right checksum."""
    with archive.open(one) as member:
        content = member.read(one.file_size + 1)
    if len(content) != one.file_size:
        raise Refusal("unsafe_archive", "A file of the archive is not as long as the archive says.")
    if content.startswith(NESTED_STARTS):
        raise Refusal("unsafe_archive", "The archive holds another archive; send that by itself.")
    return content


def confine(limits: ArchiveLimits) -> None:
    """No file can be opened or grow from here on, by whatever code: standard streams are all there is."""
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    for limit, most in ((resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, 3), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))
    signal.alarm(limits.wall_seconds)


def take_apart(data: bytes, answer: BinaryIO, limits: ArchiveLimits) -> None:
    """Write every member of the archive to `answer`, or why there is nothing, as the module's text says."""

    def say(said: dict[str, object]) -> None:
        answer.write(json.dumps(said).encode() + b"\n")

    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for one in members(archive, limits):
                content = _content(archive, one)
                say({"name": one.filename, "size": len(content)})
                answer.write(content)
    except Refusal as refusal:
        say({"error": [refusal.code, refusal.detail]})
    except DAMAGES:
        say({"error": ["unsafe_archive", DAMAGED]})
    else:
        say({"end": True})


def serve(arguments: Sequence[str]) -> None:
    """Take file descriptor 0 apart on 1, within limits that none can lift again. arguments: they, as JSON."""
    limits = ArchiveLimits(**json.loads(arguments[0]))
    "".encode("cp437")  # names of old archives: loaded while files can still be opened
    confine(limits)
    with open(0, "rb", closefd=False) as given, open(1, "wb", closefd=False) as answer:
        take_apart(given.read(), answer, limits)
