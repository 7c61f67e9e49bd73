"""The engine's command: one JSON line, or one line of a table, for each file."""

import argparse
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from inference.engine import catalogue
from inference.engine.atrium.measure import shipped_measurer
from inference.engine.atrium.scan import as_json, measure_scan
from inference.engine.explain.explainers import EXPLAINERS, explain
from inference.engine.explain.fast_lime import draft_cache
from inference.engine.explain.overlay import overlay_png
from inference.engine.fitness import Condition, fitness_of
from inference.engine.fitness.seating import seats_of
from inference.engine.measuring.answer import MeasuringModel
from inference.engine.networks import NETWORKS
from inference.engine.records import MEASURING_NETWORKS, Answer, Explanation
from inference.engine.ventricles.painter import shipped_painter
from inference.engine.ventricles.scan import measure_volume
from inference.engine.versions import Model, explainable, load, predict
from inference.engine.weights.ensemble_file import ENSEMBLE
from inference.engine.weights.loaded_model import configure
from inference.formats import read
from inference.formats.stack import MODALITIES, Modality, PictureStack
from refusals import Refusal

ACTIVE = "active"
"""In place of a network: what a start would put into use, each version of it, the combined one first."""
EXPERIMENTAL = "experimental: do not rely on it"
COLUMNS = "{:<40} {:<17} {:>11} {:>9} {:>8}  {}"


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Run the command. 0 when every file could be read, 1 when one could not, 2 for wrong arguments."""
    options = _parser().parse_args(arguments)
    configure(options.threads)
    if options.drafts:
        options.drafts.mkdir(parents=True, exist_ok=True)
        draft_cache.keep_in(options.drafts)
    models = _shipped_models(options.model, options.modality)
    if not models:
        out.write(f"No version of {options.model} for {options.modality} comes with this release.\n")
        return 2
    if options.explain and all(isinstance(model, MeasuringModel) for model in models):
        out.write("Of what measures, the calipers are the explanation: leave --explain away.\n")
        return 2
    if not options.json:
        out.write(COLUMNS.format("file", "label", "probability", "threshold", "seconds", "remarks") + "\n")
    failed = False
    for number, file in enumerate(options.files):
        for line in _one_file(models, file, number, options):
            failed = failed or "error" in line
            out.write((json.dumps(line) if options.json else _row(line)) + "\n")
            out.flush()
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inference.engine",
        description="Read fetal brain scans with a shipped network. Research and decision support, "
        "not a cleared device.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="DICOM, NIfTI, PNG, JPEG, TIFF, BMP, MP4, AVI, MPEG or GIF"
    )
    parser.add_argument(
        "--model",
        default="modified_cnn",
        choices=[*NETWORKS, ENSEMBLE, *MEASURING_NETWORKS, ACTIVE],
        help=f"{ACTIVE}: what ./run would put into use, one line for each version",
    )
    parser.add_argument("--modality", required=True, choices=list(MODALITIES))
    parser.add_argument("--explain", nargs="+", default=[], choices=list(EXPLAINERS), metavar="METHOD")
    parser.add_argument("--frames", nargs="+", type=int, default=None, help="frames to read, from 0")
    parser.add_argument("--out", type=Path, default=None, help="folder for heatmaps (.npy and .png)")
    parser.add_argument(
        "--measure", action="store_true", help="propose calipers on the atria, in mm where known"
    )
    parser.add_argument(
        "--gestational-age-days", type=int, default=None, help="for mm of files that state no scale"
    )
    parser.add_argument("--seed", type=int, default=0, help="for LIME")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--drafts", type=Path, default=None, help="folder that keeps what LIME compiles, for the next time"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _shipped_models(network: str, modality: Modality) -> list[Model]:
    if network == ACTIVE:
        chosen = [seat.shipped for seat in seats_of(modality)]
    else:
        chosen = [found for found in [catalogue.newest(network, modality)] if found]
    return [load(one.record, one.content()) for one in chosen]


def _one_file(
    models: Sequence[Model], file: str, number: int, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """A line for each model; one alone for a file that cannot be read."""
    path = Path(file)
    try:
        stack = read(path, modality=options.modality, file_name=path.name)
    except Refusal as error:
        yield {"file": file, "error": {"code": error.code, "detail": error.detail}}
        return
    except OSError as error:
        yield {"file": file, "error": {"code": "unreadable", "detail": error.strerror or str(error)}}
        return
    for model in models:
        stem = f"{number:03d}-{re.sub(r'[^A-Za-z0-9._-]', '_', path.name)}"
        named = f"{stem}.{model.record.network}" if len(models) > 1 else stem
        yield {"file": file, **_answered(model, stack, named, options)}


def _answered(model: Model, stack: PictureStack, stem: str, options: argparse.Namespace) -> dict[str, Any]:
    (answer,) = predict(model, [stack], frames=[options.frames], ages_days=[options.gestational_age_days])
    line = {**_answer_fields(answer), **_experimental(fitness_of(model.record).lacking)}
    if answer.analysable:
        line["explanations"] = [
            _explained(model, stack, answer, method, stem, options)
            for method in options.explain
            if not isinstance(model, MeasuringModel)
        ]
        if options.measure and answer.measurement is None:
            line["measurement"] = _measured(stack, options)
    if answer.measurement is not None:
        line["measurement"] = answer.measurement
    return line


def _experimental(lacking: Sequence[Condition]) -> dict[str, Any]:
    """Whether the version fails the rule for use, and why."""
    return {"experimental": bool(lacking), "experimental_because": [one.as_json() for one in lacking]}


def _measured(stack: PictureStack, options: argparse.Namespace) -> Mapping[str, Any]:
    try:
        found = (
            measure_volume(shipped_painter(), stack, frames=options.frames)
            if stack.modality == "mri"
            else measure_scan(
                shipped_measurer(),
                stack,
                gestational_age_days=options.gestational_age_days,
                frames=options.frames,
            )
        )
    except Refusal as refused:
        return {"measurable": False, "code": refused.code, "reason": refused.detail}
    return as_json(found)


def _answer_fields(answer: Answer) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "model": answer.network,
        "version": answer.version,
        "weights_sha256": answer.weights_sha256,
        "preprocessing": answer.preprocessing,
        "input_sha256": answer.input_sha256 or None,
        "modality": answer.modality,
        "threshold": answer.threshold,
        "analysable": answer.analysable,
        "seconds": round(answer.seconds, 4),
        "explanations": [],
    }
    if answer.refusal:
        return {**fields, "reason": answer.refusal.reason, "code": answer.refusal.code}
    found = {"label": answer.label, "probability": answer.probability}
    return {**fields, **found, "frames": list(answer.frames), "frame_rule": answer.frame_rule}


def _explained(
    model: Model,
    stack: PictureStack,
    answer: Answer,
    method: str,
    stem: str,
    options: argparse.Namespace,
) -> dict[str, Any]:
    found = explain(method, explainable(model), stack, answer, seed=options.seed)
    heatmap = _written(found, stack, options.out, f"{stem}.{method}") if options.out else None
    return {
        "method": found.method,
        "class": found.class_label,
        "heatmap": heatmap,
        "frames": list(found.frames),
        "seconds": round(found.seconds, 4),
        "metrics": dict(found.metrics),
    }


def _written(found: Explanation, stack: PictureStack, folder: Path, stem: str) -> str:
    """The map as float16 .npy, and beside it a picture for people. Returns the path of the map."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.npy"
    np.save(path, found.heatmap, allow_pickle=False)
    path.with_suffix(".png").write_bytes(overlay_png(stack, found))
    return str(path)


def _widths(measurement: Mapping[str, Any]) -> str:
    """Each atrium's width: in mm where known, marked where estimated from an age; else over the BPD."""
    if not measurement["measurable"]:
        return "the atrium cannot be measured here"
    said = []
    for one in measurement["atria"]:
        mm = f"{one['width_mm']:.1f} +- {one['error_mm']:.1f} mm" if "width_mm" in one else ""
        estimated = " (estimated from the age)" if one.get("estimated") else ""
        said.append(f"{one['side']} atrium {mm or str(one['over_bpd']) + ' of the BPD'}{estimated}")
    return ", ".join(said)


def _row(line: Mapping[str, Any]) -> str:
    name = Path(line["file"]).name
    if "error" in line:
        return COLUMNS.format(name, "unreadable", "", "", "", line["error"]["detail"])
    if not line["analysable"]:
        return COLUMNS.format(name, "not analysable", "", "", line["seconds"], line["reason"])
    remarks = f"frames {line['frames']}" if len(line["frames"]) > 1 else ""
    made = ", ".join(e["heatmap"] or e["method"] for e in line["explanations"])
    if "measurement" in line:
        made = ", ".join(part for part in (made, _widths(line["measurement"])) if part)
    version = f"{line['model']} {line['version']}"
    mark = f"{version}, {EXPERIMENTAL}" if line["experimental"] else version
    return COLUMNS.format(
        name,
        line["label"],
        f"{line['probability']:.3f}",
        f"{line['threshold']:.3f}",
        line["seconds"],
        " ".join(part for part in (remarks, made, f"({mark})") if part),
    )
