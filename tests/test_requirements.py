"""What the code imports has a line in the requirements, and every line its reason."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = ("cases", "inference", "platform", "docker")
OURS = {path.name for folder in (ROOT, ROOT / "platform") for path in folder.iterdir()} | {"manage"}
FOR_DEVELOPERS = {"platform/language/management/commands/messages.py"}
"""Refreshes the catalogues in a checkout; it needs what requirements-dev.txt adds."""
LINE = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?[^#]*(#.*)?$")


def lines(name: str) -> dict[str, str]:
    """Each distribution that a requirements file names, by its normal name, with its line."""
    found = {}
    for line in (ROOT / name).read_text().splitlines():
        if line and not line.startswith(("#", "-")):
            match = LINE.match(line)
            assert match, line
            found[normal(match[1])] = line
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(folder: str) -> Iterator[tuple[str, str]]:
    """(module, file) of every import of somebody else's code."""
    for file in (ROOT / folder).rglob("*.py"):
        if str(file.relative_to(ROOT)) in FOR_DEVELOPERS:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                module = name.partition(".")[0]
                if module not in sys.stdlib_module_names and module not in OURS:
                    yield module, str(file.relative_to(ROOT))


@pytest.mark.parametrize("folder", RUNTIME)
def test_whatever_runs_imports_only_what_requirements_name(folder):
    named, distributions = set(lines("requirements.txt")), packages_distributions()
    missing = {
        f"{file}: {module}"
        for module, file in imported(folder)
        if not named & {normal(name) for name in distributions.get(module, [])}
    }
    assert not missing


def test_the_small_set_is_the_whole_one_without_what_needs_torch():
    whole, small = lines("requirements.txt"), lines("requirements-cpu.txt")
    assert small.items() <= whole.items()
    assert whole.keys() - small.keys() == {
        "torch", "torchvision", "captum", "lime", "scikit-learn", "onnx", "onnxscript", "tqdm",
    }  # fmt: skip
    assert (ROOT / "requirements-cpu.txt").read_text().rstrip().endswith("\n-e .")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-cpu.txt", "requirements-dev.txt"])
def test_every_requirement_has_its_reason_beside_it(name):
    assert [line for line in lines(name).values() if "#" not in line] == []
