"""The labelled folders of ultrasound pictures that training knows, read in one place.

A data folder holds some of SOURCES, each with its labels.csv. What their columns mean, which hospital a
picture comes from and what its pixels are worth is said here and nowhere else.
"""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digests import sha256_hex
from inference.engine.head.biometry import circumference
from inference.engine.head.ellipse import Ellipse
from inference.formats.stack import PictureStack

Shows = Literal["normal", "ventriculomegaly", "other", "early", "abdomen", "thorax", "femur"]
"""What a picture shows. early: a head from before about 18 weeks, when choroid fills the ventricles."""

SOURCES = ("ultrasound", "hc18", "lateral_ventricle", "fetal_planes")
"""A picture that stands in several of them counts in the first."""
BARCELONA, NIJMEGEN, COLLECTION = "Barcelona", "Nijmegen", "collection"
HOSPITALS: Mapping[str, str] = {
    "ultrasound": BARCELONA,
    "fetal_planes": BARCELONA,
    "lateral_ventricle": BARCELONA,
    "hc18": NIJMEGEN,
}
"""Where the normals of a source come from: patients of one hospital may stand in several of its sources."""
EARLY_MM = 150.0
"""Head circumference of about 18 weeks."""
STRETCHED = ("fetal_planes/", "ultrasound/normal/")
ASPECT = 959 / 661
"""Of FETAL_PLANES frames before they were stretched to squares: most are 959 x 661 or close to it."""
SHOWN = "axial_wide_ventricle_visible"


@dataclass(frozen=True)
class Entry:
    """One picture of a source. file: from the data folder on. group: the patient, or class and week.

    outline: where somebody drew the skull, in the file's pixels, its circumference the stated one. mm: of a
    pixel. circumference_mm: of the head. box: of the atrium (x0 y0 x1 y1). severity: as stated.
    """

    file: str
    source: str
    group: str
    shows: Shows
    severity: str = ""
    outline: Ellipse | None = None
    mm: float | None = None
    circumference_mm: float | None = None
    box: tuple[float, ...] | None = None

    @property
    def hospital(self) -> str:
        """Where it was acquired; the anomalies of the collection come from nobody knows where."""
        known = self.source != "ultrasound" or self.shows == "normal"
        return HOSPITALS[self.source] if known else COLLECTION

    @property
    def is_head(self) -> bool:
        """Whether any part of a head is seen."""
        return self.shows not in ("abdomen", "thorax", "femur")


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a labels.csv. Raises FileNotFoundError."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def sources_in(data: Path) -> tuple[str, ...]:
    """Which of SOURCES a folder holds."""
    return tuple(source for source in SOURCES if (data / source / "labels.csv").exists())


def entries(data: Path, source: str) -> Iterator[Entry]:
    """The pictures of one source in the order of its labels.csv. Raises FileNotFoundError, KeyError."""
    for row in table(data / source / "labels.csv"):
        yield READERS[source](row, f"{source}/{row['file']}")


def _collection(row: Mapping[str, str], file: str) -> Entry:
    label = row["label"]
    shows: Shows = (
        "normal" if label == "normal" else "ventriculomegaly" if label == "ventriculomegaly" else "other"
    )
    return Entry(file, "ultrasound", row["group"], shows, severity=row.get("severity") or "")


def _hc18(row: Mapping[str, str], file: str) -> Entry:
    """Ellipses scaled so that their circumference is the stated head circumference."""
    drawn = Ellipse(
        float(row["ellipse_x"]),
        float(row["ellipse_y"]),
        float(row["semi_long"]),
        float(row["semi_short"]),
        math.radians(float(row["angle_deg"])),
    )
    mm, around = float(row["pixel_mm"]), float(row["head_circumference_mm"])
    return Entry(
        file,
        "hc18",
        row["group"],
        "early" if around < EARLY_MM else "normal",
        outline=drawn.grown(around / mm / circumference(drawn)),
        mm=mm,
        circumference_mm=around,
    )


def _boxed(row: Mapping[str, str], file: str) -> Entry:
    box = tuple(float(number) for number in row["lateral_ventricle_box"].split())
    return Entry(file, "lateral_ventricle", row["group"], "normal", box=box)


PLANES: Mapping[str, Shows] = {"brain": "normal", "abdomen": "abdomen", "thorax": "thorax", "femur": "femur"}


def _planes(row: Mapping[str, str], file: str) -> Entry:
    return Entry(file, "fetal_planes", row["group"], PLANES[row["plane"]])


READERS = {"ultrasound": _collection, "hc18": _hc18, "lateral_ventricle": _boxed, "fetal_planes": _planes}


def shown_files(data: Path) -> frozenset[str]:
    """Ventriculomegaly pictures (as "ultrasound/...") whose wide ventricle a lay eye sees."""
    path = data / "ultrasound_640" / "labels.csv"
    rows = table(path) if path.exists() else []
    return frozenset(f"ultrasound/{row['file']}" for row in rows if row.get("view_by_a_lay_eye") == SHOWN)


def heads(data: Path) -> list[Entry]:
    """Every head of every source; a frame that stands in two of them counts in the first of SOURCES."""
    found: dict[tuple[str, str], Entry] = {}
    for source in sources_in(data):
        for entry in entries(data, source):
            if entry.is_head:
                found.setdefault((entry.hospital, Path(entry.file).stem), entry)
    return list(found.values())


def source_of(file: str) -> str:
    """The source of a picture, or of one made from it, by its name; "" for names of other folders."""
    first = file.split("/", 1)[0]
    return first if first in SOURCES else ""


def hospital_of(file: str) -> str:
    """The hospital of a normal picture, or of one made from it, by its name; "" where nobody knows."""
    return HOSPITALS.get(source_of(file), "")


def square_pixels(data: Path, file: str) -> NDArray[np.uint8]:
    """Grey levels (rows, columns); frames that were stretched to squares are drawn out again.

    Their true aspect is lost: it is that of most frames of their source, and wrong for some.
    """
    image = Image.open(data / file).convert("L")
    if file.startswith(STRETCHED) and image.width == image.height:
        image = image.resize((round(image.height * ASPECT), image.height), Image.Resampling.BILINEAR)
    return np.array(image)


def stack_of(data: Path, file: str, mm: float | None = None) -> PictureStack:
    """A trusted picture of a source, its scale stated where it is known."""
    return PictureStack(
        pixels=square_pixels(data, file)[None],
        modality="ultrasound",
        original_sha256=sha256_hex((data / file).read_bytes()),
        source_format="jpeg",
        pixel_spacing=None if mm is None else (mm, mm),
    )
