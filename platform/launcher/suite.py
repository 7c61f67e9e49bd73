"""./test: the whole suite, or the static checks, on servers of their own."""

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence

from launcher import browser, checks, environment, servers
from launcher.console import report, say
from launcher.environment import ROOT
from launcher.processes import dying_with_us

HELP = """\
usage: ./test [pytest arguments]   the suite, or a part of it: ./test tests/cases -k sign
       ./test --quick              the suite without browser, trainings and killed processes: two minutes
       ./test --long [arguments]   the same with nothing left out: whole walks, of which the suite takes a
                                  share, and tests that take minutes
       ./test --time-again         the suite, and keep what each file takes: files of long tests begin first
       ./test --checks             style, types, arrows between the rooms, migrations, settings, API schema,
                                  scripts

Sets itself up in .venv, starts PostgreSQL and Valkey in a temporary folder, finds a Chromium.
VENTRA_DATA_DIR names a folder with real scans; tests that need it are skipped without."""
WHOLE: tuple[list[str], ...] = ([], ["--time-again"], ["--quick"])
LONG = "--long"
QUICK = "not browser and not training and not faults"
"""What the markers of pyproject.toml leave: no browser, no training, no process started to be killed."""


def test(arguments: Sequence[str]) -> int:
    """Run pytest or the checks; the exit status."""
    if list(arguments) in (["--help"], ["-h"]):
        say(HELP)
        return 0
    environment.prepare(development=True)
    environment.enter(["test", *arguments])
    with servers.throwaway(
        database=not servers.named_by_user("DATABASE_URL"),
        broker=not servers.named_by_user("CELERY_BROKER_URL"),
    ) as started:
        report("servers", " and ".join(started.processes) or "your own")
        settings = os.environ | started.environment | {"SECRET_KEY": secrets.token_urlsafe(64)}
        if list(arguments) == ["--checks"]:
            return checks.check_all(settings)
        return _pytest(settings, arguments)


def _pytest(settings: dict[str, str], arguments: Sequence[str]) -> int:
    settings["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in the tests' own thread
    settings["SECURE_SSL"] = "0"  # the tests' own server speaks plain HTTP on this machine's own address
    if chromium := browser.find():
        settings["CHROMIUM"] = chromium
    if LONG in arguments:
        settings["VENTRA_LONG"] = "1"
        arguments = [one for one in arguments if one != LONG]
    if list(arguments) in WHOLE:
        # One process more than cores, since many tests wait. A file's tests stay together, long files first.
        beside = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "20"]
        arguments = [*beside, *(["-m", QUICK] if list(arguments) == ["--quick"] else arguments)]
        settings |= {
            "OMP_NUM_THREADS": "1",
            "PYTEST_XDIST_AUTO_NUM_WORKERS": str(min((os.cpu_count() or 1) + 1, 4)),
        }
    command = dying_with_us([sys.executable, "-m", "pytest", *arguments])
    return subprocess.run(command, cwd=ROOT, env=settings, check=False).returncode
