"""Refresh the catalogues: every sentence of the pages, with its translation or a place for one.

Needs polib, which is in requirements-dev.txt: catalogues are made where the code is written, and the compiled
ones are part of it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand

from language.collect import Found, collect
from language.stored import ENGLISH

HEADER = {
    "Project-Id-Version": "Ventra",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=2; plural=(n != 1);",
}


class Command(BaseCommand):
    help = "Write every sentence of the pages into locale/, keep its translation, and compile the catalogues."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        folder, found = Path(settings.LOCALE_PATHS[0]), collect()
        write_messages(folder, found)
        for code, _ in settings.LANGUAGES:
            if code != ENGLISH:
                missing = write_catalogue(folder, code, found)
                self.stdout.write(f"{code}: {missing or 'no'} sentences lack a translation.")


def write_messages(folder: Path, found: Found) -> None:
    """The list that pages need to find a stored sentence again, and to give the scripts theirs."""
    (folder / "messages.json").write_text(found.as_text())


def write_catalogue(folder: Path, code: str, found: Found) -> int:
    """The catalogue of one language, and its compiled form; returns how many sentences are not translated."""
    path = folder / code / "LC_MESSAGES" / "django.po"
    known = {_key(entry): entry for entry in polib.pofile(str(path))} if path.exists() else {}
    catalogue = polib.POFile(wrapwidth=110)
    catalogue.metadata = {**HEADER, "Language": code}
    for entry in _entries(found):
        former = known.get(_key(entry))
        if former:
            entry.msgstr, entry.msgstr_plural = former.msgstr, former.msgstr_plural or entry.msgstr_plural
            entry.flags += [flag for flag in former.flags if flag == "fuzzy"]
        catalogue.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(path))
    catalogue.save_as_mofile(str(path.with_suffix(".mo")))
    return len(catalogue.untranslated_entries()) + len(catalogue.fuzzy_entries())


def _entries(found: Found) -> Iterator[polib.POEntry]:
    """In the order of the alphabet, so that a catalogue changes only where a sentence does."""
    for text, files in sorted(found.everything().items()):
        places = [(file, "") for file in sorted(files)]
        yield polib.POEntry(msgid=text, occurrences=places, flags=_flags(text))
    for (one, many), files in sorted(found.plurals.items()):
        places = [(file, "") for file in sorted(files)]
        plural = {0: "", 1: ""}
        flags = _flags(one)
        yield polib.POEntry(
            msgid=one, msgid_plural=many, msgstr_plural=plural, occurrences=places, flags=flags
        )


def _flags(text: str) -> list[str]:
    """Which kind of places a sentence has."""
    if "%(" in text:
        return ["python-format"]
    return ["python-brace-format"] if "{" in text else []


def _key(entry: polib.POEntry) -> tuple[str, str]:
    return entry.msgid, entry.msgid_plural
