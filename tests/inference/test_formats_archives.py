"""ZIP files: good ones are taken apart, hostile ones harm nothing and are refused with their reason."""

import io
import os
import subprocess
import sys
from tempfile import TemporaryFile

import pytest
from corpus.archives import CERTAIN, KINDS, hostile, packed

from inference.formats import archives
from inference.formats.archive_child import LIMITS, ArchiveLimits
from inference.formats.sandbox import child_environment
from refusals import Refusal

EACH = 4
"""Archives of each kind."""


def unpacked(content: bytes, limits: ArchiveLimits = LIMITS) -> dict[str, bytes]:
    found = {}
    with TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        archives.unpack(file, lambda name, chunks: found.update({name: b"".join(chunks)}), limits=limits)
    return found


def tried(content: bytes) -> tuple[dict[str, bytes], Refusal | None]:
    try:
        return unpacked(content), None
    except Refusal as refusal:
        return {}, refusal


def test_an_archive_is_its_files_without_what_file_managers_leave():
    files = {"study/IM1": b"one" * 500, "study/Ä": b"", "a.nii.gz": b"\x1f\x8b"}
    scrap = {"__MACOSX/study/._IM1": b"x", ".DS_Store": b"x", "study/Thumbs.db": b"x", "study/": b""}
    assert unpacked(packed(*files.items(), *scrap.items())) == files


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_archives_are_refused_with_their_reason_and_leave_nothing(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    number = list(KINDS).index(kind)
    for seed in range(number, EACH * len(KINDS), len(KINDS)):
        name, content = hostile(seed)
        assert name == kind
        found, refusal = tried(content)
        assert refusal or kind not in CERTAIN, f"{kind} {seed} was taken"
        assert sum(map(len, found.values())) <= LIMITS.total_bytes
        assert refusal is None or (refusal.code, refusal.detail[-1]) == ("unsafe_archive", ".")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_limits_of_an_archive_are_said_with_their_numbers():
    with pytest.raises(Refusal, match="holds 3 entries; it may hold 2"):
        unpacked(packed(("a", b""), ("b", b""), ("c", b"")), ArchiveLimits(entries=2))
    with pytest.raises(Refusal, match="unpack to more than 1 MiB"):
        unpacked(packed(("a", os.urandom(1_100_000))), ArchiveLimits(total_bytes=1 << 20))


def test_the_child_can_open_no_file_and_write_none(tmp_path):
    """Whatever a hostile archive made of its code: the limits hold, and the parent calls it damaged."""
    script = (
        "from inference.formats.archive_child import LIMITS, confine\n"
        "confine(LIMITS)\n"
        f"for act in (lambda: open({str(tmp_path / 'x')!r}, 'w'), lambda: open('/etc/passwd')):\n"
        "    try:\n        act()\n    except OSError as refused:\n        print(refused.errno)\n"
    )
    command = [sys.executable, "-B", "-P", "-S", "-c", script]
    done = subprocess.run(command, env=child_environment(), capture_output=True, cwd="/", check=False)
    assert done.stdout.split() == [b"24", b"24"], done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_answer_that_does_not_hold_up_is_no_archive():
    for said in (
        b"",
        b"[]\n",
        b'{"name": 1, "size": 2}\n',
        b'{"name": "a", "size": -1}\n',
        b'{"name": "a", "size": 9}\nx',
    ):
        with pytest.raises(Refusal, match="damaged"):
            archives.hand_out(io.BytesIO(said), lambda _, chunks: list(chunks), LIMITS)
