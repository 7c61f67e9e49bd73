"""`python -m inference.training.cli.measured_answers`: how likely a wide atrium is, picture by picture.

Asks the shipped version that measures ultrasound about every head of the sources at hand and writes
answers.json, which its card then keeps (measuring_card), so that an ensemble with it can be made from cards
alone (combine). Scales are those that the sources state; of the collection's anomalies, which state none, the
week in their group's name tells one, as a case's gestational age would.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from inference.engine import catalogue, versions
from inference.engine.records import ATRIUM
from inference.engine.weights.loaded_model import configure
from inference.training.cli.measuring_card import ANSWERS
from inference.training.data.sources import COLLECTION, Entry, heads, stack_of

MIDDLE_OF_WEEK = 3


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Write answers.json into a folder; 0."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.training.cli.measured_answers", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the sources that cards name")
    parser.add_argument("--out", type=Path, default=catalogue.measuring_folder(ATRIUM))
    options = parser.parse_args(arguments)
    configure(1)
    found = dict(chances(options.data, lambda line: print(line, file=out, flush=True)))
    (options.out / ANSWERS).write_text(json.dumps(found, indent=0, sort_keys=True) + "\n")
    out.write(f"{sum(one is not None for one in found.values())} of {len(found)} heads measured\n")
    return 0


def chances(data: Path, report: Callable[[str], None]) -> Iterator[tuple[str, float | None]]:
    """Each head's file, and the probability that its atrium is wide; None where nothing was called."""
    shipped = catalogue.newest(ATRIUM, "ultrasound")
    if shipped is None:
        raise LookupError("No version that measures ultrasound comes with this release.")
    model = versions.load(shipped.record, shipped.content())
    for number, one in enumerate(heads(data), 1):
        (answer,) = versions.predict(
            model, [stack_of(data, one.file, one.mm)], ages_days=[stated_age_days(one)]
        )
        yield one.file, None if answer.probability is None else round(answer.probability, 4)
        if number % 250 == 0:
            report(f"{number} heads asked")


def stated_age_days(one: Entry) -> int | None:
    """The middle of the week that an anomaly's group names; None for every other head."""
    week = re.search(r"(\d+)$", one.group) if one.hospital == COLLECTION else None
    return 7 * int(week[1]) + MIDDLE_OF_WEEK if week else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
