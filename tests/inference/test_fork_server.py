"""One warm process, and a child of it for each call: whatever becomes of them, the next call is answered."""

import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import patience
import pytest

from inference.formats.fork_server import ForkServer, ForkServerLost
from inference.formats.sandbox import child_environment

TESTS = Path(__file__).parents[1]


def server_of(**options) -> ForkServer:
    environment = child_environment()
    environment["PYTHONPATH"] += f":{TESTS}"
    return ForkServer("forked_work", [], environment, **options)


@pytest.fixture
def server() -> ForkServer:
    return server_of()


def done(server: ForkServer, *arguments: str, given: bytes = b"", seconds: float = 30) -> tuple:
    """Status and what the child wrote."""
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answer:
        asked.write(given)
        asked.seek(0)
        status = server.run(arguments, [asked.fileno(), answer.fileno()], seconds=seconds)
        answer.seek(0)
        return status, answer.read()


def ids(server: ForkServer) -> tuple[int, int]:
    """Of a child and of the server that made it."""
    child, parent = done(server, "ids")[1].split()
    return int(child), int(parent)


def gone(pid: int) -> bool:
    """Ended, whether or not somebody has asked for its status."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def test_every_call_has_a_process_of_its_own_out_of_one_server(server):
    children, servers = zip(*(ids(server) for _ in range(5)), strict=True)
    assert len(set(children)) == 5
    assert set(servers) == {server.pid}


def test_a_child_reads_its_own_file_and_writes_its_own(server):
    texts = [f"{number}".encode() * 100 for number in range(20)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda text: done(server, "copy", given=text), texts))
    assert answers == [(0, text) for text in texts]


def test_a_child_holds_no_file_but_its_own(server):
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(done, server, "stay", seconds=1)
        assert done(server, "files") == (0, b"[0, 1, 2]")
        assert other.result()[0] is None


def test_a_child_that_fails_says_so_and_leaves_the_server_be(server):
    before = ids(server)[1]
    assert done(server, "fail")[0] == 1
    assert ids(server)[1] == before


def test_a_child_that_crashed_is_the_last_of_its_server(server):
    before = ids(server)[1]
    assert done(server, "crash")[0] == -signal.SIGSEGV
    assert ids(server)[1] != before
    patience.until(lambda: gone(before))


def test_a_server_has_so_many_children_and_no_more():
    server = server_of(children_most=3)
    servers = [ids(server)[1] for _ in range(7)]
    assert [servers.count(one) for one in dict.fromkeys(servers)] == [3, 3, 1]


def test_a_server_of_which_nothing_is_asked_ends_and_another_comes_when_something_is():
    server = server_of(idle_seconds=0.05)
    before = ids(server)[1]
    patience.until(lambda: server.pid is None)
    assert ids(server)[1] != before


def test_a_child_that_takes_too_long_is_killed(server):
    status, said = done(server, "stay", seconds=1)
    assert status is None
    assert not said or gone(int(said))
    assert done(server, "copy", given=b"next") == (0, b"next")


def test_a_server_that_hangs_is_replaced(server):
    frozen = ids(server)[1]
    assert done(server, "freeze", seconds=0.5)[0] is None
    assert ids(server)[1] != frozen
    patience.until(lambda: gone(frozen))


def test_work_whose_server_is_killed_is_done_again_from_its_beginning(server, tmp_path):
    assert done(server, "once", str(tmp_path / "met"), given=b"all of it") == (0, b"all of it")


def test_a_server_that_cannot_live_is_said_to_be_lost():
    lost = ForkServer("no_such_module", [], child_environment())
    with pytest.raises(ForkServerLost):
        done(lost, "copy")


def test_a_process_that_forks_has_a_server_of_its_own(server):
    before = ids(server)[1]
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(writing, str(ids(server)[1]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        others = int(said.read())
    os.waitpid(child, 0)
    assert others != before
    assert ids(server)[1] == before
    patience.until(lambda: gone(others))


CLIENT = """
import os, sys
from inference.formats.fork_server import ForkServer
server = ForkServer("forked_work", [], dict(os.environ))
server.run(["ids"], [0, 1], seconds=60)
server.run(["stay"], [0, 1], seconds=60)
"""


def test_the_server_and_its_children_end_with_a_client_that_is_killed(tmp_path):
    environment = child_environment()
    environment["PYTHONPATH"] += f":{TESTS}"
    said = tmp_path / "said"
    with said.open("wb") as answer:
        client = subprocess.Popen(
            [sys.executable, "-c", CLIENT], stdin=subprocess.DEVNULL, stdout=answer, env=environment
        )
    patience.until(lambda: len(said.read_text().split()) == 3)
    _, server, child = said.read_text().split()
    client.kill()
    client.wait()
    patience.until(lambda: gone(int(server)) and gone(int(child)))
