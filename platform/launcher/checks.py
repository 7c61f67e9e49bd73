"""The static checks: each with a title, all of them run even if one fails."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from launcher import node
from launcher.console import Problem, say, title
from launcher.environment import ROOT, VENV
from launcher.processes import dying_with_us

SCRIPT_TESTS = ROOT / "tests" / "scripts"
_MANAGE = (sys.executable, "manage.py")
# What a hospital would set; the rest comes from the servers that were started for us.
PRODUCTION = {
    "DEBUG": "0",
    "SECURE_SSL": "1",
    "ALLOWED_HOSTS": "ventra.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://ventra.example.org",
}


@dataclass(frozen=True)
class Check:
    """One question, the command that answers it with its exit status, and what it needs to know.

    `prepare` sees to it that the command can be asked; where it cannot, the check has not passed.
    """

    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None


def check_all(settings: Mapping[str, str]) -> int:
    """Ask everything; 1 if any answer was bad, with a list of them at the end."""
    with tempfile.TemporaryDirectory() as folder:
        failed = [
            check.title for check in _checks(Path(folder) / "openapi.yaml") if not holds(check, settings)
        ]
    title("All checks pass" if not failed else f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def _checks(schema: Path) -> list[Check]:
    return [
        Check("style", _tool("ruff", "check", ".")),
        Check("format", _tool("ruff", "format", "--check", ".")),
        Check("types", _tool("mypy", ".")),
        Check("arrows between the rooms", _tool("lint-imports", "--no-logo")),
        Check("migrations match the models", (*_MANAGE, "makemigrations", "--check", "--dry-run")),
        Check(
            "settings fit for production",
            (*_MANAGE, "check", "--deploy", "--fail-level", "WARNING"),
            PRODUCTION,
        ),
        Check(
            "the API describes itself",
            (*_MANAGE, "spectacular", "--validate", "--fail-on-warn", "--file", str(schema)),
        ),
        Check(
            "docs/openapi.yaml is up to date (manage.py spectacular --file docs/openapi.yaml)",
            ("diff", "-u", "docs/openapi.yaml", str(schema)),
        ),
        Check("types of the scripts", ("node_modules/.bin/tsc",), prepare=node.prepare),
        Check(
            "types of the scripts' logic, which knows no page",
            ("node_modules/.bin/tsc", "--project", "tests/scripts"),
            prepare=node.prepare,
        ),
        Check(
            "the scripts' logic does what its tests say",
            ("node", "--test", "--test-reporter=dot", *map(str, sorted(SCRIPT_TESTS.glob("*.test.js")))),
            prepare=partial(node.require, "node"),
        ),
    ]


def _tool(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(VENV / "bin" / name), *arguments)


def holds(check: Check, settings: Mapping[str, str]) -> bool:
    """Ask one thing, in words on the screen."""
    title(check.title)
    try:
        check.prepare()
    except Problem as problem:
        say(str(problem))
        return False
    environment = {**settings, **check.environment}
    status = subprocess.run(dying_with_us(check.command), cwd=ROOT, env=environment, check=False).returncode
    if status:
        say(f"failed with status {status}")
    return status == 0
