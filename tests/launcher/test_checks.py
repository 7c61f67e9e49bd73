"""./test --checks: a check that could not be made has not passed, and says why."""

import json
import os
import shutil

import pytest

from launcher import node
from launcher.checks import Check, holds
from launcher.console import Problem


def test_a_check_holds_by_the_status_of_its_command(capsys):
    assert holds(Check("yes", ("true",)), os.environ)
    assert not holds(Check("no", ("false",)), os.environ)
    assert "failed with status 1" in capsys.readouterr().out


def test_without_node_the_check_fails_and_says_what_it_takes(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not holds(Check("types of the scripts", ("true",), prepare=node.prepare), os.environ)
    said = capsys.readouterr().out
    assert "there is no node and no npm here" in said
    assert "Node.js 20 or newer" in said


@pytest.fixture
def folder(tmp_path):
    """A folder whose lock names one package, which lies beside it: no registry is asked."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("NO NODE: needs node and npm on the PATH")
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "package.json").write_text(json.dumps({"name": "tool", "version": "1.0.0"}))
    wanted = {"name": "checked", "devDependencies": {"tool": "file:tool"}}
    (tmp_path / "package.json").write_text(json.dumps(wanted))
    packages = {
        "": wanted,
        "node_modules/tool": {"resolved": "tool", "link": True},
        "tool": {"version": "1.0.0", "dev": True},
    }
    lock = {"name": "checked", "lockfileVersion": 3, "requires": True, "packages": packages}
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    return tmp_path


def test_what_the_lock_names_is_installed_once(folder, capfd):
    node.prepare(folder)
    assert (folder / "node_modules" / "tool" / "package.json").exists()
    capfd.readouterr()
    node.prepare(folder)
    assert capfd.readouterr().out == ""


def test_another_lock_is_installed_anew_and_a_broken_one_is_told(folder):
    node.prepare(folder)
    (folder / "package-lock.json").write_text("{")
    with pytest.raises(Problem, match="npm could not install"):
        node.prepare(folder)
