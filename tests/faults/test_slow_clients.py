"""The real web server: clients that stall, an upload that ends half-way, a broker that answers nobody."""

import http.client
import os
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from patience import until

from accounts.tokens import issue_token
from cases.models import Scan
from inference.models import Job
from launcher import servers, services
from launcher.processes import Process

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
STALLED = 500
BOUNDARY = "a-part-of-a-form"


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def web(environment, tmp_path, port) -> Iterator[Process]:
    (tmp_path / "incoming").mkdir()
    settings = environment | {"TMPDIR": str(tmp_path / "incoming"), "STATIC_ROOT": str(tmp_path / "static")}
    with Process(services.web(settings, tmp_path / "web.log", port)) as process:
        process.wait_until(lambda: answers(port), seconds=60)
        yield process


def answers(port: int) -> bool:
    try:
        return get(port, "/healthz") == 200
    except OSError:
        return False


def get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    return connection.getresponse().status


def beginning(port: int, said: bytes) -> socket.socket:
    """A connection on which a client has said so much and stalls."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(said)
    return connection


def form(content: bytes) -> bytes:
    """One scan as a part of a form, with its modality."""
    lines = [
        f"--{BOUNDARY}",
        'Content-Disposition: form-data; name="modality"',
        "",
        "ultrasound",
        f"--{BOUNDARY}",
        'Content-Disposition: form-data; name="file"; filename="scan.png"',
        "Content-Type: image/png",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def test_everybody_else_is_answered_while_hundreds_of_clients_stall(web, port, alice):
    headers = b"POST /api/v1/cases/ HTTP/1.1\r\nHost: localhost\r\n"
    body = headers + b"Content-Type: multipart/form-data\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100
    with ExitStack() as held:
        for number in range(STALLED):
            held.enter_context(beginning(port, body if number % 2 else headers[:20]))
        began = time.monotonic()
        assert get(port, "/healthz") == 200
        assert get(port, "/api/v1/cases/") == 401
        waited = time.monotonic() - began
    print(f"two answers took {waited:.2f} s beside {STALLED} stalled clients")  # seen with pytest -s
    assert waited < 10
    web.stop()
    assert web.wait() == 0


@pytest.fixture
def upload(port, case, alice):
    """Send a scan through the API: how long it took, in seconds."""
    token = issue_token(alice, lifetime=timedelta(hours=1))

    def send(content: bytes) -> float:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {
            "Authorization": f"Token {token}",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        began = time.monotonic()
        connection.request("POST", f"/api/v1/cases/{case.pk}/scans/", form(content), headers)
        response = connection.getresponse()
        assert response.status == 202, response.read()
        return time.monotonic() - began

    return send


@pytest.fixture
def broker(environment) -> Iterator[Process]:
    """A broker of this test's own, which it may freeze."""
    with servers.throwaway(database=False) as started:
        environment["CELERY_BROKER_URL"] = started.environment["CELERY_BROKER_URL"]
        process = started.processes["valkey"]
        yield process
        os.kill(process.pid, signal.SIGCONT)


def test_uploads_take_no_longer_while_the_broker_is_frozen(broker, web, upload, phantom_png, submit):
    pictures = [phantom_png(seed=seed) for seed in range(13)]
    upload(pictures.pop())
    usual = sorted(upload(pictures.pop()) for _ in range(6))
    os.kill(broker.pid, signal.SIGSTOP)
    frozen = sorted(upload(pictures.pop()) for _ in range(6))
    print(f"longest of six uploads: {usual[-1]:.2f} s, with a frozen broker {frozen[-1]:.2f} s")
    assert frozen[len(frozen) // 2] < 2 * usual[-1]


def test_an_upload_that_is_killed_half_way_leaves_no_file_anywhere(web, port, case, alice, tmp_path):
    token = issue_token(alice, lifetime=timedelta(hours=1))
    content = form(os.urandom(8_000_000))
    head = (
        f"POST /api/v1/cases/{case.pk}/scans/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {token}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    with beginning(port, head.encode() + content[:5_000_000]):
        until(lambda: held_open(web.pid, tmp_path / "incoming"))
        web.kill()
    assert list((tmp_path / "incoming").iterdir()) == []
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert not Scan.objects.exists()
    assert not Job.objects.exists()


def held_open(pid: int, folder: Path) -> bool:
    """Whether the process has a file of this folder open that has no name there."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    return any(folder in link.readlink().parents for link in links if link.is_symlink())
