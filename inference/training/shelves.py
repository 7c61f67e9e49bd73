"""The pictures of each modality as a training takes them off the shelf, fold by fold."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from inference.training.course import Course
from inference.training.data import joined
from inference.training.groups import grouped_folds
from inference.training.loop import Bank, Rows, with_copies
from inference.training.material import Material

STYLES = 400
"""Pictures whose looks may be borrowed."""
HEADLESS_SHARE = 4
"""Pictures without a head in a batch, where a training has some."""


@dataclass(frozen=True)
class Shelf:
    """One modality's banks, and which labelled groups each fold holds out."""

    material: Material
    taught: Bank
    headless: Bank
    phantoms: Bank
    folds: tuple[Rows, ...]

    def seen(self, bank: Bank, fold: int | None) -> Rows:
        """Rows of `taught` or `headless` that a fold may learn from; all of them without a fold."""
        if fold is None:
            return np.ones(len(bank.examples), np.bool_)
        hidden = self.material.labelled.groups[self.folds[fold]]
        return ~np.isin(bank.examples.groups, hidden)

    def banks(self, fold: int | None) -> list[tuple[Bank, Rows]]:
        """What an epoch draws from."""
        real = [bank for bank in (self.taught, self.headless) if len(bank.examples)]
        return [*((bank, self.seen(bank, fold)) for bank in real), self.drawn()]

    def drawn(self) -> tuple[Bank, Rows]:
        """The phantoms, which no fold holds out."""
        return self.phantoms, np.ones(len(self.phantoms.examples), np.bool_)


def filled(course: Course, materials: list[Material], still: nn.Module | None) -> list[Shelf]:
    """A shelf for each material. still: the module whose stem learns no more."""
    if still is not None:
        course.tell("showing every picture to the stem, once", {}, 0)
    return [_shelf(course, material, still, number) for number, material in enumerate(materials)]


def _shelf(course: Course, material: Material, still: nn.Module | None, number: int) -> Shelf:
    """still: the module whose stem learns no more, so that pictures go through it once."""
    plan, labelled = course.plan, material.labelled
    rest = [part for part in (material.other, material.phantoms) if len(part)]
    styles = torch.from_numpy(joined(rest).tensor[:STYLES])
    taught, phantoms = Bank(material.taught, styles), Bank(material.phantoms, styles)
    headless = Bank(material.headless, styles, share=HEADLESS_SHARE)
    if still is not None:
        few, seed = max(1, plan.copies // 2), plan.seed + 2 * number
        taught = with_copies(taught, still, plan.copies, seed, halved=plan.halved, cache=course.cache)
        phantoms = with_copies(phantoms, still, few, seed + 1, halved=plan.halved, cache=course.cache)
        if len(material.headless):
            headless = with_copies(headless, still, plan.copies, seed, halved=plan.halved, cache=course.cache)
    folds = grouped_folds(labelled.labels, labelled.groups, plan.folds, plan.seed) if len(labelled) else []
    return Shelf(material, taught, headless, phantoms, tuple(folds))


def taken(shelves: list[Shelf], fold: int | None) -> list[tuple[Bank, Rows]]:
    """What an epoch draws from, of all modalities."""
    return [bank for shelf in shelves for bank in shelf.banks(fold)]
