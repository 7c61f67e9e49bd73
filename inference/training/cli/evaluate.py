"""`python -m inference.training.cli.evaluate`: a finished version on a labelled folder."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from inference.charts.card_plots import charts
from inference.charts.svg import standalone
from inference.engine import catalogue
from inference.engine.records import WeightsRecord
from inference.engine.versions import Model, load
from inference.engine.weights.loaded_model import WeightsMismatch, configure
from inference.formats.stack import MODALITIES, Modality
from inference.training.cards.card_page import figure_words
from inference.training.data.groups import GroupLeak
from inference.training.evaluation.calls import count_words
from inference.training.evaluation.external_validation import evaluate, listed

NAMES = {
    "auc": "AUC",
    "average_precision": "average precision",
    "f1": "F1",
}


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Evaluate and print. 0 when done, 2 when the model or the folder cannot be used."""
    options = parser(prog="python -m inference.training.cli.evaluate").parse_args(arguments)
    configure(options.threads)
    try:
        model = load(*named(options.model, options.modality))
        found = measured(model, options)
    except (WeightsMismatch, GroupLeak, LookupError, OSError) as refused:
        out.write(f"{refused}\n")
        return 2
    out.write(table(found))
    return 0


def parser(**about: Any) -> argparse.ArgumentParser:
    """The arguments, which the project's own command takes too."""
    made = argparse.ArgumentParser(description=__doc__, **about)
    add_arguments(made)
    return made


def add_arguments(made: argparse.ArgumentParser) -> None:
    """MODEL, the folder, and where results go."""
    made.add_argument(
        "model", help="network, network:version, or a .safetensors file with its record beside it"
    )
    made.add_argument("--modality", choices=list(MODALITIES), default="ultrasound")
    made.add_argument("--data", type=Path, required=True, help="labels.csv, or a folder for each class")
    made.add_argument("--json", type=Path, default=None, help="write everything to this file")
    made.add_argument("--plots", type=Path, default=None, help="write the charts into this folder")
    made.add_argument("--threads", type=int, default=2)


def named(model: str, modality: Modality) -> tuple[WeightsRecord, bytes]:
    """The record and the bytes of a shipped version or of a file. Raises LookupError, OSError."""
    if model.endswith(".safetensors"):
        path = Path(model)
        stem = path.with_suffix(".json")
        network, _, version = path.stem.rpartition("-")
        record = stem if stem.exists() else path.with_name(f"{network}-{modality}-{version}.json")
        return WeightsRecord.from_json(record.read_text()), path.read_bytes()
    network, _, version = model.partition(":")
    fitting = [one for one in catalogue.all_shipped() if one.record.name == f"{network}-{modality}-{version}"]
    found = next(iter(fitting), None) if version else catalogue.newest(network, modality)
    if found is None:
        raise LookupError(f"No version {model} for {modality} comes with this release.")
    return found.record, found.content()


def measured(model: Model, options: Any) -> dict[str, Any]:
    """The evaluation, written to where the options say."""
    found = evaluate(model, options.data, listed(options.data))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
        for chart in charts(found | {"held_out": found["figures"]}):
            name = f"{chart.title.lower().replace(' ', '-')}.svg"
            (options.plots / name).write_text(standalone(chart))
    return found


def table(found: Mapping[str, Any]) -> str:
    """The evaluation as people read it on a terminal."""
    counts = found["counts"]
    lines = [
        f"{found['model']['network']} {found['model']['version']}, threshold {found['threshold']:.3f}",
        f"{counts['scans']} scans in {counts['groups']} groups: {counts['normal']} normal, "
        f"{counts['ventriculomegaly']} ventriculomegaly, {counts['neither']} of neither class; "
        f"{counts['answered']} answered, refused: {counts['refused'] or 'none'}",
        "",
    ]
    lines += [
        f"{NAMES.get(name, name):<44} {figure_words(value)}" for name, value in found["figures"].items()
    ]
    for label, calls in found["calls"].items():
        lines.append(f"{f'right calls of {label}, in this folder':<44} {count_words(calls)}")
    for name, value in found["confound"].items():
        shown = figure_words(value) if isinstance(value, Mapping) else f"{value:.3f}"
        lines.append(f"{name.replace('_', ' '):<44} {shown}")
    for name, value in {**found["heat"], **found["selective"]}.items():
        lines.append(f"{name.replace('_', ' '):<44} {figure_words(value)}")
    for part in ("by_severity", "by_week"):
        for name, value in found[part].items():
            lines.append(f"{f'sensitivity, {part[3:]} {name}':<44} {figure_words(value)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
