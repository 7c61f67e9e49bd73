"""`python -m inference.training.cli.pointing_game`: the pointing game, on the cards of shipped versions."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from inference.engine import catalogue
from inference.engine.weights.loaded_model import configure
from inference.training.cards.card_page import markdown
from inference.training.evaluation.pointing_game import with_explanations


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Measure shipped versions and write it on their cards and pages; 0 when done."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.training.evaluation.pointing_game", description=__doc__
    )
    parser.add_argument("names", nargs="+", metavar="NETWORK-MODALITY-VERSION")
    parser.add_argument("--heads", type=int, default=24, help="phantoms")
    parser.add_argument("--pages", type=Path, required=True, help="folder of the cards' pages")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    configure(options.threads)
    for name in options.names:
        one = catalogue.named(name)
        record = with_explanations(one.record, one.content(), options.heads)
        (catalogue.SHIPPED / f"{name}.json").write_bytes(record.to_json())
        (options.pages / f"{name}.md").write_text(markdown(record))
        figures = record.card.get("explanations", {"verdict": "An ensemble's card tells of its members."})
        out.write(f"{name}: {figures['verdict']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
