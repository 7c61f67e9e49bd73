"""What one modality brings to a training: what is learnt from, what is held out, what figures rest on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inference.engine.records import LABELS
from inference.formats.stack import Modality
from inference.training.atlas import atlas_sources
from inference.training.border import headless_sources
from inference.training.cache import contents_sha256, examples
from inference.training.data import Examples, Source, folder_sources, joined
from inference.training.graft import grafted_sources
from inference.training.phantoms import phantom_sources

HELD_PHANTOMS = 5
"""One phantom in so many is held out."""
VARIANTS: dict[Modality, int] = {"ultrasound": 8, "mri": 4}
"""Made of every normal ultrasound picture, or of every slice, with either label."""


@dataclass(frozen=True)
class Making:
    """What is made besides the real pictures.

    variants: instead of as many as VARIANTS says. bare: half of the drawn-in ultrasound heads stand on black.
    headless: ultrasound pictures without their heads, under either label.
    """

    phantoms: int
    seed: int
    variants: int | None = None
    bare: bool = False
    headless: bool = False


@dataclass(frozen=True)
class Material:
    """Everything of one modality; groups are shared between `labelled` and `taught`.

    labelled: real pictures of the two classes, on which the figures rest.
    taught: what is learnt from besides phantoms. Ultrasound: normals with ventricles drawn in, of either
        label, so that no machine belongs to one label; real labels only when somebody asks for that.
        MRI: slices with moved ventricle walls, and the labelled ones.
    headless: labelled ultrasound pictures whose head is painted over, each under both labels, if asked for.
    other: real pictures of neither class, never trained on. phantoms and held_phantoms share no head.
    labels_learnt: whether somebody asked to learn from real ultrasound labels.
    pictures_sha256: over the names and bytes of the files in the folder of real pictures.
    """

    modality: Modality
    labelled: Examples
    taught: Examples
    headless: Examples
    other: Examples
    phantoms: Examples
    held_phantoms: Examples
    labels_learnt: bool = False
    pictures_sha256: str = ""

    def seen_at(self, side: int) -> "Material":
        """Every picture averaged down to `side` pixels, as a network does that works on fewer."""
        return replace(
            self,
            labelled=_averaged(self.labelled, side),
            taught=_averaged(self.taught, side),
            headless=_averaged(self.headless, side),
            other=_averaged(self.other, side),
            phantoms=_averaged(self.phantoms, side),
            held_phantoms=_averaged(self.held_phantoms, side),
        )


def _averaged(examples: Examples, side: int) -> Examples:
    count, channels, size, _ = examples.tensor.shape
    if size <= side:
        return examples
    step = size // side
    blocks = examples.tensor.reshape(count, channels, side, step, side, step)
    return replace(examples, tensor=blocks.mean(axis=(3, 5), dtype=np.float32))


def material(
    modality: Modality,
    folder: Path,
    recipe_id: str,
    making: Making,
    *,
    cache: Path | None = None,
    learn_labels: bool = False,
) -> Material:
    """Prepare everything as the engine prepares scans. Raises GroupLeak, KeyError, FileNotFoundError."""
    real, made, headless = _sources(modality, folder, making)
    contents = contents_sha256(folder)
    pictures = examples(cache, "pictures", real, recipe_id, contents)
    changed = examples(cache, "made", made, recipe_id, contents)
    drawn = examples(cache, "phantoms", phantom_sources(modality, making.phantoms, making.seed), recipe_id)
    held = len(drawn) - len(drawn) // HELD_PHANTOMS
    labelled = pictures.of_class()
    learns = learn_labels or modality == "mri"
    return Material(
        modality=modality,
        labelled=labelled,
        taught=joined([changed, labelled]) if learns else changed,
        headless=examples(cache, "headless", headless, recipe_id, contents),
        other=pictures.take(pictures.labels < 0),
        phantoms=drawn.take(np.arange(held)),
        held_phantoms=drawn.take(np.arange(held, len(drawn))),
        labels_learnt=learn_labels,
        pictures_sha256=contents,
    )


def _sources(modality: Modality, folder: Path, making: Making) -> tuple[Sequence[Source], ...]:
    """Real pictures, those made from them, and those without their heads."""
    variants = making.variants or VARIANTS[modality]
    if modality == "ultrasound":
        real = folder_sources(folder)
        normals = [source for source in real if source[1] == "normal"]
        made = grafted_sources(folder, normals, variants, making.seed, bare=making.bare)
        labelled = [source for source in real if source[1] in LABELS]
        return real, made, headless_sources(folder, labelled) if making.headless else []
    return *atlas_sources(folder, variants, making.seed), []
