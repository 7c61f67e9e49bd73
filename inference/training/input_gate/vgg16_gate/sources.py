"""Whether the gate knows heads, or the machines it was shown them on: fit without a source, test on it."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from inference.engine.input_gate.vgg16_gate import chances_of
from inference.training.evaluation.figures import Figure, wilson
from inference.training.input_gate.vgg16_gate.learn import fitted
from inference.training.input_gate.vgg16_gate.material import Seen
from inference.training.input_gate.vgg16_gate.measure import Held, refused

REAL = ["plain_ultrasound", "real_ultrasound", "plain_mri", "atlas_mri", "folded_mri", "late_mri"]

Rows = NDArray[np.bool_]


def across_sources(examples: Seen, steps: int, seed: int, limits: Mapping[str, float]) -> dict[str, Figure]:
    """Refused share of each source's heads, by a gate that has seen nothing of that source."""
    found = {}
    for name, rows in sources(examples):
        tensors = fitted(examples.take(~rows), steps, seed + 50)
        heads = examples.take(rows & np.isin(examples.kind, REAL))
        held = Held(heads, chances_of(tensors, heads.features))
        right = np.char.endswith(heads.kind, "ultrasound") == (heads.declared == "ultrasound")
        out = refused(held, limits)
        found[f"head of an unseen source: {name}"] = wilson(int(out[right].sum()), int(right.sum()))
    return found


def sources(examples: Seen) -> Iterator[tuple[str, Rows]]:
    """The two collections among the ultrasound pictures, and all real MRI."""
    patients = np.char.startswith(examples.group, "patient-")
    volumes = np.char.startswith(examples.group, "fetal_")
    own = np.isin(examples.group, np.unique(examples.group[examples.kind == "real_ultrasound"]))
    yield "normal pictures", patients
    yield "pictures of anomalies", own & ~patients
    yield "real MRI", volumes
