"""Upright heads with what is known of their atria: calipers, boxes, or synthetic anatomy.

marks.csv holds calipers on real normal heads, in the pixels of the file (of FETAL_PLANES frames, drawn out to
their own aspect). Those of `lateral_ventricle/` lie in its boxes, with the ends where the wall's brightness
halves; the others were proposed by a network that had learnt from these alone, and kept where an eye that is
no clinician's found nothing wrong with them. A file without numbers was looked at too: nobody can measure an
atrium there. No picture that is labelled with ventriculomegaly or another anomaly is among them.
"""

import csv
import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inference.engine.atrium.grids import Pose, pose, upright
from inference.engine.head.ellipse import Ellipse, from_region
from inference.engine.head.shipped import find_outlined
from inference.phantom import Defects, render, sample_spec
from inference.phantom.records import Caliper

MARKS = Path(__file__).with_name("marks.csv")
STRETCHED = ("fetal_planes/", "ultrasound/normal/", "ultrasound_640/normal/")
ASPECT = 959 / 661
"""Of FETAL_PLANES frames before they were stretched to squares: most are 959 x 661 or close to it."""
PHANTOMS = 480
PHANTOM_SIDE = 384
WORST, CHANCE = 0.5, 0.3

Floats = NDArray[np.float32]
Places = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """A crop (uint8, ROWS x COLUMNS) and its calipers in crop pixels, each (2, 2): inner and outer end.

    place: middle of the far atrium where a box is known. empty: somebody looked and could measure none.
    aspect: short over long axis. mm: of a crop pixel.
    """

    file: str
    source: str
    group: str
    crop: NDArray[np.uint8]
    aspect: float
    ellipse: Ellipse
    far: Places | None = None
    near: Places | None = None
    place: Places | None = None
    empty: bool = False
    mm: float | None = None

    @property
    def floats(self) -> Floats:
        """The crop as the networks' grids take it."""
        return self.crop.astype(np.float32)


@dataclass(frozen=True)
class Listed:
    """A picture before it is cropped. outline: where somebody drew the head; mm of a pixel where known."""

    file: str
    source: str
    group: str
    outline: Ellipse | None = None
    box: tuple[float, ...] | None = None
    mm: float | None = None


def picture(data: Path, file: str) -> Floats:
    """Grey levels of a picture with square pixels."""
    image = Image.open(data / file).convert("L")
    if file.startswith(STRETCHED):
        image = image.resize((round(image.height * ASPECT), image.height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.float32)


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def normal_heads(data: Path) -> list[Listed]:
    """Every picture of a head that nobody called abnormal. Raises FileNotFoundError."""
    found = []
    for row in table(data / "hc18" / "labels.csv"):
        names = ("ellipse_x", "ellipse_y", "semi_long", "semi_short")
        x, y, long, short = (float(row[name]) for name in names)
        outline = Ellipse(x, y, long, short, math.radians(float(row["angle_deg"])))
        mm = float(row["pixel_mm"])
        found.append(Listed(f"hc18/{row['file']}", "hc18", row["group"], outline, mm=mm))
    for row in table(data / "lateral_ventricle" / "labels.csv"):
        box = tuple(float(number) for number in row["lateral_ventricle_box"].split())
        found.append(Listed(f"lateral_ventricle/{row['file']}", "lateral_ventricle", row["group"], box=box))
    planes = table(data / "fetal_planes" / "labels.csv")
    brains = [row for row in planes if row["plane"] == "brain"]
    return found + [Listed(f"fetal_planes/{row['file']}", "fetal_planes", row["group"]) for row in brains]


@cache
def marks() -> dict[str, Places | None]:
    """Calipers by file: (2, 2) inner and outer end, (x, y) in square pixels; None: looked at in vain."""
    names = ("inner_x", "inner_y", "outer_x", "outer_y")
    return {
        row["file"]: np.array([float(row[name]) for name in names]).reshape(2, 2) if row["inner_x"] else None
        for row in table(MARKS)
    }


def cropped(data: Path, listed: Sequence[Listed], *, processes: int = 2) -> list[Head]:
    """The heads of pictures that show one, in order, with their marks and boxes."""
    known = marks()
    jobs = [(data, one, known.get(one.file), one.file in known) for one in listed]
    with ProcessPoolExecutor(processes) as pool:
        return [head for head in pool.map(_cropped, jobs, chunksize=8) if head is not None]


def _cropped(job: tuple[Path, Listed, Places | None, bool]) -> Head | None:
    data, one, mark, looked_at = job
    frame = picture(data, one.file)
    found = one.outline or (head.ellipse if (head := find_outlined(frame)) else None)
    if found is None:
        return None
    lie = pose(found)
    return Head(
        **_seen(frame, found),
        file=one.file,
        source=one.source,
        group=one.group,
        far=None if mark is None else lie.to_crop(mark),
        place=None if one.box is None else lie.to_crop(_middle(one.box)),
        empty=looked_at and mark is None,
        mm=None if one.mm is None else one.mm * lie.pixel,
    )


def _seen(frame: Floats, head: Ellipse) -> dict[str, Any]:
    crop = np.clip(np.round(upright(frame, head)), 0, 255).astype(np.uint8)
    return {"crop": crop, "aspect": head.aspect, "ellipse": head}


def _middle(box: tuple[float, ...]) -> Places:
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])


def phantom_heads(count: int, seed: int, *, narrow_from: int = -1, processes: int = 2) -> list[Head]:
    """Synthetic heads with both calipers; equal arguments give equal pixels.

    Half of them are normal, and of those from number `narrow_from` on three in four: a fault of 2 mm weighs
    most in a narrow atrium.
    """
    jobs = [(seed, number, 0 <= narrow_from <= number and number % 2 == 1) for number in range(count)]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(_phantom, jobs, chunksize=4))


def _phantom(which: tuple[int, int, bool]) -> Head:
    seed, number, narrow = which
    rng = np.random.default_rng([seed, number])
    spec = sample_spec(rng, label="normal" if narrow else None)
    noise, shadow, blur, gain = (
        float(level) for level in rng.uniform(0, WORST, 4) * (rng.random(4) < CHANCE)
    )
    drawn = render(
        spec,
        "ultrasound",
        seed=seed * 10_007 + number,
        defects=Defects(noise=noise, shadow=shadow, blur=blur, gain=gain),
        size=PHANTOM_SIDE,
    )
    down, across = drawn.pixel_spacing
    wide = round(drawn.pixels.shape[1] * across / down)
    frame, inside = (
        np.asarray(Image.fromarray(layer).resize((wide, PHANTOM_SIDE), Image.Resampling.BILINEAR), np.float32)
        for layer in (drawn.pixels, drawn.head.astype(np.uint8) * 255)
    )
    head = from_region(ndimage.binary_fill_holes(inside > 127))
    lie = pose(head)
    ends = [_ends(caliper, lie, wide / drawn.pixels.shape[1]) for caliper in drawn.calipers]
    ends.sort(key=lambda pair: -float(pair[:, 1].mean()))
    name = f"phantom-{number}"
    return Head(
        **_seen(frame, head),
        file=name,
        source="phantom",
        group=name,
        far=ends[0],
        near=ends[1],
        mm=down * lie.pixel,
    )


def _ends(caliper: Caliper, lie: Pose, wider: float) -> Places:
    places = [(x * wider + 0.5 * (wider - 1), y) for y, x in (caliper.inner, caliper.outer)]
    return lie.to_crop(np.array(places))


APART = 0.25


def kept_apart(group: str) -> bool:
    """Whether a patient is never learnt from: a quarter of them, by a hash of the name."""
    number = int.from_bytes(blake2b(f"atrium/{group}".encode(), digest_size=8).digest())
    return number / 2**64 < APART
