"""What a backup says of itself: enough to tell whether it is whole, and whether this version can take it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from refusals import Refusal

MANIFEST, DUMP, BLOBS = "manifest.json", "database.dump", "blobs.txt"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """taken_at: the moment of the database, ISO 8601. rows: counts by table. heads: of the audit's chains, as
    `verify --anchor` reads them. migrations: of each application, the newest. sha256: of the other two
    files. faults: sentences about stored files that could not be put away.
    """

    format: int
    ventra: str
    taken_at: str
    rows: Mapping[str, int]
    heads: Mapping[str, Any]
    migrations: Mapping[str, str]
    sha256: Mapping[str, str]
    faults: list[str]

    def write(self, folder: Path) -> None:
        """Beside what it describes."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises no_backup, another_version, backup_changed."""
        try:
            said = json.loads((folder / MANIFEST).read_text())
        except (OSError, ValueError) as fault:
            raise Refusal("no_backup", f"{folder} is no backup: {MANIFEST} cannot be read.") from fault
        if said.get("format") != FORMAT:
            found = f"{folder} is a backup of format {said.get('format')}; this version reads {FORMAT}."
            raise Refusal("another_version", found)
        manifest = cls(**said)
        for name, expected in manifest.sha256.items():
            if not (folder / name).is_file() or sha256_of(folder / name) != expected:
                raise Refusal("backup_changed", f"{name} of {folder} is missing or has changed.")
        return manifest


def sha256_of(path: Path) -> str:
    """Of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def blobs_of(folder: Path) -> list[tuple[str, int]]:
    """SHA-256 and size of each stored file that a backup needs."""
    lines = (folder / BLOBS).read_text().split("\n")
    return [(line.split(" ")[0], int(line.split(" ")[1])) for line in lines if line]
