"""What one modality brings to a training: what is learnt from, what is held out, what figures rest on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.engine.records import LABELS
from inference.formats.stack import Modality, PictureStack
from inference.training.data.cache import contents_sha256, examples
from inference.training.data.examples import Examples, Source, folder_sources, joined
from inference.training.data.sources import hospital_of, shown_files, source_of, sources_in
from inference.training.synthesis.atlas import atlas_sources
from inference.training.synthesis.border import headless_sources
from inference.training.synthesis.dilated import dilated_sources
from inference.training.synthesis.phantoms import phantom_sources
from inference.training.synthesis.synthetic_ventricles import grafted_sources

OFF_PLANE = ("off_plane", "not_a_head")
HELD_PHANTOMS = 5
"""One phantom in so many is held out."""
VARIANTS: dict[Modality, int] = {"ultrasound": 8, "mri": 4}
"""Made of every normal ultrasound picture, or of every slice, with either label."""


DILATED = 3
"""Made of every normal ultrasound picture with calipers, with either label, in place of some of VARIANTS."""


@dataclass(frozen=True)
class Making:
    """What is made besides the real pictures.

    variants: instead of as many as VARIANTS says. bare: half of the drawn-in ultrasound heads stand on black.
    headless: ultrasound pictures without their heads, under either label. without: sources or hospitals of
    normals that nothing is made of.
    """

    phantoms: int
    seed: int
    variants: int | None = None
    bare: bool = False
    headless: bool = False
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Material:
    """Everything of one modality; groups are shared between `labelled` and `taught`.

    labelled: real pictures of the two classes, on which the figures rest.
    taught: what is learnt from besides phantoms. Ultrasound: normals with ventricles dilated or drawn in, of
        either label, so that no machine belongs to one label; real labels only when somebody asks for that.
        MRI: slices with moved ventricle walls, and the labelled ones.
    headless: labelled ultrasound pictures whose head is painted over, each under both labels, if asked for.
    other: real pictures of neither class, never trained on. early: heads of before about 18 weeks, nor they.
    phantoms and held_phantoms share no head.
    labels_learnt: whether somebody asked to learn from real ultrasound labels.
    pictures_sha256: over the names and bytes of the files in the folder of real pictures.
    reads: how to get each labelled scan, by name. shown: names of ventriculomegaly pictures that show a wide
        ventricle, where somebody looked. without: as of Making.
    """

    modality: Modality
    labelled: Examples
    taught: Examples
    headless: Examples
    other: Examples
    early: Examples
    phantoms: Examples
    held_phantoms: Examples
    labels_learnt: bool = False
    pictures_sha256: str = ""
    reads: Mapping[str, Callable[[], PictureStack]] = field(default_factory=dict)
    shown: frozenset[str] = frozenset()
    without: tuple[str, ...] = ()

    @property
    def hospitals(self) -> tuple[str, ...]:
        """Hospitals whose normals are learnt from; none of them can be left out where there is but one."""
        normals = {hospital_of(name) for name in self.taught.names} - {""}
        return tuple(sorted(normals)) if len(normals) > 1 else ()

    def seen_at(self, side: int) -> "Material":
        """Every picture averaged down to `side` pixels, as a network does that works on fewer."""
        return replace(
            self,
            labelled=_averaged(self.labelled, side),
            taught=_averaged(self.taught, side),
            headless=_averaged(self.headless, side),
            other=_averaged(self.other, side),
            early=_averaged(self.early, side),
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
    """Prepare everything as the engine prepares scans. Raises GroupLeak, KeyError, FileNotFoundError.

    Of the brains of FETAL_PLANES those count that the gate finds in plane: nobody labelled their planes.
    """
    contents = contents_sha256(folder)
    several = modality == "ultrasound" and bool(sources_in(folder))
    real = _real(modality, folder, making)
    pictures = examples(cache, "pictures", real, recipe_id, contents, gated=several)
    shows = {source[0]: source[1] for source in real}
    early = np.array([several and shows[name] == "early" for name in pictures.names], np.bool_)
    labelled = pictures.take((pictures.labels >= 0) & ~_off_plane(pictures))
    made, headless = _made(modality, folder, making, real, labelled)
    changed = examples(cache, "made", made, recipe_id, contents)
    drawn = examples(cache, "phantoms", phantom_sources(modality, making.phantoms, making.seed), recipe_id)
    held = len(drawn) - len(drawn) // HELD_PHANTOMS
    learns = learn_labels or modality == "mri"
    return Material(
        modality=modality,
        labelled=labelled,
        taught=joined([changed, labelled]) if learns else changed,
        headless=examples(cache, "headless", headless, recipe_id, contents),
        other=pictures.take((pictures.labels < 0) & ~early),
        early=pictures.take(early),
        phantoms=drawn.take(np.arange(held)),
        held_phantoms=drawn.take(np.arange(held, len(drawn))),
        labels_learnt=learn_labels,
        pictures_sha256=contents,
        reads={source[0]: source[3] for source in real},
        shown=shown_files(folder) if several else frozenset(),
        without=making.without,
    )


def _off_plane(pictures: Examples) -> NDArray[np.bool_]:
    """Which frames of FETAL_PLANES' brains the gate finds in another plane, or no head at all."""
    planes = np.array([name.startswith("fetal_planes/") for name in pictures.names], np.bool_)
    return planes & np.isin(pictures.codes, OFF_PLANE)


def _real(modality: Modality, folder: Path, making: Making) -> Sequence[Source]:
    if modality == "ultrasound":
        return folder_sources(folder)
    return atlas_sources(folder, making.variants or VARIANTS[modality], making.seed)[0]


def _made(
    modality: Modality, folder: Path, making: Making, real: Sequence[Source], labelled: Examples
) -> tuple[Sequence[Source], Sequence[Source]]:
    """What is made of real pictures to be learnt from, and pictures without their heads."""
    variants = making.variants or VARIANTS[modality]
    if modality == "mri":
        return atlas_sources(folder, variants, making.seed)[1], []
    kept = set(labelled.names)
    several = any(source_of(name) for name in kept)
    normals = [
        one
        for one in real
        if one[1] == "normal"
        and (one[0] in kept or not several)
        and not {source_of(one[0]), hospital_of(one[0])} & set(making.without)
    ]
    dilated = dilated_sources(normals, DILATED if several else 0, making.seed, bare=making.bare)
    each = 1 if several and making.variants is None else variants
    made = [*dilated, *grafted_sources(normals, each, making.seed, bare=making.bare)]
    headless = [source for source in real if source[1] in LABELS and (source[0] in kept or not several)]
    return made, headless_sources(headless) if making.headless else []
