"""Whether a container is well, asked of real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults
HEALTH = Path(__file__).resolve().parents[2] / "docker" / "health.py"
INIT = 'exec -a docker-init bash -c "sleep 60 & echo up; wait" -- celery'
"""As docker's own init stands before a worker: it names celery, and has a child."""


def asked(what: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, HEALTH, what], capture_output=True, text=True, check=False, env=dict(os.environ)
    )


def test_an_init_that_names_the_worker_is_no_worker() -> None:
    with subprocess.Popen(["bash", "-c", INIT], stdout=subprocess.PIPE, start_new_session=True) as init:
        try:
            assert init.stdout
            assert init.stdout.readline() == b"up\n"
            answer = asked("worker")
        finally:
            os.killpg(init.pid, 9)
    assert answer.returncode == 1
    assert "no processes for jobs" in answer.stderr


def test_a_worker_with_its_processes_is_well(tmp_path) -> None:
    program = tmp_path / "celery"
    program.write_text("sleep 60 &\necho up\nwait\n")
    with subprocess.Popen(["sh", program], stdout=subprocess.PIPE, start_new_session=True) as worker:
        try:
            assert worker.stdout
            assert worker.stdout.readline() == b"up\n"
            answer = asked("worker")
        finally:
            os.killpg(worker.pid, 9)
    assert (answer.returncode, answer.stderr) == (0, "")
