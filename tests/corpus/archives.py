"""Hostile ZIP files from a seed: of each kind that somebody has tried, and good ones damaged at random."""

import io
import random
import stat
import struct
import zipfile
from collections.abc import Callable

MIB = 1 << 20
Make = Callable[[random.Random], bytes]


def packed(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def good(rng: random.Random) -> bytes:
    """A few files of random bytes."""
    return packed(
        *((f"study/IM{k:03}", rng.randbytes(rng.randrange(1, 3000))) for k in range(rng.randrange(1, 6)))
    )


def _renamed(rng: random.Random, name: str) -> bytes:
    """The name in place of one of the same length, past whatever a library would mend."""
    return packed(("x" * len(name.encode()), rng.randbytes(50))).replace(
        b"x" * len(name.encode()), name.encode()
    )


def _path(rng: random.Random) -> bytes:
    names = [
        "../../etc/passwd",
        "/etc/cron.d/x",
        "a/../../b",
        "..\\..\\boot.ini",
        "C:\\x\\y",
        "c:/x",
        "a\0b",
        "~\n/x",
        "..",
        "/",
    ]
    return _renamed(rng, rng.choice(names))


def _long_name(rng: random.Random) -> bytes:
    return packed(("d/" * rng.randrange(250, 20_000) + "f", b"x"))


def _link(rng: random.Random) -> bytes:
    info = zipfile.ZipInfo("link")
    info.external_attr = (rng.choice([stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK]) | 0o777) << 16
    return packed((info, b"/etc/passwd"))


def _bomb(rng: random.Random) -> bytes:
    return packed(("bomb", bytes(rng.randrange(5, 40) * MIB)))


def _many(rng: random.Random) -> bytes:
    return packed(*((f"{k}", b"") for k in range(2_001 + rng.randrange(500))), method=zipfile.ZIP_STORED)


def _nested(rng: random.Random) -> bytes:
    name = rng.choice(["inner.zip", "a.tar.gz", "b.7z", "c.RAR", "plain.dcm", "d.iso"])
    return packed((name, good(rng)))


def _same_name(rng: random.Random) -> bytes:
    return packed(("aaaa", b"1"), ("bbbb", rng.randbytes(9))).replace(b"bbbb", rng.choice([b"aaaa", b"AAAA"]))


def _encrypted(rng: random.Random) -> bytes:
    content = bytearray(good(rng))
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


def _method(rng: random.Random) -> bytes:
    content = bytearray(good(rng))
    method = rng.choice([6, 9, 12, 14, 93, 95, 97, 99])
    for mark, place in ((b"PK\x01\x02", 10), (b"PK\x03\x04", 8)):
        content[content.index(mark) + place] = method
    return bytes(content)


def _lying_size(rng: random.Random) -> bytes:
    """The directory says another size than the bytes have."""
    content = bytearray(good(rng))
    place = content.index(b"PK\x01\x02") + rng.choice([20, 24])
    struct.pack_into("<L", content, place, rng.choice([0, 1, 200 * MIB, 0xFFFFFFFE, rng.randrange(1 << 32)]))
    return bytes(content)


def _overlapping(rng: random.Random) -> bytes:
    """Many entries of the directory share one body."""
    body = packed(("a" * 8, rng.randbytes(2_000)))
    start = body.index(b"PK\x01\x02")
    end = body.index(b"PK\x05\x06")
    entry, count = body[start:end], rng.randrange(2, 400)
    entries = b"".join(entry.replace(b"a" * 8, f"{k:08}".encode()) for k in range(count))
    tail = bytearray(body[end:])
    struct.pack_into("<HHL", tail, 8, count, count, len(entries))
    return body[:start] + entries + bytes(tail)


def _false_directory(rng: random.Random) -> bytes:
    content = bytearray(good(rng))
    end = content.index(b"PK\x05\x06")
    struct.pack_into(
        "<HHLL",
        content,
        end + 8,
        *(rng.randrange(1 << 16) for _ in range(2)),
        *(rng.randrange(1 << 32) for _ in range(2)),
    )
    return bytes(content)


def _zip64(rng: random.Random) -> bytes:
    """Fields that send the reader to 64-bit ones, which are not there or say the impossible."""
    content = bytearray(good(rng))
    place = content.index(b"PK\x01\x02")
    for field in (20, 24, 42):
        struct.pack_into("<L", content, place + field, 0xFFFFFFFF)
    extra = struct.pack("<HHQQQ", 1, 24, *(rng.randrange(1 << 63) for _ in range(3)))
    return bytes(content) + (extra if rng.random() < 0.5 else b"")


def _wrong_checksum(rng: random.Random) -> bytes:
    content = bytearray(packed(("a", rng.randbytes(500)), method=zipfile.ZIP_STORED))
    content[100] ^= 0xFF
    return bytes(content)


def _cut(rng: random.Random) -> bytes:
    content = good(rng)
    return content[: rng.randrange(4, len(content))]


def _flipped(rng: random.Random) -> bytes:
    content = bytearray(good(rng))
    for _ in range(rng.randrange(1, 30)):
        content[rng.randrange(4, len(content))] = rng.randrange(256)
    return bytes(content)


def _noise(rng: random.Random) -> bytes:
    return b"PK\x03\x04" + rng.randbytes(rng.randrange(5_000))


def _comment(rng: random.Random) -> bytes:
    """A second directory inside the first one's comment."""
    content = good(rng)
    end = bytearray(content[content.index(b"PK\x05\x06") :])
    inner = _overlapping(rng)[-22:]
    struct.pack_into("<H", end, 20, len(inner))
    return content[: content.index(b"PK\x05\x06")] + bytes(end) + inner


KINDS: dict[str, Make] = {
    make.__name__.strip("_"): make
    for make in (
        _path, _long_name, _link, _bomb, _many, _nested, _same_name, _encrypted, _method, _lying_size,
        _overlapping, _false_directory, _zip64, _wrong_checksum, _cut, _flipped, _noise, _comment,
    )
}  # fmt: skip
CERTAIN = {
    "path", "long_name", "link", "bomb", "many", "nested", "same_name", "encrypted", "method", "overlapping",
    "wrong_checksum", "noise",
}  # fmt: skip
"""Kinds of which each one is refused; the others may by chance still be in order."""


def hostile(seed: int) -> tuple[str, bytes]:
    """The kind and the bytes of one archive: every kind in turn."""
    kind = list(KINDS)[seed % len(KINDS)]
    return kind, KINDS[kind](random.Random(seed))
