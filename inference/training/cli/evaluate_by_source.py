"""`python -m inference.training.cli.evaluate_by_source`: a finished version on every source at hand.

What it learnt from is not known here: --never-learnt names the sources or hospitals whose normals it never
saw. A
training measures more: it leaves each hospital out once, with a network of its own.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from inference.engine.fitness.by_source import SourceFigure, worst_first
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.versions import Model, load, predict
from inference.engine.weights.loaded_model import WeightsMismatch, configure
from inference.training.cards.card_page import source_lines
from inference.training.cli.evaluate import named
from inference.training.cli.measured_answers import stated_age_days
from inference.training.data.sources import HOSPITALS, Entry, heads, shown_files, stack_of
from inference.training.evaluation.by_source import Asked, rows
from inference.training.evaluation.calibrate import Target
from refusals import Refusal

PLANES = RECIPES["ultrasound-outline-2-128"]
"""Whose gate says which of FETAL_PLANES' brains count, whatever the version asks itself."""
BATCH = 8


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Print the rows, worst first. 0 when done, 2 when the model or the folder cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.training.cli.evaluate_by_source", description=__doc__
    )
    parser.add_argument("model", help="network, network:version, or a .safetensors file with its record")
    parser.add_argument("--data", type=Path, required=True, help="folder of several sources")
    parser.add_argument(
        "--never-learnt", nargs="+", default=[], choices=[*HOSPITALS, *sorted(set(HOSPITALS.values()))]
    )
    parser.add_argument("--every", type=int, default=1, help="every Nth picture, for a first look")
    parser.add_argument("--json", type=Path, default=None, help="write the rows to this file")
    options = parser.parse_args(arguments)
    configure(1)
    try:
        model = load(*named(options.model, "ultrasound"))
    except (WeightsMismatch, LookupError, OSError) as refused:
        out.write(f"{refused}\n")
        return 2
    found = measured(model, options.data, tuple(options.never_learnt), options.every)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    out.write("\n".join(source_lines(found)) + "\n")
    return 0


def measured(
    model: Model, data: Path, never_learnt: tuple[str, ...] = (), every: int = 1
) -> list[SourceFigure]:
    """The version's rows at its own threshold, worst first; as a worker would answer, the gate included."""
    shown, kept = shown_files(data), list(_kept(data, every))
    stacks = [stack_of(data, one.file, one.mm) for one in kept]
    ages = [stated_age_days(one) for one in kept]
    said = [
        answer
        for n in range(0, len(kept), BATCH)
        for answer in predict(model, stacks[n : n + BATCH], ages_days=ages[n : n + BATCH])
    ]
    asked = Asked(
        tuple(one.file for one in kept),
        np.array([one.group for one in kept], np.str_),
        np.array([one.shows for one in kept], np.str_),
        np.array([answer.refusal.code if answer.refusal else "" for answer in said], np.str_),
        np.array([one.file in shown for one in kept], np.bool_),
        np.array([_odds(answer.probability) for answer in said], np.float64),
        {},
        never_learnt,
    )
    return worst_first(list(rows(asked, model.record.threshold, Target("specificity", 0.85))))


def _kept(data: Path, every: int) -> Iterator[Entry]:
    for one in heads(data)[::every]:
        if one.source != "fetal_planes" or _in_plane(data, one):
            yield one


def _in_plane(data: Path, one: Entry) -> bool:
    try:
        prepare(stack_of(data, one.file), PLANES)
    except Refusal as refused:
        return refused.code not in ("off_plane", "not_a_head")
    return True


def _odds(chance: float | None) -> float:
    inside = min(max(0.5 if chance is None else chance, 1e-9), 1 - 1e-9)
    return math.log(inside / (1 - inside))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
