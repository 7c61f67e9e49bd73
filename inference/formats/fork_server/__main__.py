"""The server: `python -m inference.formats.fork_server SOCKET CHILDREN IDLE ENTRY MODULE...`.

It imports what the work needs, then reads requests and forks a child for each. It opens nothing of what it
is sent, has one thread and no state but its children: what comes from outside is met by a child alone.

A request is one message: the arguments as JSON, and with it file descriptors: a lifeline, then the child's
own (`ForkServer.run`). The lifeline carries the child's status to the client; when the client closes its end,
the child is killed. The server ends with the socket of its client, and with it its children. It retires after
CHILDREN children and after one that crashed, since all of them share the layout of its memory, and after IDLE
seconds without a request, to give its memory back.
"""

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from types import ModuleType

from inference.formats.fork_server.client import STATUS
from launcher.parent_death import die_with_parent

CRASHES = {-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL, -signal.SIGABRT, -signal.SIGFPE}
MESSAGE_BYTES = 4096
FILES_MOST = 4  # the lifeline and three of the child's
PLACES = (0, 1, 3)
OUR_OWN = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)


class Server:
    """One client's requests, and the children forked for them."""

    def __init__(
        self, requests: socket.socket, entry: ModuleType, *, children_most: int, idle_seconds: float
    ) -> None:
        """Take SIGCHLD over; leave SIGINT and SIGTERM to the client, whose end is ours."""
        self._entry, self._requests = entry, requests
        self._children_most, self._idle_seconds = children_most, idle_seconds
        self._children: dict[int, socket.socket] = {}
        self._forked = 0
        self._selector = selectors.DefaultSelector()
        wake, ended = socket.socketpair()
        for one in (wake, ended):
            one.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._wake = wake
        self._watch(requests, self._accept)
        self._watch(ended, lambda: self._reap(ended))

    def run(self) -> None:
        """Until the client has gone, or until the last child of a retired server has."""
        while self._requests.fileno() >= 0 or self._children:
            events = self._selector.select(self._idle_seconds)
            for key, _ in events:
                key.data()
            if self._forked >= self._children_most or not (events or self._children):
                self._retire()

    def _watch(self, file: socket.socket, do: Callable[[], None]) -> None:
        self._selector.register(file, selectors.EVENT_READ, do)

    def _accept(self) -> None:
        """Fork a child for the next request; end everything where there will be none."""
        if self._requests.fileno() < 0:
            return
        content, files, _, _ = socket.recv_fds(self._requests, MESSAGE_BYTES, FILES_MOST)
        if not content:
            for pid in self._children:
                os.kill(pid, signal.SIGKILL)
            sys.exit()
        lifeline = socket.socket(fileno=files[0])
        with contextlib.suppress(OSError):  # no child: the lifeline ends without a status
            pid = self._fork(json.loads(content), files[1:])
            self._children[pid] = lifeline
            self._watch(lifeline, lambda: self._kill(pid, lifeline))
        for file in files[1:]:
            os.close(file)
        if lifeline not in self._children.values():
            lifeline.close()

    def _fork(self, arguments: list[str], files: list[int]) -> int:
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                _become_child(server, files)
                self._entry.serve(arguments)
                os._exit(0)
            finally:
                os._exit(1)
        self._forked += 1
        return pid

    def _kill(self, pid: int, lifeline: socket.socket) -> None:
        """The client waits no longer."""
        if pid in self._children:
            self._selector.unregister(lifeline)
            os.kill(pid, signal.SIGKILL)

    def _reap(self, ended: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            ended.recv(MESSAGE_BYTES)
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self._tell(self._children.pop(pid), os.waitstatus_to_exitcode(status))

    def _tell(self, lifeline: socket.socket, status: int) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(lifeline)
        with lifeline, contextlib.suppress(OSError):
            lifeline.send(STATUS.pack(status))
        if status in CRASHES:
            self._retire()

    def _retire(self) -> None:
        """Take no more: what still waits in the socket finds no answer, and its client another server."""
        if self._requests.fileno() >= 0:
            self._selector.unregister(self._requests)
            self._requests.close()


def _become_child(server: int, files: list[int]) -> None:
    """Nothing of the server's but its memory: its own files, signals as in a new process, no second life."""
    die_with_parent(signal.SIGKILL, server)
    signal.set_wakeup_fd(-1)
    for one in OUR_OWN:
        signal.signal(one, signal.SIG_DFL)
    for file, place in zip(files, PLACES, strict=False):
        os.dup2(file, place)
    os.closerange(3 if len(files) < len(PLACES) else 4, os.sysconf("SC_OPEN_MAX"))


if __name__ == "__main__":
    number, most, idle, *names = sys.argv[1:]
    entered, *_ = [importlib.import_module(name) for name in names]
    gc.collect()
    gc.freeze()  # what the collector does not visit, children do not copy
    asked = socket.socket(fileno=int(number))
    Server(asked, entered, children_most=int(most), idle_seconds=float(idle)).run()
