"""A department's other software: a real HTTP or HTTPS server that answers as it is told."""

import base64
import hmac
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HOST = "receiver.example.org"


@dataclass(frozen=True)
class Message:
    """What arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """`answers` come one after the other, the last for good: a status, or what to do with the handler."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.port = server.server_address[1]
        self.messages: list[Message] = []
        self.answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = [204]

    def next_answer(self) -> int | Callable[[BaseHTTPRequestHandler], None]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiving(ip: str = "127.0.0.1", certificate: tuple[Path, Path] | None = None) -> Iterator[Receiver]:
    """A receiver that listens on a free port of this machine's own address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.messages.append(Message(self.path, headers, body))
            answer = receiver.next_answer()
            if callable(answer):
                answer(self)
            else:
                self.send_response(answer)
                self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer((ip, 0), Handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver = Receiver(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_certificate(folder: Path, host: str = HOST) -> tuple[Path, Path]:
    """Certificate and key of a host, signed by themselves."""
    certificate, key = folder / f"{host}.pem", folder / f"{host}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-days", "2", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
               "-out", str(certificate), "-keyout", str(key)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def verifies(message: Message, secret: str) -> bool:
    """As docs/webhooks.md tells receivers to do it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join(
        [message.headers["webhook-id"].encode(), message.headers["webhook-timestamp"].encode(), message.body]
    )
    ours = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    given = message.headers["webhook-signature"].split()
    return any(hmac.compare_digest(ours, one) for one in given)
