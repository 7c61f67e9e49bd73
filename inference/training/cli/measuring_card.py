"""The records and cards of the versions that measure, as the catalogue ships them.

    python -m inference.training.cli.measuring_card [--network atrium [--version V]] [--folder OUT] [--write]

The weights and what was settled with them are those of inference/engine/shipped_<network>; the figures of
ultrasound are the table of docs/measurement.md, those of MRI the training's own. So new weights of the atrium
need a new table, and then this command. Without --write it says whether the shipped records are what it would
write (1: not).
Of another folder that inference.training.atrium or .ventricles has written, it makes the record that an
upload needs; without figures on its card it is a draft until somebody has measured it (manage.py evaluate).
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from inference.engine.catalogue import measuring_folder
from inference.engine.measuring.answer import THRESHOLD
from inference.engine.measuring.ways import WAYS
from inference.engine.records import ATRIUM, MEASURING_NETWORKS, WeightsRecord
from inference.training.atrium import card as atrium
from inference.training.ventricles import card as ventricles

ANSWERS = "answers.json"
PAGE = Path(__file__).parents[3] / "docs" / "measurement.md"
TARGET = "10 mm and more, inner wall to inner wall"


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Compare, or write."""
    options = _parser().parse_args(arguments)
    asked = [options.network] if options.network else _in(options.folder)
    if options.version and len(asked) != 1:
        out.write(f"--version needs --network, one of {', '.join(asked)}.\n")
        return 2
    done = [_one(network, options, out) for network in asked]
    return int(not all(done))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", choices=list(MEASURING_NETWORKS), help="else all that there are")
    parser.add_argument("--version", help="dotted numbers; else the shipped one's")
    parser.add_argument("--folder", type=Path, help="as a training has written it; else what is shipped")
    parser.add_argument("--write", action="store_true")
    return parser


def _in(folder: Path | None) -> list[str]:
    """The networks of which a folder holds what was settled; of the shipped folders all."""
    return [name for name in MEASURING_NETWORKS if not folder or (folder / f"{name}.json").exists()]


def _one(network: str, options: argparse.Namespace, out: TextIO) -> bool:
    folder = options.folder or measuring_folder(network)
    record = made(network, options.version or _shipped_version(network), folder, PAGE.read_text())
    path = folder / f"{record.name}.json"
    if not options.write:
        same = path.exists() and path.read_bytes() == record.to_json()
        out.write(f"{path.name}: as shipped\n" if same else f"{path.name} is not what would be written\n")
        return same
    for other in folder.glob(f"{network}-*.json"):
        other.unlink()
    path.write_bytes(record.to_json())
    out.write(f"{path.name} is written\n")
    return True


def _shipped_version(network: str) -> str:
    found = next(measuring_folder(network).glob(f"{network}-*.json"), None)
    return WeightsRecord.from_json(found.read_text()).version if found else "1.0"


def made(network: str, version: str, folder: Path, page: str) -> WeightsRecord:
    """The record of a folder's weights; figures of the page only where they are those of the shipped ones."""
    settled = json.loads((folder / f"{network}.json").read_text())
    rows = atrium.rows_of(page) if folder == measuring_folder(network) else {}
    recipe = WAYS[network].recipe
    return WeightsRecord(
        network=network,
        version=version,
        modality=MEASURING_NETWORKS[network].modality,
        weights_sha256=settled["weights_sha256"],
        preprocessing=recipe.id,
        preprocessing_sha256=recipe.sha256,
        threshold=THRESHOLD,
        threshold_target=TARGET,
        temperature=1.0,
        card=atrium.card(settled, rows, _chances(folder)) if network == ATRIUM else ventricles.card(settled),
    )


def _chances(folder: Path) -> Mapping[str, float | None] | None:
    """What cli.measured_answers wrote beside the weights, if it did."""
    path = folder / ANSWERS
    found: Mapping[str, float | None] | None = json.loads(path.read_text()) if path.exists() else None
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
