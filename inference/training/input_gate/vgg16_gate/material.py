"""Examples for the gate: every picture goes through the engine's own head finder and the gate's own views."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.engine.head.by_skull import find_head
from inference.engine.head.ellipse import Ellipse
from inference.engine.input_gate.vgg16_gate import CLASSES, Floats, Stem, features, views
from inference.engine.preprocessing.frames import VOLUME_FRAMES
from inference.engine.quality import frame_contrast, head_quality
from inference.formats.stack import MODALITIES, Modality
from inference.phantom.others import KINDS, MODALITY, other
from inference.training.data.sources import table
from inference.training.input_gate.vgg16_gate.heads import (
    HeadPicture,
    atlas_picture,
    phantom_picture,
    plain_slice,
    real_picture,
)
from inference.training.input_gate.vgg16_gate.spoiled import SPOILERS
from inference.training.input_gate.vgg16_gate.styles import Mask, Picture, retextured, styled
from refusals import Refusal

NEITHER = CLASSES.index("neither")
AGREEMENT = 0.55
"""Overlap from which a found ellipse is the head that was there: below it the example teaches nothing."""


@dataclass(frozen=True)
class Item:
    """One picture to make. kind: of non-head, or where a head comes from. file: of a real picture or volume.

    Plain kinds stay as they are. modality: what it shows; swapped: it was declared as the other.
    """

    kind: str
    group: str
    seed: int
    file: str = ""
    spoiler: str = ""
    modality: Modality = "ultrasound"
    swapped: bool = False

    @property
    def declared(self) -> Modality:
        """What the uploader said it was."""
        return MODALITIES[1 - MODALITIES.index(self.modality)] if self.swapped else self.modality


@dataclass(frozen=True)
class Seen:
    """Examples: what VGG16's stem sees (n, 2048), index into CLASSES, and what they are.

    found: False where the engine itself found no head, so that the gate is never asked.
    """

    features: NDArray[np.float32]
    truth: NDArray[np.int64]
    kind: NDArray[np.str_]
    group: NDArray[np.str_]
    declared: NDArray[np.str_]
    found: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: NDArray[np.bool_]) -> "Seen":
        """The examples in these rows."""
        return Seen(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def real_files(data: Path) -> list[tuple[str, str]]:
    """(file, group) of every real ultrasound picture; `other` anomalies are heads too."""
    return [(row["file"], row["group"]) for row in table(data / "ultrasound" / "labels.csv")]


def volumes(data: Path) -> list[str]:
    """Names of the real MRI volumes; each is a group of its own."""
    return sorted(path.parent.name for path in (data / "mri").glob("*/srr.nii.gz"))


def items(data: Path, share: float, seed: int, modality: Modality | None = None) -> list[Item]:
    """Everything to fit on; share scales all counts. modality: only what is declared as this one."""
    everything = [
        *_head_items(data, share, seed),
        *_spoiled_items(data, share, seed),
        *_other_items(data, share, seed),
    ]
    return [item for item in everything if modality in (None, item.declared)]


def _head_items(data: Path, share: float, seed: int) -> Iterator[Item]:
    for file, group in real_files(data):
        yield Item("plain_ultrasound", group, 0, file)
        for n in range(round(7 * share)):
            yield Item("real_ultrasound", group, seed + 1 + n, file, swapped=n == round(7 * share) // 2)
    for name in volumes(data):
        yield from (Item("plain_mri", name, n, name, modality="mri") for n in range(VOLUME_FRAMES))
        for n in range(round(110 * share)):
            yield Item("atlas_mri", name, seed + 1 + n, name, modality="mri", swapped=n % 9 == 8)
        for n in range(round(110 * share)):
            yield Item("folded_mri", name, seed + 2001 + n, name, modality="mri")
            yield Item("late_mri", name, seed + 4001 + n, name, modality="mri")
    files = real_files(data)
    for n in range(round(900 * share)):
        file, group = files[n * 17 % len(files)] if n % 2 else ("", f"phantom-{n}")
        yield Item("phantom_ultrasound", group, seed + 1 + n, file, swapped=n % 9 == 8)
    for n in range(round(450 * share)):
        yield Item("phantom_mri", f"phantom-{n}", seed + 1 + n, modality="mri", swapped=n % 9 == 8)


def _spoiled_items(data: Path, share: float, seed: int) -> Iterator[Item]:
    names = list(SPOILERS)
    for number, (file, group) in enumerate(real_files(data)):
        for n in range(round(9 * share)):
            spoiler = names[(number * 7 + n) % len(names)]
            yield Item(spoiler, group, seed + 500 + n, file, spoiler)
    for name in volumes(data):
        for n in range(round(60 * share)):
            spoiler = names[n % len(names)]
            yield Item(spoiler, name, seed + 500 + n, name, spoiler, "mri")
    for n in range(round(300 * share)):
        modality = MODALITIES[n // len(names) % 2]
        yield Item(
            names[n % len(names)], f"phantom-s{n}", seed + 500 + n, "", names[n % len(names)], modality
        )


def _other_items(data: Path, share: float, seed: int) -> Iterator[Item]:
    """Synthetic non-heads; half of the ultrasound ones take the grain of a real picture, and its group."""
    files = real_files(data)
    for kind in KINDS:
        for n in range(round(150 * share)):
            own = MODALITY.get(kind, MODALITIES[n // 2 % 2])
            real = n % 2 == 1 and own == "ultrasound"
            file, group = (
                files[(n * 31 + KINDS.index(kind) * 7) % len(files)] if real else ("", f"{kind}-{n}")
            )
            yield Item(kind, group, seed + 900 + n, file, modality=own, swapped=n % 8 == 7)


def seen(data: Path, wanted: Sequence[Item], stem: Stem, *, processes: int = 2) -> Seen:
    """Every item made and looked at, in order; items whose head was not found where it is are left out."""
    with ProcessPoolExecutor(processes) as pool:
        rows = list(pool.map(_look, [(data, item) for item in wanted], chunksize=16))
    kept = [(item, row) for item, row in zip(wanted, rows, strict=True) if row]
    return Seen(
        features(stem, *(np.stack([row[view] for _, row in kept]) for view in (0, 1))),
        np.array([row[2] for _, row in kept], np.int64),
        np.array([item.kind for item, _ in kept], np.str_),
        np.array([item.group for item, _ in kept], np.str_),
        np.array([item.declared for item, _ in kept], np.str_),
        np.array([row[3] for _, row in kept], np.bool_),
    )


Row = tuple[Floats, Floats, int, bool]
"""Crop and whole frame, truth, whether the engine found a head."""


def _look(job: tuple[Path, Item]) -> Row | None:
    data, item = job
    made = picture_of(data, item)
    if made is None:
        return None
    picture, mask = made
    truth = NEITHER if mask is None else CLASSES.index(item.modality)
    frame = picture * 255
    try:
        frame_contrast(frame)
    except Refusal:
        return None
    found = find_head(frame, item.declared)
    if found is None or (mask is not None and not item.swapped and _overlap(found.ellipse, mask) < AGREEMENT):
        return None
    try:
        head_quality(found, (frame.shape[0], frame.shape[1]))
        asked = True
    except Refusal:
        asked = False
    crop, whole = views(frame, found.ellipse)
    return crop, whole, truth, asked


def _overlap(ellipse: Ellipse, mask: Mask) -> float:
    own = ellipse.mask((mask.shape[0], mask.shape[1]))
    return float((own & mask).sum() / max((own | mask).sum(), 1))


def picture_of(data: Path, item: Item) -> tuple[Picture, Mask | None] | None:
    """The picture of an item 0..1, and its head's mask when it is a head."""
    rng = np.random.default_rng([item.seed, *item.kind.encode(), *item.group.encode()])
    if item.kind in KINDS:
        return styled(rng, _other(rng, data, item), None, item.modality)
    source = _head(data, item)
    if source is None:
        return None
    picture, head = source.picture, source.head
    if item.spoiler:
        sample = _scene(rng, picture.shape, item.modality)
        spoiled = SPOILERS[item.spoiler](rng, picture, head, sample)
        return styled(rng, spoiled, None, item.modality)
    mask = head.mask((picture.shape[0], picture.shape[1]))
    if item.kind.startswith("plain"):
        return picture, mask
    if item.kind == "phantom_ultrasound" and item.file:
        picture = retextured(rng, picture, _donor(data, item))
    return styled(rng, picture, mask, item.modality)


def _head(data: Path, item: Item) -> HeadPicture | None:
    if not item.file or item.kind.startswith("phantom"):
        return phantom_picture(item.modality, item.seed * 1009 + len(item.group) + _number(item.group))
    if item.modality == "ultrasound":
        return real_picture(data / "ultrasound" / item.file)
    volume = data / "mri" / item.file
    if item.kind == "plain_mri":
        return plain_slice(volume, item.seed)
    return atlas_picture(volume, item.seed, folded=item.kind == "folded_mri", late=item.kind == "late_mri")


def _number(group: str) -> int:
    return int("".join(c for c in group if c.isdigit()) or 0)


def _other(rng: np.random.Generator, data: Path, item: Item) -> Picture:
    picture = np.asarray(other(item.kind, seed=int(rng.integers(2**31))), np.float32) / np.float32(255)
    return retextured(rng, picture, _donor(data, item)) if item.file else picture


def _donor(data: Path, item: Item) -> Picture:
    """The real picture whose grain a synthetic one takes."""
    return np.asarray(Image.open(data / "ultrasound" / item.file).convert("L"), np.float32) / np.float32(255)


def _scene(rng: np.random.Generator, shape: tuple[int, ...], modality: Modality) -> Picture:
    """A synthetic non-head of the right modality and shape, for what needs one."""
    kinds = ("abdomen", "thorax", "sac", "organ", "face", "femur")
    kind = str(rng.choice(kinds)) if modality == "ultrasound" else str(rng.choice(["body", "limb", "womb"]))
    image = Image.fromarray(other(kind, seed=int(rng.integers(2**31)))).resize((shape[1], shape[0]))
    return np.asarray(image, np.float32) / np.float32(255)
