"""A Chromium for the browser tests: the one at hand, or a fresh one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from launcher.console import report

NAMES = ("chromium", "chromium-browser", "google-chrome")
LONGEST_INSTALL_SECONDS = 600
_ASK_PLAYWRIGHT = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def find() -> str | None:
    """The path of a Chromium: $CHROMIUM, PATH, Debian's package if root, Playwright's own; else None."""
    ways: tuple[Callable[[], str | None], ...] = (_named, _on_path, _from_debian, _from_playwright)
    for way in ways:
        if path := way():
            report("browser", path)
            return path
    report("BROWSER", "none found and none could be installed: the browser tests are SKIPPED.")
    report("", "Install Chromium, or set CHROMIUM to its path.")
    return None


def _named() -> str | None:
    return os.environ.get("CHROMIUM")


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _from_debian() -> str | None:
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        return None
    report("browser", "installing Debian's chromium")
    if _succeeds("apt-get", "update"):
        _succeeds("apt-get", "install", "-y", "--no-install-recommends", "chromium")
    return _on_path()


def _from_playwright() -> str | None:
    report("browser", "asking Playwright for one")
    if not _succeeds(sys.executable, "-m", "playwright", "install", "chromium"):
        return None
    answer = subprocess.run(
        [sys.executable, "-c", _ASK_PLAYWRIGHT], capture_output=True, text=True, check=True
    )
    path = answer.stdout.strip()
    return path if Path(path).exists() else None


def _succeeds(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        result = subprocess.run(
            command, env=environment, capture_output=True, check=False, timeout=LONGEST_INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0
