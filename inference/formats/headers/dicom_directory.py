"""DICOMDIR: the list of the files of a disc or an exported folder (PS3.3, annex F). Pure Python.

It is no picture, and nothing is read by it: files that came are taken for what they are. What it lists and
did not come is missing, and nobody else would say so.
"""

import re

from inference.formats.limits import Data
from refusals import Refusal

DIRECTORY_CLASS = b"1.2.840.10008.1.3.10"  # Media Storage Directory
_PREFIX = b"DICM"
_FILE_ID = re.compile(
    rb"\x04\x00\x00\x15CS(..)", re.DOTALL
)  # ReferencedFileID; a directory is always explicit
LONGEST_ID = 8 * 17  # eight parts of sixteen characters, and what parts them
MOST = 100_000


def is_directory(data: Data) -> bool:
    """Whether the file says that it is one."""
    return data[128:132] == _PREFIX and DIRECTORY_CLASS in data[132:512]


def listed(data: Data) -> list[str]:
    """The files that it names, as paths from its own folder: "IMAGES/IM0001"."""
    found: list[str] = []
    for match in _FILE_ID.finditer(data):
        length = int.from_bytes(match[1], "little")
        if length > LONGEST_ID or len(found) == MOST:
            continue
        parts = bytes(data[match.end() : match.end() + length]).decode("latin-1").strip("\0 ").split("\\")
        found.append("/".join(parts))
    return found


def what_came(data: Data, directory: str, names: list[str]) -> Refusal:
    """Why the list itself becomes nothing, and whether all that it lists came.

    directory: its own name as it came, with its folders. names: of everything that came.
    """
    wanted, folder = listed(data), directory.rpartition("/")[0]
    came = {name.upper() for name in names}
    if any("/" in name for name in came):
        missing = [one for one in wanted if f"{folder}/{one}".lstrip("/").upper() not in came]
    else:  # a browser's plain field names no folders
        missing = [one for one in wanted if one.rpartition("/")[2].upper() not in came]
    if not wanted or len(missing) == len(wanted):
        return Refusal("unsupported_type", "This is a DICOMDIR, a list of files; send the images themselves.")
    if not missing:
        return Refusal("unsupported_type", "This is a DICOMDIR, a list of files; all that it lists came.")
    count, first = len(missing), missing[0][:80]
    return Refusal(
        "unsupported_type",
        f"This is a DICOMDIR, a list of files; of those that it lists {count} did not come ({first}).",
    )
