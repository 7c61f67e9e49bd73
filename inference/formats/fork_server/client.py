"""The side of whoever has work: starts the server when it is first needed, and again when it has gone."""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

TRIES = 3
"""A server retires now and then (__main__), and anything may kill it: what that interrupts is done again."""
CONFIRM_SECONDS = 1.0
"""For a server to say that it has ended an overdue child; one that does not is ended itself."""
STATUS = struct.Struct("i")
Server = subprocess.Popen[bytes]


class ForkServerLost(OSError):
    """The server cannot be started, or has died under each try."""


class ForkServer:
    """Runs `entry.serve(arguments)` in a child forked for that one call.

    entry: the module with `serve`. preload: modules imported once, before the first fork.
    environment: all that the server and its children find in theirs.
    children_most, idle_seconds: after so many calls, or so long without one, the server makes place for a new
        one, which starts with the next call.

    Any thread may call `run`. A process that forks begins with no server, since it cannot share its parent's.
    The server ends when this process does, however it dies: it reads the end of the socket between them.
    """

    def __init__(
        self,
        entry: str,
        preload: Sequence[str],
        environment: Mapping[str, str],
        *,
        children_most: int = 1000,
        idle_seconds: float = 900.0,
    ) -> None:
        """Nothing is started yet."""
        self._arguments = [str(children_most), str(idle_seconds), entry, *preload]
        self._environment = dict(environment)
        self._lock = threading.Lock()
        self._requests: socket.socket | None = None
        self._process: Server | None = None
        self._retired: list[Server] = []
        os.register_at_fork(after_in_child=self._forget)

    @property
    def pid(self) -> int | None:
        """The process id of the server, None where none runs."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def run(self, arguments: Sequence[str], files: Sequence[int], *, seconds: float) -> int | None:
        """The child's exit status, minus the signal's number if one killed it; None if it took too long.

        files: two or three file descriptors, the child's 0 (which it reads), 1 and 3 (which it writes).
        seconds: how long it may take, the wait for the server included; it is killed then.

        Raises ForkServerLost.
        """
        places = [_place(file) for file in files]
        for _ in range(TRIES):
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    process = self._send(arguments, [theirs.fileno(), *files])
                ours.settimeout(max(seconds, 0.0))
                try:
                    status = _answer(ours)
                except (TimeoutError, BlockingIOError):
                    self._end(ours, process)
                    return None
            if status is not None:
                return status
            self._drop(process)
            _put_back(files, places)
        raise ForkServerLost("the fork server does not stay alive")

    def _send(self, arguments: Sequence[str], files: Sequence[int]) -> Server:
        """Hand the work over; the server that has it. What a dead server is sent, nobody answers."""
        with self._lock:
            if self._requests is None or self._process is None:
                self._requests, self._process = self._start()
            with contextlib.suppress(OSError):
                socket.send_fds(self._requests, [json.dumps(arguments).encode()], files)
            return self._process

    def _start(self) -> tuple[socket.socket, Server]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(CONFIRM_SECONDS)  # work waits in the socket; it is full only where the server hangs
        python = [sys.executable, "-B", "-P", "-S", "-m", __package__]  # no bytecode, no start-up files
        with theirs:
            process = subprocess.Popen(
                [*python, str(theirs.fileno()), *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a library's complaint may quote the patient's name
                env=self._environment,
                cwd="/",
                pass_fds=(theirs.fileno(),),
            )
        return ours, process

    def _end(self, ours: socket.socket, process: Server) -> None:
        """Have the server end an overdue child. One that hangs is ended itself, and its children with it."""
        ours.settimeout(CONFIRM_SECONDS)
        with contextlib.suppress(OSError):
            ours.shutdown(socket.SHUT_WR)
        try:
            _answer(ours)
        except TimeoutError:
            process.kill()
            self._drop(process)

    def _drop(self, process: Server) -> None:
        """The next call starts another. A retired server ends by itself when its children have."""
        with self._lock:
            if self._process is process:
                self._retired = [one for one in [*self._retired, process] if one.poll() is None]
                self._close()

    def _close(self) -> None:
        if self._requests:
            self._requests.close()
        self._requests = self._process = None

    def _forget(self) -> None:
        """In a process just forked nothing runs, and nobody holds the lock."""
        self._lock = threading.Lock()
        self._retired = []
        self._close()


def _answer(ours: socket.socket) -> int | None:
    """The status that the server sends; None where it has gone without one."""
    try:
        content = ours.recv(STATUS.size)
    except ConnectionError:
        return None
    return int(STATUS.unpack(content)[0]) if content else None


def _place(file: int) -> int | None:
    """Where a file stands, None for what has no places, like a pipe."""
    try:
        return os.lseek(file, 0, os.SEEK_CUR)
    except OSError:
        return None


def _put_back(files: Sequence[int], places: Sequence[int | None]) -> None:
    """As before the try: the first is read anew, the others lose what was written to them."""
    for index, (file, place) in enumerate(zip(files, places, strict=True)):
        if place is not None:
            os.lseek(file, place, os.SEEK_SET)
            if index:
                os.ftruncate(file, place)
