"""MRI: what each shipped version says of the volumes at hand, and what its card keeps of groups held out.

The atlas (eight volumes, all with ventriculomegaly) is what the networks learnt from, so that its rows only
say that nothing is broken. No real normal volume is at hand: specificity is that of the cards, over made
normals.
"""

from pathlib import Path

from bench.answering.table import Row, share
from inference.engine import catalogue
from inference.engine.predict import predict
from inference.engine.records import POSITIVE, WeightsRecord
from inference.engine.weights.loaded_model import load
from inference.formats import read


def rows(data: Path, every: int) -> list[Row]:
    """Of every shipped version for MRI."""
    found: list[Row] = []
    volumes = sorted((data / "mri").glob("*/srr.nii.gz"))[::every]
    stacks = [read(path, modality="mri", file_name=path.name) for path in volumes]
    for one in catalogue.shipped():
        if one.record.modality == "mri":
            found += _of(one, stacks)
    return found


def _of(one: catalogue.Shipped, stacks: list) -> list[Row]:
    record = one.record
    name = f"{record.network} {record.version}"
    model = load(record, one.content(), backend="torch")
    said = [answer for stack in stacks for answer in predict(model, [stack])]
    refused = [not answer.analysable for answer in said]
    alarmed = [answer.label == POSITIVE for answer in said]
    return [
        share(
            f"{name}: ventriculomegaly: alarmed, by volume",
            "mri atlas",
            alarmed,
            seen="learnt from",
            least=0.80,
        ),
        share(f"{name}: heads refused, 22 to 38 weeks", "mri atlas", refused, seen="learnt from", most=0.05),
        *_held_out(name, record),
    ]


def _held_out(name: str, record: WeightsRecord) -> list[Row]:
    """Of the card, groups held out; classes of one source, as the card says."""
    held = record.card.get("held_out", {})
    aims = {"specificity": 0.90, "sensitivity": 0.80, "auc": None}
    return [
        Row(
            f"{name}, by its card: {measure} of groups held out",
            "mri atlas, normals made",
            held[measure]["value"],
            held[measure]["low"],
            held[measure]["high"],
            held[measure]["count"],
            least=least,
            seen="kept apart, one source",
        )
        for measure, least in aims.items()
        if measure in held
    ]
