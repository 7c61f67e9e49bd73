"""Which plane of the head a brain frame shows, where SonoNet, asked of the whole frame, is sure of it.

Nobody labelled the planes of the brain frames at hand. SonoNet was taught the transventricular and the
transcerebellar plane by experts; a frame of which it is sure is taken at its word.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from PIL import Image

from inference.engine.input_gate.look import CLASSES, PLANES
from inference.engine.input_gate.sononet import SonoNet16, standardised
from inference.training.input_gate.material import Seen

ROWS, COLUMNS = 224, 288
SURE = 0.9
VENTRICLES, CEREBELLUM = PLANES.index("brain (transventricular)"), PLANES.index("brain (cerebellum)")


def named(data: Path, seen: Seen, stem: bytes, tell: Callable[[str], None]) -> Seen:
    """`seen` with the plane of fetal_planes' brains where SonoNet is sure."""
    asked = (seen.source == "fetal_planes") & (seen.head == 1)
    said = {file: _plane(data / file, _network(stem)) for file in np.unique(seen.picture[asked]).tolist()}
    plane = seen.plane.copy()
    for row in np.flatnonzero(asked):
        plane[row] = said[str(seen.picture[row])]
    counts = {answer: list(said.values()).count(answer) for answer in (1, 0, -1)}
    tell(
        f"of {len(said)} brain frames: {counts[1]} through the ventricles, {counts[0]} through the cerebellum"
    )
    return replace(seen, plane=plane)


_networks: dict[bytes, SonoNet16] = {}


def _network(stem: bytes) -> SonoNet16:
    if stem not in _networks:
        network = SonoNet16()
        tensors = {name: tensor.float() for name, tensor in safetensors.torch.load(stem).items()}
        network.load_state_dict(tensors, strict=False)
        _networks[stem] = network.eval()
    return _networks[stem]


def _plane(path: Path, network: SonoNet16) -> int:
    picture = Image.open(path).convert("L").resize((COLUMNS, ROWS), Image.Resampling.BILINEAR)
    shown = torch.from_numpy(np.asarray(picture, np.float32))[None, None]
    with torch.inference_mode():
        chances = network(standardised(shown))[0, -CLASSES:].mean((1, 2)).softmax(0)
    if float(chances[VENTRICLES]) >= SURE:
        return 1
    return 0 if float(chances[CEREBELLUM]) >= SURE else -1
