"""The Python environment in .venv: made once, renewed when the requirements change."""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from launcher.console import Problem, clear, passing, report
from launcher.processes import last_words

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "pip.log"
RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"
SMALL = "requirements-cpu.txt"
"""Enough for a service without training and without a GPU; WITHOUT_TORCH=1 asks for it."""
LARGE_DOWNLOAD = re.compile(r"Downloading (\S+?)-[\d.]+\S* \((\d{3,}\.\d MB|\d.* GB)\)")
# A torch from an index of its own comes alone; everything it needs comes with the rest.
TORCH = re.compile(r"^(torch|torchvision)[<>=~!]\S*", re.MULTILINE)


def prepare(*, development: bool = False) -> None:
    """Make .venv and install what is required, unless that has been done."""
    small = os.environ.get("WITHOUT_TORCH") == "1"
    wanted = DEVELOPMENT if development else SMALL if small else RUNTIME
    if not _is_current(wanted):
        with _one_at_a_time():
            if not _version():
                _make()
            if not _is_current(wanted):
                _install(wanted)


def enter(arguments: Sequence[str], *, quietly: bool = False) -> None:
    """Continue in the environment's Python: this process becomes it, unless it is it already."""
    if Path(sys.prefix) == VENV:
        if not quietly:
            report("environment", f".venv, Python {_version()}")
    else:
        os.execv(PYTHON, [str(PYTHON), "-P", "-m", "launcher", *arguments])  # noqa: S606


def _version() -> str:
    """The version of .venv's Python; empty if there is none, or a broken one."""
    try:
        command = [str(PYTHON), "-c", "import platform, pip; print(platform.python_version())"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _make() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        raise Problem(
            f"{sys.executable} cannot make an environment: its module ensurepip is missing.\n"
            f"On Debian or Ubuntu: apt install {name}-venv"
        )
    report("environment", f"making .venv with {sys.executable}")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)


def _install(wanted: str) -> None:
    report("environment", f"installing {wanted}; the first time takes some minutes")
    LOG.unlink(missing_ok=True)
    if (index := os.environ.get("TORCH_INDEX")) and wanted != SMALL:
        torch = [match.group() for match in TORCH.finditer((ROOT / RUNTIME).read_text())]
        _pip("--index-url", index, "--no-deps", *torch)
    _pip("-r", wanted)
    for name in {SMALL} if wanted == SMALL else {wanted, RUNTIME, SMALL}:
        _stamp(name).write_text(_digest(name))


def _pip(*arguments: str) -> None:
    """Run pip install, its many lines in a log and the few that matter on the screen."""
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar=off"]
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": ""}
    with (
        LOG.open("a") as log,
        subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as pip,
    ):
        for line in pip.stdout or ():
            if not line.rstrip().endswith("is ignored") and " is ignored:" not in line:
                log.write(line)
                _show(line.strip())
    clear()
    if pip.returncode:
        raise Problem(f"pip could not install the requirements.\n{last_words(LOG)}")


def _show(line: str) -> None:
    if found := LARGE_DOWNLOAD.match(line):
        clear()
        report("environment", f"downloading {found.group(1)}, {found.group(2)}")
    elif line.startswith(("Collecting", "Downloading", "Using cached", "Installing", "Building")):
        passing("environment", line)


def _is_current(name: str) -> bool:
    stamp = _stamp(name)
    return stamp.exists() and stamp.read_text() == _digest(name)


def _stamp(name: str) -> Path:
    return VENV / f".installed-{name}"


def _digest(name: str) -> str:
    """Of all that decides what is installed: the files, the Python, and where the checkout stands."""
    names = [RUNTIME, DEVELOPMENT] if name == DEVELOPMENT else [name]
    texts = [(ROOT / each).read_text() for each in names]
    return hashlib.sha256("\0".join([_version(), str(ROOT), *texts]).encode()).hexdigest()


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two commands started together must not both install."""
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
