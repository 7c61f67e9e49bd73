"""What was understood of some files, in words: "series 3, T2 coronal, 24 slices, one volume"."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from django.utils.translation import gettext, ngettext

from cases.models import Scan, UploadSession
from cases.uploads import committing, service
from inference.formats.series import Group
from language.stored import said

NAMED = 3
"""Files that are named one by one; of more the number is said."""


@dataclass(frozen=True)
class Line:
    """One line of the table of what files will become.

    known: the scan that these slices come late for. code: why they are left out, for programs.
    """

    what: str
    files: str
    becomes: str
    is_left_out: bool
    notes: tuple[str, ...] = ()
    code: str = ""
    known: Scan | None = None


def lines(session: UploadSession, groups: list[Group]) -> list[Line]:
    """One for each group, in their order."""
    return [line(session, group) for group in groups]


def line(session: UploadSession, group: Group) -> Line:
    """What the group is, its files, and what becomes of it."""
    known = committing.known_scan(session, group)
    return Line(
        what=_what(group),
        files=_files(group),
        becomes=_becomes(group),
        is_left_out=group.becomes == "left_out",
        notes=tuple(_notes(group, known)),
        code=group.code,
        known=known,
    )


def _what(group: Group) -> str:
    parts = [gettext("Series {number}").format(number=group.series_number)] if group.series_number else []
    parts += [group.description] if group.description else []
    return ", ".join(parts) or PurePosixPath(group.files[0].name).name or gettext("A file")


def _files(group: Group) -> str:
    names = [PurePosixPath(file.name).name for file in group.files]
    if len(names) <= NAMED:
        return ", ".join(names)
    count = ngettext("{count} file", "{count} files", len(names)).format(count=len(names))
    return f"{count}: {names[0]} … {names[-1]}"


def _becomes(group: Group) -> str:
    if group.becomes == "volume":
        return gettext("{count} slices, one volume").format(count=len(group.files))
    return gettext("One scan") if group.becomes == "scan" else gettext("Left out")


def _notes(group: Group, known: Scan | None) -> list[str]:
    notes = [said(group.detail)] if group.detail else []
    if group.doubles:
        count = len(group.doubles)
        sentence = ngettext(
            "{count} file is here twice and counts once.",
            "{count} files are here twice and count once.",
            count,
        )
        notes.append(sentence.format(count=count))
    if known:
        sentence = gettext("Scan {number} of the case is of the same series.")
        notes.append(sentence.format(number=known.number))
    return notes


def summary(session: UploadSession) -> list[Line]:
    """What an open session's files will become; nothing of a committed one, whose scans are there."""
    is_open = session.state == UploadSession.State.OPEN
    return lines(session, service.understood(session)) if is_open else []
