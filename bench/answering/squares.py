"""Square pixels: a picture squeezed with its true spacing stated keeps its answer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from bench.answering.pictures import shown
from bench.answering.table import Row, mean, share
from inference.engine import catalogue
from inference.engine.predict import calibrated, frame_logits
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.weights.loaded_model import load
from inference.formats.stack import PictureStack
from refusals import Refusal

SQUEEZES = (1.25, 1.5, 2.0)
NETWORK = "cnn"
CLOSE = 0.03


def rows(data: Path, every: int) -> list[Row]:
    """By the smallest network, past the gate, over the pictures of ultrasound/."""
    shipped = catalogue.newest(NETWORK, "ultrasound")
    model = load(shipped.record, shipped.content(), backend="torch")
    pictures = [one.stack() for one in shown(data, every) if one.source.startswith("ultrasound")][::every]
    found: list[Row] = []
    for recipe in ("ultrasound-square-128", "ultrasound-outline-2-128"):
        gaps: dict[float, list[float]] = {factor: [] for factor in SQUEEZES}
        calls: dict[float, list[bool]] = {factor: [] for factor in SQUEEZES}
        for stack in (replace(one, pixel_spacing=(0.3, 0.3)) for one in pictures):
            plain = _probability(model, stack, recipe)
            for factor in SQUEEZES:
                other = _probability(model, squeezed(stack, factor), recipe)
                if plain is None or other is None:
                    continue
                gaps[factor].append(abs(plain - other))
                calls[factor].append((plain >= model.record.threshold) == (other >= model.record.threshold))
        for factor in SQUEEZES:
            name = f"squeezed 1 : {factor}, {recipe}"
            found.append(share(f"{name}: the same call", "ultrasound", calls[factor]))
            found.append(
                share(f"{name}: within {CLOSE}", "ultrasound", [gap <= CLOSE for gap in gaps[factor]])
            )
            found.append(mean(f"{name}: probability moves by", "ultrasound", gaps[factor], ""))
    return found


def squeezed(stack: PictureStack, factor: float) -> PictureStack:
    """Every pixel `factor` times as wide, and the spacing says so."""
    rows_, columns = stack.pixels.shape[1:]
    narrow = round(columns / factor)
    small = np.asarray(Image.fromarray(stack.pixels[0]).resize((narrow, rows_), Image.Resampling.BOX))
    down, across = stack.pixel_spacing or (1.0, 1.0)
    return replace(stack, pixels=small[None], pixel_spacing=(down, across * columns / narrow))


def _probability(model: object, stack: PictureStack, recipe: str) -> float | None:
    try:
        seen = prepare(stack, RECIPES[recipe], scope=False)
    except Refusal:
        return None
    logits = frame_logits(model, seen.tensor).mean(axis=0)  # type: ignore[arg-type]
    return float(calibrated(logits, model.record.temperature)[1])  # type: ignore[attr-defined]
