"""Starting, watching and ending one process, so that nothing is ever left behind."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from launcher.console import Problem

PARENT_DEATH = Path(__file__).with_name("parent_death.py")
LOG_LIMIT_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Program:
    """What is to run. Without a log it writes where its starter does.

    `death_signal` is what it receives if its starter is killed.
    """

    name: str
    command: tuple[str, ...]
    log: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    directory: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace_seconds: float = 10.0


class Process:
    """A running program in a session of its own, tied to the life of the thread that started it.

    As a context manager it is stopped at the end of the block. Start it from the main thread:
    Linux reports the death of the starting thread, not of its process.
    """

    def __init__(self, program: Program, *, keep: Sequence[int] = ()) -> None:
        """Start the program; `keep` are file descriptors that it shall inherit."""
        self.program = program
        with contextlib.ExitStack() as files:
            log = files.enter_context(_open_log(program.log)) if program.log else None
            self._popen = subprocess.Popen(
                dying_with_us(program.command, program.death_signal),
                env=program.environment,
                cwd=program.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT if log else None,
                start_new_session=True,
                pass_fds=keep,
            )

    @property
    def pid(self) -> int:
        """The process id of the program itself."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether the program itself is alive; its children may outlive it until `kill`."""
        return self._popen.poll() is None

    def wait(self) -> int:
        """Wait for the program's own end; its status, minus the signal's number if one killed it."""
        return self._popen.wait()

    def stop(self) -> None:
        """End the program in order, and by force when its grace is over; returns when all is gone."""
        if self.running:
            self._popen.send_signal(self.program.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(self.program.grace_seconds)
        self.kill()

    def kill(self) -> None:
        """End the program and every process of its session's group at once (SIGKILL)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Return when `ready()` holds; Problem, with the end of the log, if it never does."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise Problem(f"{self.program.name} ended while starting.\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise Problem(f"{self.program.name} was not ready in {seconds:.0f} s.\n{self.last_words()}")
            time.sleep(0.02)

    def last_words(self) -> str:
        """Where the log is, and its last lines."""
        return last_words(self.program.log) if self.program.log else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def last_words(log: Path, lines: int = 15) -> str:
    """The last lines of a log, below its path."""
    text = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return "\n".join([f"From {log}:", *(f"  | {line}" for line in text)])


def stop_all(processes: Sequence[Process]) -> None:
    """Stop one after another, the last started first."""
    for process in reversed(processes):
        process.stop()


def dying_with_us(command: Sequence[str], death_signal: signal.Signals = signal.SIGKILL) -> list[str]:
    """The command that runs `command` and sends it the signal when this process dies."""
    tied = [sys.executable, "-I", "-S", str(PARENT_DEATH), str(int(death_signal)), str(os.getpid())]
    return [*tied, *command]


def keep_small(log: Path) -> None:
    """Put a log that has grown beyond its limit aside, once; whoever writes goes on in it.

    It is copied and emptied, because it is open for appending in programs that know nothing of this.
    """
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        aside = log.with_suffix(f"{log.suffix}.1")
        shutil.copyfile(log, aside)
        aside.chmod(0o600)
        os.truncate(log, 0)


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_small(path)
    path.touch(mode=0o600)
    path.chmod(0o600)  # an older log too
    return path.open("ab")
