"""Splitting by patient, never by picture."""

import re
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

WEEK = re.compile(r"(?:^(?:mild|moderate|severe)-|GA)(\d\d)(?!\d)")


class GroupLeak(ValueError):
    """One group would stand on both sides of a split: the figures would be worthless."""


def refuse_leak(left: NDArray[np.str_], right: NDArray[np.str_]) -> None:
    """Raise GroupLeak when any group is on both sides."""
    shared = sorted(set(left.tolist()) & set(right.tolist()))
    if shared:
        raise GroupLeak(f"groups on both sides of the split: {', '.join(shared[:5])}")


def check_groups(groups: Sequence[str], files: Sequence[str]) -> None:
    """Every picture needs a group, and one file may not stand in two."""
    seen: dict[str, str] = {}
    for group, file in zip(groups, files, strict=True):
        if not group:
            raise GroupLeak(f"{file} has no group")
        if seen.setdefault(PurePath(file).as_posix(), group) != group:
            raise GroupLeak(f"{file} stands in the groups {seen[file]} and {group}")


def grouped_folds(
    labels: NDArray[np.int64], groups: NDArray[np.str_], folds: int, seed: int
) -> list[NDArray[np.bool_]]:
    """For each fold the mask of held-out pictures; groups whole, classes and sizes evenly dealt.

    A group belongs to the class of most of its pictures. Raises GroupLeak if the deal went wrong.
    """
    rng = np.random.default_rng(seed)
    fold_of: dict[str, int] = {}
    for label in np.unique(labels):
        mine = [group for group in np.unique(groups) if _majority(labels[groups == group]) == label]
        order = sorted(rng.permutation(mine).tolist(), key=lambda group: -int((groups == group).sum()))
        loads = rng.uniform(0, 0.5, folds)
        for group in order:
            lightest = int(np.argmin(loads))
            fold_of[group] = lightest
            loads[lightest] += (groups == group).sum()
    dealt = np.array([fold_of[group] for group in groups.tolist()])
    held_out = [dealt == fold for fold in range(folds)]
    for mask in held_out:
        refuse_leak(groups[mask], groups[~mask])
    return held_out


def week_of(group: str) -> str:
    """The gestational week in names such as "mild-18" or "atlas_GA21"; "" for other names."""
    match = WEEK.search(group)
    return match.group(1) if match else ""


def _majority(labels: NDArray[np.int64]) -> int:
    values, counts = np.unique(labels, return_counts=True)
    return int(values[np.argmax(counts)])
