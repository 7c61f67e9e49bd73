"""`python -m inference.training.cli.renew`: the next version of a shipped one, under the newest preparation.

Weights, temperature, threshold and figures stay. That is right only where the newest preparation makes the
same input of the pictures that they rest on, byte for byte, and reads others that the one before refused: the
tests hold it to that (tests/inference/test_stacks.py). Versions that measure: `measuring_card`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from inference.engine import catalogue
from inference.engine.networks.network import WIDE_RECIPES
from inference.engine.preprocessing.prepare import RECIPES
from inference.engine.records import WeightsRecord
from inference.training.cli.combine import write
from inference.training.cli.rethreshold import made_of, next_name, next_version


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Write the record, page and charts of every version named; 0 when done, 2 for an unknown one."""
    options = _parser().parse_args(arguments)
    try:
        shipped = [catalogue.named(name).record for name in options.versions]
    except LookupError as unknown:
        out.write(f"{unknown}\n")
        return 2
    for record in shipped:
        new = renewed(record)
        write(new, options.out)
        out.write(f"{record.name}: {record.preprocessing} becomes {new.preprocessing} in {new.name}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training.cli.renew", description=__doc__)
    parser.add_argument("versions", nargs="+", metavar="NETWORK-MODALITY-VERSION")
    parser.add_argument("--out", required=True, type=Path)
    return parser


def renewed(record: WeightsRecord) -> WeightsRecord:
    """The record of the next version: the same weights and figures under the newest preparation.

    An ensemble is made of the next versions of its members.
    """
    recipe = RECIPES[WIDE_RECIPES[record.modality]]
    command = f"python -m inference.training.cli.renew {record.name} --out DIR"
    return replace(
        record,
        version=next_version(record.version),
        preprocessing=recipe.id,
        preprocessing_sha256=recipe.sha256,
        card={**record.card, **made_of(record, command)},
        members=tuple(next_name(name) for name in record.members),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
