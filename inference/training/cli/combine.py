"""`python -m inference.training.cli.combine`: an ensemble out of shipped versions, its record and its card.

Its weights file is put together from its members' whenever it is needed, so nothing is stored twice.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from digests import sha256_hex
from inference.charts.card_plots import charts
from inference.charts.svg import standalone
from inference.engine import catalogue
from inference.engine.records import WeightsRecord
from inference.engine.weights.ensemble_file import MembersDiffer, composed
from inference.training.cards.card_page import figure_words, markdown, plot_name
from inference.training.cards.combined import combined
from inference.training.evaluation.calibrate import Target, target_of


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Write the record and the card; 0 when done, 2 when the members cannot answer as one."""
    options = _parser().parse_args(arguments)
    try:
        record = combine(options.members, options.version, target_of(options.target))
    except (MembersDiffer, LookupError, ValueError) as refused:
        out.write(f"{refused}\n")
        return 2
    write(record, options.out)
    out.write(f"{record.name}: AUC on held-out groups {figure_words(record.card['held_out']['auc'])}\n")
    return 0


def combine(names: Sequence[str], version: str, target: Target) -> WeightsRecord:
    """The ensemble of shipped versions. Raises MembersDiffer, LookupError."""
    members = [catalogue.named(name) for name in names]
    content = composed([(member.record, member.content()) for member in members])
    asked = f"{' '.join(names)} --version {version} --target {target.name}={target.share:g}"
    command = f"python -m inference.training.cli.combine {asked} --out DIR"
    return combined(
        [member.record for member in members],
        sha256_hex(content),
        version=version,
        target=target,
        command=command,
    )


def write(record: WeightsRecord, folder: Path) -> None:
    """The record, its page and its charts."""
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    (folder / f"{record.name}.json").write_bytes(record.to_json())
    (folder / f"{record.name}.md").write_text(markdown(record))
    for chart in charts(record.card):
        (folder / "plots" / plot_name(record, chart.title)).write_text(standalone(chart))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training.cli.combine", description=__doc__)
    parser.add_argument("members", nargs="+", metavar="NETWORK-MODALITY-VERSION")
    parser.add_argument("--version", default="1.0", help="dotted numbers")
    parser.add_argument("--target", default="sensitivity=0.9", help="sensitivity=SHARE or specificity=SHARE")
    parser.add_argument("--out", required=True, type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
