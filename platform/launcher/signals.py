"""Ctrl-C, a polite kill and a closed terminal are one wish: to end in order."""

import signal
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heed() -> None:
    """Let every such signal raise KeyboardInterrupt."""
    for number in ENDING:
        signal.signal(number, _interrupt)


def ignore() -> None:
    """Ending has begun; nothing may cut it short."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
