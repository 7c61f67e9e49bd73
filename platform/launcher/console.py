"""What a person reads while things start: one short line for each thing that happened."""

import sys


class Problem(Exception):
    """Something a person can put right. Its text is shown as it stands, without a traceback."""


def say(text: str = "") -> None:
    """Write one line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def report(topic: str, text: str) -> None:
    """Write one line about a topic, aligned with the others."""
    say(f"  {topic:<13}{text}")


def passing(topic: str, text: str) -> None:
    """Show a line that the next one overwrites; nothing at all when nobody is watching."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[2K  {topic:<13}{text[:90]}")
        sys.stdout.flush()


def clear() -> None:
    """Remove the line that `passing` left."""
    if sys.stdout.isatty():
        sys.stdout.write("\r\x1b[2K")


def title(text: str) -> None:
    """Start a section of a longer report."""
    say(f"\n== {text}")
