"""Thousands of hostile archives through the real child: what is refused, what is taken, what is left behind.

    python bench/archives.py [--count 10000] [--seed 0]

Every kind of tests/corpus/archives.py in turn, each from its own seed. Counted by kind: refused, taken (an
archive that by chance is still in order), the longest wait. Exit status 1 if one of a kind that never is in
order was taken, if anything but a refusal was raised, if more came out than the limits allow, if a file
appeared in the folders at hand, or if this process holds more files or more memory than it should.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from refusals import Refusal

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "platform"))
sys.path.insert(0, str(ROOT / "tests"))

from corpus.archives import CERTAIN, hostile  # noqa: E402  # the source roots come first

from inference.formats import archives  # noqa: E402  # the source roots come first
from inference.formats.archive_child import LIMITS  # noqa: E402  # the source roots come first

SETTLING = 100
"""Archives after which open files are counted: the first start the server."""


def tried(content: bytes) -> tuple[str, int]:
    """(what came of it, bytes that came out)."""
    out = 0

    def keep(_: str, chunks: Iterator[bytes]) -> None:
        nonlocal out
        out += sum(map(len, chunks))

    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        try:
            archives.unpack(file, keep)
        except Refusal as refusal:
            return ("refused" if refusal.code == "unsafe_archive" else refusal.code), out
    return "taken", out


def run(count: int, first: int) -> list[str]:
    """Prints one line for each kind; what is wrong, in sentences."""
    wrong: list[str] = []
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    longest: dict[str, float] = defaultdict(float)
    open_files = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for seed in range(first, first + count):
            kind, content = hostile(seed)
            began = time.monotonic()
            outcome, out = tried(content)
            longest[kind] = max(longest[kind], time.monotonic() - began)
            outcomes[kind][outcome] += 1
            if outcome not in {"refused", "taken"} or (outcome == "taken" and kind in CERTAIN):
                wrong.append(f"{kind} {seed}: {outcome}")
            if out > LIMITS.total_bytes:
                wrong.append(f"{kind} {seed}: {out} bytes came out")
            if seed - first == min(SETTLING, count - 1):
                open_files = _open_files()
        left = [path.name for path in Path(folder).iterdir()]
        os.chdir("/")
    wrong += [f"a file appeared: {name}" for name in left]
    if _open_files() > open_files:
        wrong.append(f"{_open_files()} files are open, {open_files} were after the first {SETTLING}")
    for kind, found in outcomes.items():
        print(f"{kind:18} {dict(found)}  longest {longest[kind]:.2f} s")
    return wrong


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.monotonic()
    wrong = run(asked.count, asked.seed)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{asked.count} archives in {time.monotonic() - began:.0f} s; this process held {most} MiB at most")
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
