"""`python -m inference.training.cli.rethreshold`: a shipped MRI version's weights with a threshold set anew.

From what shipped versions said about widened normals and wide ventricles
(inference.training.evaluation.widened): the threshold lies as far from the normals as SLICES of the held-out
wide slices and VOLUMES of the widened wide volumes allow, and never so low that a kind of normal is not left
in peace. An ensemble is asked through its members. Weights and temperature stay, and the picture that they
see: of the preprocessing only the gate is the newest. (docs/decisions/0043)
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from inference.engine import catalogue
from inference.engine.fitness.by_source import Measure, SourceFigure, SourceLabel
from inference.engine.networks.network import WIDE_RECIPES
from inference.engine.preprocessing.prepare import RECIPES
from inference.engine.records import WeightsRecord
from inference.training.cards.combined import DATA
from inference.training.cli.combine import write
from inference.training.evaluation.by_source import chances, row
from inference.training.evaluation.calibrate import Target, threshold_for
from inference.training.evaluation.cross_validation import HeldOut, held_out_figures
from inference.training.evaluation.figures import wilson
from inference.training.evaluation.widened import LABEL_OF

SOURCE = "made volumes, {}"
HELD = "made normals of volumes held out, as acquired"
SLICES, VOLUMES, QUIET = 0.9, 0.8, 0.9
"""Least shares: of held-out wide slices and of wide volumes found, of each kind of normal not alarmed."""
TARGET = f"sensitivity {SLICES:.0%} on held-out groups and {VOLUMES:.0%} on widened volumes"
RULE = (
    f"No real normal MRI is at hand. The threshold is the highest at which {SLICES:.0%} of held-out wide "
    f"slices and {VOLUMES:.0%} of whole widened volumes with wide ventricles are found, or the lowest that "
    f"leaves {QUIET:.0%} of made normals of each kind in peace, whichever is higher: smooth and folded "
    "mantles, as acquired, other machines, thick slices. The networks learnt from slices of the same "
    "volumes, though never from whole, folded, thick or turned ones: those rows are said to be learnt from."
)
LIMIT = (
    "Every normal is made of a volume with ventriculomegaly: walls moved in, mantles folded. That they stand "
    "for real normals is not known."
)

Floats = NDArray[np.float64]
CLASSES: tuple[SourceLabel, ...] = ("normal", "ventriculomegaly")


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Write the record, card and charts of every version named; 0 when done."""
    options = _parser().parse_args(arguments)
    answers = json.loads(options.answers.read_text())["said"]
    records = {name: catalogue.named(name).record for name in options.versions}
    for name, record in records.items():
        new = rethresholded(record, answers)
        write(new, options.out)
        out.write(f"{name}: {record.threshold:.3f} becomes {new.threshold:.3f} in {new.name}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training.cli.rethreshold", description=__doc__)
    parser.add_argument("versions", nargs="+", metavar="NETWORK-MODALITY-VERSION")
    parser.add_argument(
        "--answers", required=True, type=Path, help="of inference.training.evaluation.widened"
    )
    parser.add_argument("--out", required=True, type=Path)
    return parser


def rethresholded(record: WeightsRecord, said: Sequence[Mapping[str, Any]]) -> WeightsRecord:
    """The record of the next version, with rows by source."""
    odds = odds_of(record, said)
    parts = dict(_parts(said))
    held = _held(record.card)
    threshold = _threshold(said, odds, held)
    called = (held.chances >= threshold).astype(np.int64)
    evaluation = {
        "by_source": list(_rows(said, odds, parts, held, threshold)),
        "rule": RULE,
        "limits": [LIMIT],
        "widened": [
            [one["group"], one["kind"], one["look"], round(float(value), 3)]
            for one, value in zip(said, odds, strict=True)
        ],
    }
    figures = held_out_figures(held, [], Target("sensitivity", SLICES), threshold, called)
    recipe = RECIPES[WIDE_RECIPES["mri"]]
    command = f"python -m inference.training.cli.rethreshold {record.name} --answers FILE --out DIR"
    return replace(
        record,
        version=next_version(record.version),
        preprocessing=recipe.id,
        preprocessing_sha256=recipe.sha256,
        threshold=threshold,
        threshold_target=TARGET,
        card={**record.card, **figures, **made_of(record, command), "evaluation": evaluation},
        members=tuple(next_name(name) for name in record.members),
    )


def threshold_of(card: Mapping[str, Any]) -> float:
    """The threshold that the answers on a card ask for."""
    told = card["evaluation"]["widened"]
    said = [{"kind": kind, "look": look, "label": LABEL_OF[kind]} for _, kind, look, _ in told]
    return _threshold(said, np.array([odds for *_, odds in told], np.float64), _held(card))


def _threshold(said: Sequence[Mapping[str, Any]], odds: Floats, held: HeldOut) -> float:
    normal = np.array([one["label"] == "normal" for one in said])
    wide = min(_highest(held.odds[held.truth == 1, 0], SLICES), _highest(odds[~normal], VOLUMES))
    quiet = [_lowest(odds[rows & normal]) for _, rows in _parts(said) if (rows & normal).any()]
    return max(wide, _lowest(held.odds[held.truth == 0, 0]), *quiet)


def made_of(record: WeightsRecord, command: str) -> dict[str, Any]:
    """What the card of an ensemble's next version says of its members; of other versions nothing."""
    if not record.members:
        return {}
    members = [next_name(name).rsplit("-", 2) for name in record.members]
    names = [f"{network} {version}" for network, _, version in members]
    return {
        "data": DATA.format(members=f"{', '.join(names[:-1])} and {names[-1]}"),
        "training": {"command": command, "members": ", ".join(names)},
    }


def _highest(wide: Floats, share: float) -> float:
    """The highest threshold at which that share of wide ventricles is found."""
    return threshold_for(chances(wide), np.ones(len(wide), np.int64), Target("sensitivity", share))


def _lowest(normal: Floats) -> float:
    """The lowest threshold that leaves enough of the normals in peace."""
    return threshold_for(chances(normal), np.zeros(len(normal), np.int64), Target("specificity", QUIET))


def odds_of(record: WeightsRecord, said: Sequence[Mapping[str, Any]]) -> Floats:
    """Calibrated log-odds of a version, or of an ensemble through its members' mean."""
    if not record.members:
        return _calibrated(record, said)
    members = [catalogue.named(name).record for name in record.members]
    return np.asarray(np.mean([_calibrated(one, said) for one in members], axis=0) / record.temperature)


def _calibrated(record: WeightsRecord, said: Sequence[Mapping[str, Any]]) -> Floats:
    logits = np.array([one["logits"][record.name] for one in said], np.float64)
    return np.asarray((logits[:, 1] - logits[:, 0]) / record.temperature)


def _parts(said: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Rows of every look, and of smooth and folded mantles."""
    for look in dict.fromkeys(one["look"] for one in said):
        yield look, np.array([one["look"] == look for one in said])
    for name, late in (("smooth mantle", False), ("folded mantle", True)):
        yield name, np.array([("late" in one["kind"]) == late for one in said])


def _held(card: Mapping[str, Any]) -> HeldOut:
    """The card's own held-out slices."""
    answers = np.asarray(card["held_out_answers"], np.float64)
    kinds = [(a, b) for a, b in card["held_out_kinds"]]
    odds = np.asarray(card["held_out_odds"], np.float64)
    return HeldOut(
        answers[:, 0].astype(np.int64), answers[:, 2].astype(np.int64).astype(np.str_), kinds, odds
    )


def _rows(
    said: Sequence[Mapping[str, Any]],
    odds: Floats,
    parts: Mapping[str, NDArray[np.bool_]],
    held: HeldOut,
    threshold: float,
) -> Iterator[SourceFigure]:
    called = chances(odds) >= threshold
    for label in CLASSES:
        mine = np.array([one["label"] == label for one in said])
        refused = np.array([bool(one["refused"]) for one in said])
        for name, rows in parts.items():
            both = rows & mine
            if not both.any():
                continue
            yield _row(
                SOURCE.format(name), label, called[both], learnt=True, refused=int(refused[both].sum())
            )
        truth = int(label == "ventriculomegaly")
        yield _row(HELD, label, held.chances[held.truth == truth] >= threshold, learnt=False)


def _row(
    source: str, label: SourceLabel, called: NDArray[np.bool_], *, learnt: bool, refused: int = 0
) -> SourceFigure:
    is_wide = label == "ventriculomegaly"
    hits = called if is_wide else ~called
    figure = wilson(int(hits.sum()), len(hits))
    measure: Measure = "sensitivity" if is_wide else "specificity"
    return row(source, label, measure, figure, learnt=learnt, refused=refused, only_source=True)


def next_version(version: str) -> str:
    """2.1 becomes 2.2."""
    *first, last = version.split(".")
    return ".".join([*first, str(int(last) + 1)])


def next_name(name: str) -> str:
    """cnn-mri-2.1 becomes cnn-mri-2.2."""
    start, _, version = name.rpartition("-")
    return f"{start}-{next_version(version)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
