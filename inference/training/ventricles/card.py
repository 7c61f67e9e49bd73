"""What the card of the version that measures MRI says: all of it stands in the record of its training."""

from collections.abc import Mapping
from typing import Any

from inference.engine.records import MEASURING, MEASURING_NETWORKS, VENTRICLES


def card(settled: Mapping[str, Any]) -> dict[str, Any]:
    """settled: ventricles.json as `inference.training.ventricles` wrote it."""
    return {
        "intended_use": (
            "Research and decision support, not a cleared device. It proposes calipers on both atria of "
            "axial MRI of fetal heads, in the widest plane through the thalami; a reader confirms or moves "
            "them. It calls by 10 mm, never by a picture's look."
        ),
        "limits": [
            "Without the file's scale it measures nothing.",
            "It measures no ultrasound, no coronal and no sagittal slices, and nothing that its input gate "
            "refuses.",
            "One plane serves both sides: of a head that is tilted sideways one atrium is not at its widest.",
            "A very wide cavum may be taken for a ventricle.",
            "Its sides are those of the file's axes: in a volume that lies in the mother's directions they "
            "are hers.",
        ],
        "known_biases": [
            "It learnt from one atlas, whose volumes all show ventriculomegaly: normal atria are made of "
            "them, walls moved in and mantles folded.",
            "No real normal volume was measured.",
        ],
        MEASURING: {name: settled[name] for name in MEASURING_NETWORKS[VENTRICLES].settled},
        **({"held_out": settled["held_out"]} if settled.get("held_out") else {}),
        "width_error": {
            name: {"mean_error_mm": one["mean error mm"], "count": one["count"]}
            for name, one in settled["figures"].items()
            if one["count"]
        },
        "data": f"{settled['sources'][:1].upper()}{settled['sources'][1:]}.",
        "training": {
            name: settled[name]
            for name in (
                "learnt_from",
                "left_out",
                "left_out_volumes",
                "pictures",
                "seed",
                "command",
                "versions",
            )
        },
    }
