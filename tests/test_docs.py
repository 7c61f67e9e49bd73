"""The documentation names what there is."""

import re
from pathlib import Path

from audit.catalogue import SENTENCES

ROOT = Path(__file__).resolve().parents[1]


def test_every_setting_read_from_the_environment_is_documented():
    settings = (ROOT / "platform" / "config" / "settings.py").read_text()
    read = set(re.findall(r'env\.(?:text|flag|integers?|listing|networks|database)\("([A-Z_]+)"', settings))
    documented = set(
        re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    )
    assert read
    assert read <= documented, read - documented


def test_every_link_of_the_documentation_leads_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_verb_that_the_code_records_is_in_the_catalogue():
    code = "\n".join(
        file.read_text()
        for room in ("cases", "inference", "platform")
        for file in (ROOT / room).rglob("*.py")
        if "migrations" not in file.parts
    )
    recorded = set(re.findall(r'(?:record|_tell)\(\s*"([a-z_]+\.[a-z_]+)"', code))
    assert recorded
    assert recorded <= set(SENTENCES), recorded - set(SENTENCES)
