"""The images, without an engine: linted, unprivileged, and the web's without torch."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
LEFT_OUT = re.search(r"invert-match '\^\(([^)]*)\)", DOCKERFILE)
WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in LEFT_OUT:
            raise ModuleNotFoundError(f"the web image has no {name}", name=name)

sys.meta_path.insert(0, Missing())
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def stage(name: str) -> str:
    """The text of one build stage."""
    found = re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found, name
    return found.group(1)


def test_the_linter_is_content() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    result = subprocess.run(
        [hadolint, ROOT / "docker" / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", ["web", "worker"])
def test_both_images_run_unprivileged_and_say_whether_they_are_well(name: str) -> None:
    text = stage(name)
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert text.index("USER") < text.index("CMD")
    assert f'CMD ["python", "health.py", "{name}"]' in text


def test_base_image_and_torch_are_build_arguments_and_pinned() -> None:
    assert re.search(r"^ARG BASE_IMAGE=debian:\d+\.\d+-slim$", DOCKERFILE, re.MULTILINE)
    assert "ARG TORCH_INDEX=" in stage("worker-packages")


def test_everything_copied_is_let_through_and_nothing_else() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    copied = {name for names in copies for name in names.split()}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert "*" in lines
    assert all((ROOT / path).exists() for path in copied)


def test_every_package_that_is_left_out_of_the_web_is_one_we_require() -> None:
    assert LEFT_OUT
    required = (ROOT / "requirements.txt").read_text()
    for name in LEFT_OUT.group(1).split("|"):
        assert re.search(rf"^{name}\b", required, re.MULTILINE)


def test_the_web_starts_without_what_its_image_leaves_out() -> None:
    assert LEFT_OUT
    names = {name.replace("-", "_") for name in LEFT_OUT.group(1).split("|")}
    script = WITHOUT.replace("LEFT_OUT", repr(names))
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    result = subprocess.run(
        [sys.executable, "-c", script, "check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_the_images_know_which_version_they_are() -> None:
    """Without, nothing could be registered: every version keeps that of the code that made it."""
    assert "COPY pyproject.toml" in stage("packages")
    assert "pip install --no-deps --editable ." in stage("packages")
    assert "FROM packages AS web-packages" in DOCKERFILE
    for name in ("web", "worker"):
        assert "org.opencontainers.image.revision=$COMMIT" in stage(name)
