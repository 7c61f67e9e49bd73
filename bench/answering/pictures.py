"""The pictures at hand, by source."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inference.formats.picture import decode
from inference.formats.source import Source
from inference.formats.stack import PictureStack


@dataclass(frozen=True)
class Shown:
    """One picture: where it lies, what it shows, whose it is. entry: its line in labels.csv."""

    path: Path
    source: str
    kind: str
    group: str
    entry: dict[str, str]

    def stack(self) -> PictureStack:
        """As the platform takes it in, but for the child that decodes what strangers send."""
        data = self.path.read_bytes()
        return decode(Source(data, "ultrasound", hashlib.sha256(data).hexdigest()))


def shown(data: Path, every: int) -> Iterator[Shown]:
    """Every picture of every source, or each source's every `every`th; all of ultrasound/, which has few."""
    for folder, source, kind in (
        ("hc18", "hc18", ""),
        ("fetal_planes", "fetal_planes", "plane"),
        ("lateral_ventricle", "lateral_ventricle", ""),
        ("ultrasound", "ultrasound", "label"),
    ):
        for entry in listed(data / folder)[:: 1 if folder == "ultrasound" else every]:
            name = entry[kind] if kind else "brain"
            label = f"{source} {name}" if source == "ultrasound" else source
            shows = "brain" if source == "ultrasound" else name
            yield Shown(data / folder / entry["file"], label, shows, entry["group"], entry)


def listed(folder: Path) -> list[dict[str, str]]:
    """The lines of a folder's labels.csv; none where the folder is missing."""
    path = folder / "labels.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
