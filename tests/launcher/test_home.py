"""The data folder: one launcher at a time, and a key that stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.console import Problem
from launcher.home import Home, announce, locked

# A launcher whose program holds on to the lock and will not end when asked.
KILLED_LAUNCHER = """
import signal, sys
from pathlib import Path
from launcher.home import Home, locked
from launcher.processes import Process, Program
folder = Path(sys.argv[1])
script = f'trap "" TERM; echo up > {folder}/up; read line < {folder}/fifo'
program = Program("slow", ("sh", "-c", script), folder / "log", death_signal=signal.SIGTERM)
with locked(Home(folder)) as lock:
    process = Process(program, keep=[lock])
    process.wait_until(lambda: (folder / "up").exists(), seconds=10)
    print("up", flush=True)
    input()
"""
NEXT_LAUNCHER = """
import sys
from pathlib import Path
from launcher.home import Home, locked
with locked(Home(Path(sys.argv[1]))):
    print("mine", flush=True)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.make()
    return home


def launcher(script: str, home: Home) -> subprocess.Popen:
    command = [sys.executable, "-c", script, str(home.root)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_second_launcher_is_told_where_the_first_one_is(home: Home) -> None:
    with locked(home) as lock:
        announce(lock, "http://127.0.0.1:8000/")
        told = r"already running at http://127.0.0.1:8000/ .*\n.*VENTRA_HOME"
        with pytest.raises(Problem, match=told), locked(home):
            pass


def test_the_folder_is_free_again_after_an_orderly_end(home: Home) -> None:
    with locked(home):
        pass
    with locked(home):
        pass


@pytest.mark.faults
def test_after_a_kill_the_next_launcher_waits_for_what_still_runs(home: Home) -> None:
    os.mkfifo(home.root / "fifo")
    with launcher(KILLED_LAUNCHER, home) as first:
        assert first.stdout.readline() == "up\n"
        first.kill()
        first.wait()
        with launcher(NEXT_LAUNCHER, home) as second:
            assert "still closing their files" in second.stdout.readline()
            (home.root / "fifo").write_text("go\n")
            assert second.stdout.readline() == "mine\n"


def test_the_secret_key_is_kept_and_only_its_owner_reads_it(home: Home) -> None:
    path = home.secret_key_file()
    key = path.read_text()
    assert len(key) >= 50
    assert path.stat().st_mode & 0o777 == 0o600
    assert home.secret_key_file().read_text() == key


def test_two_homes_have_two_keys(tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in ("one", "two")]
    for home in homes:
        home.make()
    first, second = (home.secret_key_file().read_text() for home in homes)
    assert first != second


def test_a_folder_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(Problem, match="VENTRA_HOME"):
        Home(tmp_path / "link").make()
