"""What a newcomer meets before anything is installed."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh copy of what ./run needs, without an environment."""
    folder = tmp_path / "ventra"
    shutil.copytree(ROOT / "platform" / "launcher", folder / "platform" / "launcher")
    for name in ("run", "test", "requirements.txt", "requirements-cpu.txt", "requirements-dev.txt"):
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


def test_without_torch_the_small_set_is_installed_and_the_whole_one_once_it_is_wanted(checkout: Path) -> None:
    for name in ("requirements.txt", "requirements-cpu.txt", "requirements-dev.txt"):
        (checkout / name).write_text(f"# {name}\n")
    said = [
        call([str(checkout / "run"), "--prepare"], WITHOUT_TORCH=asked).stdout
        for asked in ("1", "1", "0", "1")
    ]
    installed = [re.findall(r"installing (\S+);", each) for each in said]
    assert installed == [["requirements-cpu.txt"], [], ["requirements.txt"], []]


def test_a_package_that_cannot_be_installed_is_reported_and_tried_again(checkout: Path) -> None:
    (checkout / "requirements.txt").write_text("./no-such-folder\n")
    first, second = (call([str(checkout / "run"), "--prepare"]) for _ in range(2))
    for result in (first, second):
        assert result.returncode == 1
        assert "pip could not install" in result.stderr
        assert "no-such-folder" in result.stderr
        assert "Traceback" not in result.stderr


def wheel(folder: Path, name: str, version: str) -> None:
    """An installable package with nothing in it."""
    information = f"{name}-{version}.dist-info"
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "".join(f"{information}/{each},,\n" for each in ("METADATA", "WHEEL", "RECORD")),
    }
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for each, text in files.items():
            archive.writestr(f"{information}/{each}", text)
    links = "".join(f'<a href="{path.name}">{path.name}</a>' for path in folder.iterdir())
    (folder / "index.html").write_text(links)


def test_torch_comes_from_its_own_index_and_everything_else_from_the_usual_one(
    checkout: Path, tmp_path: Path
) -> None:
    for name, index in [("torch", "cpu"), ("torchvision", "cpu"), ("captum", "usual")]:
        wheel(tmp_path / index / name, name, "2.14.0+cpu" if index == "cpu" else "1.0")
    wanted = "torch>=2.9.1,<2.15  # networks\ntorchvision>=0.24.1\ncaptum~=1.0\n"
    (checkout / "requirements.txt").write_text(wanted)
    result = call(
        [str(checkout / "run"), "--prepare"],
        PIP_CONFIG_FILE=os.devnull,
        PIP_FIND_LINKS="",
        PIP_EXTRA_INDEX_URL="",
        PIP_INDEX_URL=(tmp_path / "usual").as_uri(),
        TORCH_INDEX=(tmp_path / "cpu").as_uri(),
    )
    assert result.returncode == 0, result.stderr
    installed = {path.name for path in checkout.glob(".venv/lib/*/site-packages/*.dist-info")}
    assert {"torch-2.14.0+cpu.dist-info", "captum-1.0.dist-info"} <= installed
