"""What a newcomer meets before anything is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh copy of what ./run needs, without an environment."""
    folder = tmp_path / "ventra"
    shutil.copytree(ROOT / "platform" / "launcher", folder / "platform" / "launcher")
    for name in ("run", "test", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def call(command: list[str], **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("name", ["run", "test"])
def test_help_needs_no_environment(checkout: Path, name: str) -> None:
    result = call([str(checkout / name), "--help"])
    assert result.returncode == 0, result.stderr
    assert "usage" in result.stdout
    assert not (checkout / ".venv").exists()


def test_without_a_new_enough_python_the_way_out_is_named(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname"):
        (tools / name).symlink_to(shutil.which(name))
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    result = call([str(checkout / "run")], PATH=str(tools))
    assert result.returncode == 1
    assert "Python 3.11 or newer" in result.stderr
    assert "apt install" in result.stderr


def test_a_python_without_ensurepip_names_the_package_to_install(checkout: Path) -> None:
    script = (
        "import runpy, sys; sys.modules['ensurepip'] = None; sys.argv = ['launcher', 'run', '--prepare'];"
        "runpy.run_module('launcher', run_name='__main__')"
    )
    result = call([sys.executable, "-c", script], PYTHONPATH=str(checkout / "platform"))
    assert result.returncode == 1
    version = f"python3.{sys.version_info.minor}"
    assert f"apt install {version}-venv" in result.stderr
    assert "Traceback" not in result.stderr


def test_prepare_installs_once_and_again_only_when_the_requirements_change(checkout: Path) -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        (checkout / name).write_text("# nothing needed\n")
    first, second = (call([str(checkout / "run"), "--prepare"]) for _ in range(2))
    (checkout / "requirements.txt").write_text("# nothing needed yet\n")
    third = call([str(checkout / "run"), "--prepare"])
    installed = ["installing" in result.stdout for result in (first, second, third)]
    assert installed == [True, False, True], first.stderr
    assert all(result.returncode == 0 for result in (first, second, third))


def test_a_package_that_cannot_be_installed_is_reported_and_tried_again(checkout: Path) -> None:
    (checkout / "requirements.txt").write_text("./no-such-folder\n")
    first, second = (call([str(checkout / "run"), "--prepare"]) for _ in range(2))
    for result in (first, second):
        assert result.returncode == 1
        assert "pip could not install" in result.stderr
        assert "no-such-folder" in result.stderr
        assert "Traceback" not in result.stderr
