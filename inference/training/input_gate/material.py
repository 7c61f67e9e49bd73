"""What the gate learns from: real frames of every plane at hand, the same on other screens, and made ones.

Every picture goes through the head finder and the gate's own look, whatever it shows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.engine.head.by_skull import Head
from inference.engine.head.ellipse import Ellipse
from inference.engine.input_gate.look import Stage, crop, standardised, summed
from inference.phantom import render, sample_spec
from inference.phantom.others import KINDS, MODALITY, other
from inference.training.data.sources import Entry, entries
from inference.training.head_finder.material import hc18_rows
from inference.training.head_finder.measure import picture_of
from inference.training.input_gate.vgg16_gate.spoiled import SPOILERS
from inference.training.input_gate.vgg16_gate.styles import annotated, styled

Picture = NDArray[np.float32]
Finder = Callable[[Picture], Head | None]
APART = 0.3
SPOILED = ("painted_over", "transplanted", "outside")
"""Heads taken away; what is left of their source is no head."""
MADE = 40
PHANTOMS = 240


@dataclass(frozen=True)
class Item:
    """One picture to look at. kind: a source of heads, a plane without one, or a kind of made picture.

    head: 1, 0; early: 1, 0, or -1 where nobody knows. look: 0 as it is, else a number of another look.
    """

    source: str
    kind: str
    group: str
    file: str
    head: int
    early: int
    look: int
    outline: Ellipse | None = None


@dataclass(frozen=True)
class Seen:
    """Features (n, FEATURES) and what is known of each. plane: 1 with ventricles, 0 another, -1 unknown."""

    features: NDArray[np.float32]
    head: NDArray[np.int64]
    plane: NDArray[np.int64]
    early: NDArray[np.int64]
    source: NDArray[np.str_]
    kind: NDArray[np.str_]
    group: NDArray[np.str_]
    picture: NDArray[np.str_]
    look: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.head)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Seen":
        """The pictures in these rows."""
        return Seen(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def items(data: Path, looks: int) -> list[Item]:
    """Everything but the groups kept apart, in a fixed order: as it is, then in `looks` other looks."""
    return [item for item in (*_real(data, looks), *_spoiled(data), *_made()) if not apart(item.group)]


def apart(group: str) -> bool:
    """Whether a group (patient) is kept apart, for figures of what the shipped gate never saw."""
    number = int.from_bytes(blake2b(f"input gate/{group}".encode(), digest_size=8).digest(), "big")
    return number / 2**64 < APART


def _real(data: Path, looks: int) -> Iterator[Item]:
    for look in range(1 + looks):
        for source in ("hc18", "fetal_planes", "lateral_ventricle", "ultrasound"):
            for one in entries(data, source):
                yield _item(one, look)


def _item(one: Entry, look: int) -> Item:
    name = f"ultrasound {one.shows}" if one.source == "ultrasound" else one.source
    kind = "head" if one.is_head else one.shows
    return Item(name, kind, one.group, one.file, int(one.is_head), _early(one), look, one.outline)


def _early(one: Entry) -> int:
    """1, 0, or -1 where nobody knows: anomalies may be of any week."""
    if one.shows == "early":
        return 1
    return 0 if one.shows == "normal" else -1


def _spoiled(data: Path) -> Iterator[Item]:
    for number, row in enumerate(list(hc18_rows(data))[::4]):
        kind = SPOILED[number % len(SPOILED)]
        yield Item("hc18", kind, row.group, row.file, 0, -1, 1 + number % 2, row.head)


def _made() -> Iterator[Item]:
    for number in range(PHANTOMS):
        yield Item("phantom", "head", f"phantom-{number}", "", 1, 0, number % 3)
    for kind in KINDS:
        if MODALITY.get(kind, "ultrasound") == "ultrasound":
            for number in range(MADE):
                yield Item("made", kind, f"{kind}-{number}", "", 0, -1, number % 3)


def seen(
    data: Path,
    wanted: Sequence[Item],
    finder: Finder,
    stage: Stage,
    *,
    tell: Callable[[str], None] = print,
    first: int = 0,
) -> Seen:
    """Every item that the finder finds anything in. first: the number of the first one, for its chances."""
    rows, kept = [], []
    for number, item in enumerate(wanted, first):
        rng = np.random.default_rng([number, item.look, *item.kind.encode()])
        picture = _picture(data, item, rng) * np.float32(255)
        head = finder(picture)
        if head is not None and head.ellipse.long > 4:
            mirrored = bool(item.look and rng.integers(2))
            maps = stage(standardised(crop(picture, head.ellipse, mirrored=mirrored)))[0]
            rows.append(summed(maps, head, mirrored=mirrored))
            kept.append(item)
        if (number + 1) % 250 == 0:
            tell(f"{number + 1} of {len(wanted)} pictures looked at")
    plane = [_plane_of(item) for item in kept]
    return Seen(
        np.stack(rows),
        np.array([item.head for item in kept]),
        np.array(plane),
        np.array([item.early for item in kept]),
        np.array([item.source for item in kept]),
        np.array([item.kind for item in kept]),
        np.array([item.group for item in kept]),
        np.array([item.file for item in kept]),
        np.array([item.look for item in kept]),
    )


def _plane_of(item: Item) -> int:
    """1 for the sources whose every frame was taken for its ventricles or the head's circumference."""
    return 1 if item.head and item.source in ("hc18", "lateral_ventricle", "phantom") else -1


def _picture(data: Path, item: Item, rng: np.random.Generator) -> Picture:
    """0..1, square pixels."""
    if item.source == "made":
        made = np.asarray(other(item.kind, seed=int(rng.integers(2**31))), np.float32) / np.float32(255)
        return styled(rng, made, None, "ultrasound")[0] if item.look else made
    if item.source == "phantom":
        return _phantom(rng, item)
    picture = picture_of(data, item.file) / np.float32(255)
    if item.look and picture.shape[0] == picture.shape[1] and rng.random() < 0.5:
        picture = _true_proportions(picture)
    if item.kind in SPOILED:
        if item.outline is None:
            raise ValueError("only outlined heads can be taken away")
        picture = SPOILERS[item.kind](rng, picture, item.outline, _scene(rng, picture.shape))
    return _on_another_screen(rng, picture) if item.look else picture


def _true_proportions(picture: Picture) -> Picture:
    """Frames that were stretched to a square, about as wide again as they were."""
    rows, columns = picture.shape
    image = Image.fromarray(picture).resize((columns, round(rows * 0.75)), Image.Resampling.BILINEAR)
    return np.asarray(image, np.float32)


def _on_another_screen(rng: np.random.Generator, picture: Picture) -> Picture:
    """As another machine, and a third of them inside a full screen with its words and marks."""
    largest = max(picture.shape)
    if largest > 420:
        size = tuple(round(side * 420 / largest) for side in picture.shape[::-1])
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR), np.float32)
    changed, _ = styled(rng, np.ascontiguousarray(picture), None, "ultrasound")
    if rng.random() < 0.35:
        rows, columns = (int(side * rng.uniform(1.1, 1.9)) for side in changed.shape)
        screen = np.full((rows, columns), float(rng.choice([0.0, 0.0, 0.05, 0.15])), np.float32)
        top, left = (
            int(rng.integers(0, a - b + 1)) for a, b in zip(screen.shape, changed.shape, strict=True)
        )
        screen[top : top + changed.shape[0], left : left + changed.shape[1]] = changed
        changed = annotated(rng, screen)
    return changed


def _phantom(rng: np.random.Generator, item: Item) -> Picture:
    seed = int(rng.integers(2**31))
    drawn = render(sample_spec(np.random.default_rng(seed)), "ultrasound", seed=seed)
    picture = np.asarray(drawn.pixels, np.float32) / np.float32(255)
    return styled(rng, picture, None, "ultrasound")[0] if item.look else picture


def _scene(rng: np.random.Generator, shape: tuple[int, ...]) -> Picture:
    kind = str(rng.choice(["abdomen", "thorax", "sac", "organ", "face", "femur"]))
    image = Image.fromarray(other(kind, seed=int(rng.integers(2**31)))).resize((shape[1], shape[0]))
    return np.asarray(image, np.float32) / np.float32(255)
