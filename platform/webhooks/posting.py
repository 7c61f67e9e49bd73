"""One POST to a checked address: bounded in time and size, following no redirect, reading no body."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings

from refusals import Refusal
from webhooks import addresses
from webhooks.addresses import Target


@dataclass(frozen=True)
class Outcome:
    """status: of the answer, if there was one. problem: a code, "" when the message was taken."""

    status: int | None
    problem: str


def post(address: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Send, and say what came of it. Whatever the other side does, it is an outcome and never raises."""
    try:
        target = addresses.target(address)
    except Refusal as refused:
        return Outcome(None, refused.code)
    overdue = threading.Event()
    try:
        return _judged(_asked(target, body, headers, overdue))
    except TimeoutError:
        return Outcome(None, "timeout")
    except (OSError, http.client.HTTPException) as fault:
        return Outcome(None, "timeout" if overdue.is_set() else _named(fault))


def _asked(target: Target, body: bytes, headers: Mapping[str, str], overdue: threading.Event) -> int:
    """The status alone. The head of the answer is bounded by http.client, and its body is never read."""
    seconds = settings.WEBHOOK_TIMEOUT_SECONDS
    with (
        socket.create_connection((target.ip, target.port), timeout=seconds) as plain,
        _ended_after(2 * seconds, plain, overdue),
        _secured(plain, target) as connected,
    ):
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.auto_open = 0
        connection.sock = connected
        connection.request(
            "POST", target.path, body, {"Host": target.authority, "Connection": "close", **headers}
        )
        status = connection.getresponse().status
    if overdue.is_set():  # hung up in the middle of the answer's head
        raise TimeoutError
    return status


def _secured(plain: socket.socket, target: Target) -> socket.socket:
    """With TLS the certificate must be that of the host's name, although we connect to a number."""
    if not target.is_tls:
        return plain
    context = ssl.create_default_context(cafile=settings.WEBHOOK_CA_FILE or None)
    return context.wrap_socket(plain, server_hostname=target.host)


@contextmanager
def _ended_after(seconds: float, connected: socket.socket, overdue: threading.Event) -> Iterator[None]:
    """Hang up when all of it takes too long: a socket's own timeout begins anew with every byte."""
    line = connected.dup()

    def hang_up() -> None:
        overdue.set()
        with suppress(OSError):  # the other side may have hung up first
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        line.close()


def _judged(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status, "")
    return Outcome(status, "redirect" if 300 <= status < 400 else "status")


def _named(fault: Exception) -> str:
    if isinstance(fault, ssl.SSLError):
        return "tls"
    return "unreachable" if isinstance(fault, OSError) else "bad_answer"
