"""The gate's own small layers over what SonoNet sees, their thresholds, and what is said below them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from digests import sha256_hex
from inference.engine.backends.with_onnxruntime import stage_of
from inference.engine.head.biometry import HeadBiometry
from inference.engine.head.by_skull import Head
from inference.engine.input_gate.look import Stage, features
from refusals import Refusal

SHIPPED = Path(__file__).parents[1] / "shipped_input_gate"
EARLIER = SHIPPED / "earlier"
"""Layers and records of gates of before, by their names; the stem is the same."""
QUESTIONS = ("head", "plane", "early")
"""Is it a fetal head; is its plane one in which ventricles are measured; is it from before about 18 weeks."""
TOO_EARLY_DAYS = 18 * 7
FARTHEST = 6.0
"""Spreads from the middle beyond which a feature says no more."""

Floats = NDArray[np.float32]


class GateMismatch(Exception):
    """The gate's weights are not what its record says."""


@dataclass(frozen=True)
class InputVerdict:
    """Probabilities for one frame. head: a fetal head. Given a head, plane: axial with ventricles in view;
    early: from before about 18 weeks by its look."""

    head: float
    plane: float
    early: float


@dataclass(frozen=True)
class InputGate:
    """The gate as shipped. stage: SonoNet's maps of standardised crops.

    thresholds: least probability of a head and of the plane; the probability from which a head is early.
    """

    stage: Stage
    tensors: Mapping[str, Floats]
    thresholds: Mapping[str, float]
    record: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The first twelve digits of its weights' hash."""
        return str(self.record["weights_sha256"])[:12]


def gate_name() -> str:
    """The first twelve digits of the hash of the newest gate's layers."""
    return str(json.loads((SHIPPED / "input_gate.json").read_text())["weights_sha256"])[:12]


def shipped_input_gate(name: str | None = None) -> InputGate:
    """The gate of that name that comes with the code, else the newest. Raises GateMismatch.

    Those of before are kept, so that an answer given behind one of them can be given again.
    """
    return _shipped(name or gate_name())


@cache
def _shipped(name: str) -> InputGate:
    if name == gate_name():
        return load_input_gate(SHIPPED)
    if not (EARLIER / f"{name}.json").is_file():
        raise GateMismatch(f"the input gate {name} does not come with this release")
    return load_input_gate(EARLIER, name)


def load_input_gate(folder: Path, name: str = "input_gate") -> InputGate:
    """Read NAME.json and NAME.safetensors, and the stem that all gates share. Raises GateMismatch."""
    record = json.loads((folder / f"{name}.json").read_text())
    layers = (folder / f"{name}.safetensors").read_bytes()
    stem = ((SHIPPED if folder == EARLIER else folder) / "sononet16.safetensors").read_bytes()
    if (sha256_hex(layers), sha256_hex(stem)) != (record["weights_sha256"], record["stem_sha256"]):
        raise GateMismatch("the input gate's weights do not have the hashes their record states")
    tensors = {name: array.astype(np.float32) for name, array in safetensors.numpy.load(layers).items()}
    return InputGate(stem_stage(stem), tensors, record["thresholds"], record)


def stem_stage(content: bytes) -> Stage:
    """SonoNet16 out of a weights file, as a stage for crops of the gate's size."""
    stage = stage_of("sononet16", safetensors.numpy.load(content))
    return lambda pictures: stage(pictures)[0]


def verdict(gate: InputGate, frame: Floats, head: Head) -> InputVerdict:
    """What a frame (rows, columns; square pixels) shows where `head` was found."""
    seen = features(gate.stage, frame, head)
    return InputVerdict(*(float(chance(gate.tensors, name, seen[None])[0]) for name in QUESTIONS))


def chance(tensors: Mapping[str, Floats], question: str, seen: Floats) -> NDArray[np.float64]:
    """Probabilities (n,) of yes for features (n, FEATURES): one linear layer on evened features.

    A gate of before knows the first of them only.
    """
    seen = seen[:, : len(tensors["centre"])]
    even = np.clip((seen - tensors["centre"]) / tensors["spread"], -FARTHEST, FARTHEST)
    odds = even.astype(np.float64) @ tensors[f"{question}.weight"] + tensors[f"{question}.bias"]
    return np.asarray(1 / (1 + np.exp(-odds)))


def hold_to(gate: InputGate, found: InputVerdict) -> None:
    """Refuses what is no head, and planes of it without ventricles. Codes: not_a_head, off_plane."""
    if found.head < gate.thresholds["head"]:
        raise Refusal("not_a_head", "This does not look like a fetal head in axial section.")
    if found.plane < gate.thresholds["plane"]:
        raise Refusal(
            "off_plane",
            "The ventricles cannot be measured in this plane of the head. Acquire an axial plane through "
            "them: cavum in front, atrium with its choroid plexus behind.",
        )


def refuse_early(
    gate: InputGate, found: InputVerdict, age_days: int | None, head: HeadBiometry | None
) -> None:
    """Refuses heads of before about 18 weeks: choroid fills their ventricles. Code: too_early.

    By the age the case states; without it by head circumference in mm; without a scale by the look.
    """
    if age_days is not None:
        if age_days < TOO_EARLY_DAYS:
            raise Refusal(
                "too_early",
                "By its stated gestational age the fetus is younger than 18 weeks: choroid plexus fills the "
                "ventricles, and ventriculomegaly is not called.",
            )
    elif head is not None:
        if head.early:
            raise Refusal(
                "too_early",
                f"The head measures {head.head_circumference_mm:.0f} mm around, as before about 18 weeks: "
                "choroid plexus fills the ventricles, and ventriculomegaly is not called.",
            )
    elif found.early >= gate.thresholds["early"]:
        raise Refusal(
            "too_early",
            "The head looks younger than about 18 weeks: choroid plexus fills the ventricles, and "
            "ventriculomegaly is not called. State the gestational age if it is older.",
        )
