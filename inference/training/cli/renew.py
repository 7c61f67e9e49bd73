"""`python -m inference.training.cli.renew`: the next version of a shipped one, under the newest preparation.

Weights, temperature and threshold stay. That is right only where the newest preparation makes the same
input of the pictures that they rest on, byte for byte. Where it reads others that the one before refused,
the tests hold it to that (tests/inference/test_stacks.py). Where it asks another gate, nothing else may
differ, and --data is needed: every head of the sources at hand is asked anew, and the figures by source
are made again from the answers that the card keeps, those that the gate of before had refused among them.
Ensembles behind another gate: `combine`. Versions that measure: `measuring_card`.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from inference.engine import catalogue
from inference.engine.networks.network import WIDE_RECIPES
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.records import Recipe, WeightsRecord
from inference.training.cli.combine import write
from inference.training.cli.rethreshold import made_of, next_name, next_version
from inference.training.data.sources import heads, stack_of
from inference.training.evaluation.by_source import Asked, evaluation
from inference.training.evaluation.calibrate import Target
from refusals import Refusal

TARGET = Target("specificity", 0.9)
"""Of the thresholds of ultrasound: those of left-out hospitals are chosen by it anew."""

Codes = Mapping[str, str]
"""By the file of a head: why the gate refuses it, "" where it is answered."""


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Write the record, page and charts of every version named; 0 when done, 2 when one cannot be."""
    options = _parser().parse_args(arguments)
    try:
        records = [catalogue.named(name).record for name in options.versions]
        for record in records:
            _refuse_other_pictures(record, asked=options.data is not None)
    except (LookupError, ValueError) as refused:
        out.write(f"{refused}\n")
        return 2
    codes = {}
    if options.data:
        recipe = RECIPES[WIDE_RECIPES["ultrasound"]]
        codes = dict(_asked(options.data, recipe, lambda line: print(line, file=out, flush=True)))
    for record in records:
        new = renewed(record, codes)
        write(new, options.out)
        out.write(f"{record.name}: {record.preprocessing} becomes {new.preprocessing} in {new.name}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training.cli.renew", description=__doc__)
    parser.add_argument("versions", nargs="+", metavar="NETWORK-MODALITY-VERSION")
    parser.add_argument("--data", type=Path, help="folder of the sources that the cards name")
    parser.add_argument("--out", required=True, type=Path)
    return parser


def _refuse_other_pictures(record: WeightsRecord, *, asked: bool) -> None:
    """Raises ValueError where a network behind another gate would see other pixels than it learnt from."""
    before, after = RECIPES[record.preprocessing], RECIPES[WIDE_RECIPES[record.modality]]
    if _gate(before) == _gate(after):
        return
    kept = [[step for step in recipe.steps if step[0] != "gate"] for recipe in (before, after)]
    if kept[0] != kept[1] or before.size != after.size or record.members:
        raise ValueError(f"{record.name}: {before.id} and {after.id} differ in more than their gates.")
    if not asked:
        raise ValueError(f"{record.name}: {after.id} asks another gate. Name the heads: --data.")


def _gate(recipe: Recipe) -> Any:
    return dict(recipe.steps).get("gate")


def _asked(data: Path, recipe: Recipe, report: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    for number, one in enumerate(heads(data), 1):
        try:
            prepare(stack_of(data, one.file, one.mm), recipe)
        except Refusal as refused:
            yield one.file, refused.code
        else:
            yield one.file, ""
        if number % 250 == 0:
            report(f"{number} heads asked")


def renewed(record: WeightsRecord, codes: Codes) -> WeightsRecord:
    """The record of the next version: the same weights under the newest preparation.

    An ensemble is made of the next versions of its members. codes: of every picture whose answer the card
    keeps, where another gate is asked; empty where none is. Raises KeyError where one is missing.
    """
    recipe = RECIPES[WIDE_RECIPES[record.modality]]
    command = f"python -m inference.training.cli.renew {record.name} --out DIR"
    again = {"evaluation": _evaluation(record, codes)} if codes else {}
    return replace(
        record,
        version=next_version(record.version),
        preprocessing=recipe.id,
        preprocessing_sha256=recipe.sha256,
        card={**record.card, **made_of(record, command), **again},
        members=tuple(next_name(name) for name in record.members),
    )


def _evaluation(record: WeightsRecord, codes: Codes) -> dict[str, Any]:
    """The card's figures by source, of what is answered behind the newest gate."""
    before = Asked.from_json(record.card["evaluation"]["answers"])
    asked = replace(before, codes=np.array([codes[name] for name in before.names], np.str_))
    return {**record.card["evaluation"], **evaluation(asked, record.threshold, TARGET)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
