"""The pictures of each modality as a training takes them off the shelf, fold by fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.training.data.examples import Examples, joined
from inference.training.data.groups import grouped_folds
from inference.training.data.material import Material
from inference.training.data.sources import hospital_of
from inference.training.fitting.loop import Bank, Rows, with_copies
from inference.training.fitting.session import Course

STYLES = 400
"""Pictures whose looks may be borrowed."""
HEADLESS_SHARE = 4
"""Pictures without a head in a batch, where a training has some."""


@dataclass(frozen=True)
class Shelf:
    """One modality's banks, and which labelled groups each fold holds out.

    away: for each hospital of normals the labelled rows of its patients: one more fold each, that learns from
    the other hospitals alone. styles: looks that may be borrowed, with their groups.
    """

    material: Material
    taught: Bank
    headless: Bank
    phantoms: Bank
    folds: tuple[Rows, ...]
    away: Mapping[str, Rows]
    styles: Examples

    def hidden(self, fold: int | None) -> NDArray[np.str_]:
        """Groups that a fold may see nothing of; none without a fold, or where there is no such one."""
        parts = [*self.folds, *self.away.values()]
        if fold is None or fold >= len(parts):
            return np.zeros(0, np.str_)
        return np.asarray(self.material.labelled.groups[parts[fold]])

    def seen(self, bank: Bank, fold: int | None) -> Rows:
        """Rows of `taught` or `headless` that a fold may learn from; all of them without a fold."""
        return ~np.isin(bank.examples.groups, self.hidden(fold))

    def banks(self, fold: int | None) -> list[tuple[Bank, Rows]]:
        """What an epoch draws from; no look of a hidden group is lent."""
        lent = self.styles.tensor[~np.isin(self.styles.groups, self.hidden(fold))]
        looks = torch.from_numpy(lent)
        real = [replace(bank, styles=looks) for bank in (self.taught, self.headless) if len(bank.examples)]
        drawn, rows = self.drawn()
        return [*((bank, self.seen(bank, fold)) for bank in real), (replace(drawn, styles=looks), rows)]

    def drawn(self) -> tuple[Bank, Rows]:
        """The phantoms, which no fold holds out; what they borrow is nobody's who is ever held out."""
        return self.phantoms, np.ones(len(self.phantoms.examples), np.bool_)


def away_names(materials: Sequence[Material]) -> tuple[str, ...]:
    """The hospitals that are left out in turn, of all modalities."""
    return tuple(hospital for material in materials for hospital in material.hospitals)


def filled(course: Course, materials: list[Material], still: nn.Module | None) -> list[Shelf]:
    """A shelf for each material. still: the module whose stem learns no more."""
    if still is not None:
        course.tell("showing every picture to the stem, once", {}, 0)
    return [_shelf(course, material, still, number) for number, material in enumerate(materials)]


def _shelf(course: Course, material: Material, still: nn.Module | None, number: int) -> Shelf:
    """still: the module whose stem learns no more, so that pictures go through it once."""
    plan, labelled = course.plan, material.labelled
    unheld = torch.from_numpy(_some(joined([material.other, material.phantoms])).tensor)
    sounds = material.modality == "ultrasound"
    taught = Bank(material.taught, unheld, acoustic=sounds)
    phantoms = Bank(material.phantoms, unheld, acoustic=sounds)
    headless = Bank(material.headless, unheld, share=HEADLESS_SHARE, acoustic=sounds)
    if still is not None:
        few, seed = max(1, plan.copies // 2), plan.seed + 2 * number
        taught = with_copies(taught, still, plan.copies, seed, halved=plan.halved, cache=course.cache)
        phantoms = with_copies(phantoms, still, few, seed + 1, halved=plan.halved, cache=course.cache)
        if len(material.headless):
            headless = with_copies(headless, still, plan.copies, seed, halved=plan.halved, cache=course.cache)
    folds = grouped_folds(labelled.labels, labelled.groups, plan.folds, plan.seed) if len(labelled) else []
    away = {hospital: _patients_of(labelled, hospital) for hospital in material.hospitals}
    return Shelf(material, taught, headless, phantoms, tuple(folds), away, _styles(material))


def _patients_of(labelled: Examples, hospital: str) -> Rows:
    """Normals of a hospital, and whatever else is labelled of the same patients."""
    normal = labelled.labels == 0
    own = np.array([hospital_of(name) == hospital for name in labelled.names], np.bool_)
    return np.isin(labelled.groups, labelled.groups[normal & own])


def _styles(material: Material) -> Examples:
    """Looks of every source: other anomalies, normals of each hospital, phantoms."""
    if not material.hospitals:
        return _some(joined([material.other, material.phantoms]))
    labelled = material.labelled
    normals = [
        labelled.take((labelled.labels == 0) & _patients_of(labelled, hospital))
        for hospital in material.hospitals
    ]
    parts = [material.other, *normals, material.phantoms]
    return joined([_some(part, STYLES // len(parts)) for part in parts])


def _some(examples: Examples, count: int = STYLES) -> Examples:
    """So many of them, spread over the whole; the first ones where there is nothing to choose."""
    step = max(1, len(examples) // count)
    return examples.take(np.arange(0, len(examples), step)[:count])


def taken(shelves: list[Shelf], fold: int | None) -> list[tuple[Bank, Rows]]:
    """What an epoch draws from, of all modalities."""
    return [bank for shelf in shelves for bank in shelf.banks(fold)]
