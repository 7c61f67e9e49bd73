"""A real ./run on a data folder of its own."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RUNNING = re.compile(r"Ventra is running: (http://\S+/)")


def own_environment() -> dict[str, str]:
    """Without the servers of the tests."""
    theirs = {"DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY"}
    return {key: value for key, value in os.environ.items() if key not in theirs}


class Launcher:
    """A real ./run; killed at the end of the test if it still lives."""

    def __init__(self, home: Path, *options: str, **settings: str) -> None:
        self.home = home
        self.popen = subprocess.Popen(
            [ROOT / "run", *options],
            env=own_environment() | {"VENTRA_HOME": str(home)} | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def address(self) -> str:
        """Where it says that it runs."""
        assert self.popen.stdout
        for line in self.popen.stdout:
            self.said += line
            if found := RUNNING.search(line):
                return found.group(1)
        pytest.fail(f"./run never came up:\n{self.said}")

    def programs(self) -> dict[int, str]:
        """Every process that holds this folder's lock or knows its name: pidfd -> command."""
        found = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
        ours = [path for path in found if self._knows(path) and int(path.name) != os.getpid()]
        return {os.pidfd_open(int(path.name)): _read(path / "cmdline") for path in ours}

    def _knows(self, process: Path) -> bool:
        try:
            held = [path.readlink() for path in (process / "fd").iterdir()]
        except OSError:
            held = []
        return self.home / "lock" in held or f"VENTRA_HOME={self.home} " in _read(process / "environ")


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""
