"""Nothing is left behind, whoever dies first."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launcher.console import Problem
from launcher.processes import Process, Program
from launcher.supervisor import Supervisor

PATIENCE_MILLISECONDS = 20_000
# Starts throw-away servers, prints their process ids, and waits to be killed.
PARENT_OF_SERVERS = """
from launcher import servers
with servers.throwaway() as started:
    print(*(process.pid for process in started.processes.values()), flush=True)
    input()
"""
# Starts a program that would outlive it.
PARENT_OF_SLEEPER = """
from launcher.processes import Process, Program
print(Process(Program("sleeper", ("sleep", "1000"))).pid, flush=True)
input()
"""
FAMILY = 'sleep 1000 & echo "$!" > "$0"; echo ready > "$0.ready"; trap "" TERM; wait; wait'


def parent(script: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def gone(watch: int) -> bool:
    """Whether the process behind a pidfd ends within our patience."""
    poll = select.poll()
    poll.register(watch, select.POLLIN)
    return bool(poll.poll(PATIENCE_MILLISECONDS))


@pytest.mark.faults
@pytest.mark.parametrize("script", [PARENT_OF_SERVERS, PARENT_OF_SLEEPER], ids=["servers", "a sleeper"])
def test_children_end_when_their_parent_is_killed(script: str) -> None:
    with parent(script) as process:
        watches = [os.pidfd_open(int(pid)) for pid in process.stdout.readline().split()]
        process.kill()
        assert watches
        assert all(gone(watch) for watch in watches)


def test_stopping_also_ends_the_grandchildren(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = Program("family", ("sh", "-c", FAMILY, str(note)), tmp_path / "log", grace_seconds=0.1)
    with Process(program) as process:
        process.wait_until((tmp_path / "pid.ready").exists, seconds=10)
        grandchild = os.pidfd_open(int(note.read_text()))
    assert not process.running
    assert gone(grandchild)


def test_a_program_gets_its_own_stop_signal(tmp_path: Path) -> None:
    script = 'trap "echo asked; exit 0" INT; touch up; while :; do read line; done < fifo'
    os.mkfifo(tmp_path / "fifo")
    holder = os.open(tmp_path / "fifo", os.O_RDWR)
    program = Program(
        "polite", ("sh", "-c", script), tmp_path / "log", directory=tmp_path, stop_signal=signal.SIGINT
    )
    with Process(program) as process:
        process.wait_until((tmp_path / "up").exists, seconds=10)
    os.close(holder)
    assert process.wait() == 0
    assert (tmp_path / "log").read_text() == "asked\n"


def test_a_program_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    program = Program("short", ("sh", "-c", "echo no licence; exit 3"), tmp_path / "log")
    with Process(program) as process, pytest.raises(Problem, match=r"(?s)short ended.*no licence"):
        process.wait_until(lambda: False, seconds=10)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with Process(Program("ghost", ("no-such-program",), tmp_path / "log")) as process:
        assert process.wait() != 0
    assert "no-such-program: No such file" in (tmp_path / "log").read_text()


def test_a_log_that_grew_large_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    with Process(Program("short", ("echo", "fresh"), log)) as process:
        process.wait()
    assert log.read_text() == "fresh\n"
    assert (tmp_path / "log.1").exists()


def wait_for(log: Path, text: str) -> None:
    deadline = time.monotonic() + 20
    while log.read_text() != text:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)


def test_a_log_is_kept_small_while_its_program_goes_on_writing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "echo first; while read line; do echo $line; done < fifo"
    os.mkfifo(tmp_path / "fifo")
    supervisor = Supervisor()
    supervisor.start(Program("talkative", ("sh", "-c", script), log, directory=tmp_path))
    with (tmp_path / "fifo").open("w", buffering=1) as told:
        wait_for(log, "first\n")
        os.truncate(log, 10 * 1024 * 1024 + 1)
        supervisor.look()
        assert log.stat().st_size == 0
        assert (tmp_path / "log.1").read_bytes().startswith(b"first\n")
        print("second", file=told)
        wait_for(log, "second\n")
    supervisor.stop()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_fallen_start_again_each_time_a_little_later(tmp_path: Path) -> None:
    clock = Clock()
    supervisor = Supervisor(clock=clock)
    process = supervisor.start(Program("fragile", ("echo", "up"), tmp_path / "log"))
    starts = []
    for delay in (1.0, 2.0, 4.0):
        process.wait()
        supervisor.look()
        clock.now += delay - 0.1
        supervisor.look()
        starts.append((tmp_path / "log").read_text().count("up"))
        clock.now += 0.2
        supervisor.look()
        process = supervisor.processes[0]
    supervisor.stop()
    assert starts == [1, 2, 3]
