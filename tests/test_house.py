"""The plan of the house, kept by tests where a linter cannot."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "config",
    "accounts",
    "audit",
    "blobs",
    "notices",
    "webhooks",
    "language",
    "launcher",
    "refusals",
    "digests",
    "inference",
    "cases",
)
COMPUTING = ("torch", "torchvision", "captum", "lime", "onnxruntime")


def python(code: str, folder: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_platform_is_a_folder_of_packages_and_never_a_package():
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_import_platform_is_the_standard_librarys():
    assert "lib/python3" in python("import platform; print(platform.__file__)")
    assert python("import platform; print(platform.python_version())").startswith("3.")


def test_import_locale_is_the_standard_librarys():
    assert not list((ROOT / "locale").rglob("*.py"))
    assert "lib/python3" in python("import locale; print(locale.__file__)")


def test_our_packages_load_from_the_repository(tmp_path):
    for room in ROOMS:
        assert Path(python(f"import {room}; print({room}.__file__)", tmp_path)).is_relative_to(ROOT)


def test_test_folders_are_no_packages():
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_the_web_process_never_imports_what_computes():
    code = f"""
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import config.wsgi, config.urls
from django.test import Client
from django.urls import get_resolver
get_resolver().reverse_dict
assert Client(headers={{"host": "localhost"}}).get("/healthz").status_code == 200
print([name for name in {COMPUTING} if name in sys.modules])
"""
    assert python(code) == "[]"


def test_the_parent_of_a_prefork_worker_never_imports_what_computes():
    code = f"""
import sys
from config.celery import app
app.loader.import_default_modules()
assert "inference.work" in app.tasks
print([name for name in {COMPUTING} if name in sys.modules])
"""
    assert python(code) == "[]"


def test_pages_that_stand_when_nothing_else_does_share_one_frame():
    for name in ("400.html", "500.html", "503.html"):
        page = (ROOT / "templates" / name).read_text()
        assert page.startswith('{% extends "parts/fault.html" %}')
        assert "<" not in page, "the frame is in one place"
    frame = (ROOT / "templates" / "parts" / "fault.html").read_text()
    assert "extends" not in frame
    assert "user" not in frame.partition("#}")[2]


def test_every_script_of_ours_is_type_checked():
    scripts = [*(ROOT / "static" / "js").rglob("*.js"), *(ROOT / "tests" / "scripts").glob("*.js")]
    assert scripts
    assert [str(file) for file in scripts if not file.read_text().startswith("// @ts-check\n")] == []


def test_what_checks_the_scripts_is_pinned_by_its_bytes_and_comes_from_no_address():
    """A registry is the choice of whoever installs; the hash holds whichever it is."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    packages.pop("")
    assert packages
    assert [name for name, one in packages.items() if "resolved" in one or not one.get("integrity")] == []
