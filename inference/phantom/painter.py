"""The door: one head, one acquisition, one picture."""

import numpy as np

from inference.formats.stack import Modality
from inference.phantom.geometry import Floats, caliper_ends, head_distance
from inference.phantom.mri import mri_view, paint_mri
from inference.phantom.records import NO_DEFECTS, Caliper, Defects, HeadSpec, Phantom
from inference.phantom.tissue import ventricle_pair
from inference.phantom.ultrasound import paint_ultrasound, ultrasound_view
from inference.phantom.view import View

LOOK_NUMBER: dict[Modality, int] = {"ultrasound": 1, "mri": 2}


def render(
    spec: HeadSpec,
    look: Modality,
    *,
    seed: int,
    defects: Defects = NO_DEFECTS,
    size: int = 256,
) -> Phantom:
    """Picture one head, `size` x `size` pixels; equal arguments give equal bytes.

    The seed chooses everything about the acquisition (view, machine settings, noise) and nothing
    about the head, so several seeds are several acquisitions of one head.
    """
    rng = np.random.default_rng([LOOK_NUMBER[look], seed])
    if look == "ultrasound":
        view, scan = ultrasound_view(rng, spec, defects, size)
        signal = paint_ultrasound(rng, spec, view, scan, defects)
    else:
        view = mri_view(rng, spec, defects, size)
        signal = paint_mri(rng, np.random.default_rng([0, seed]), spec, view, defects)
    return _finish(spec, look, seed, defects, view, signal)


def _finish(
    spec: HeadSpec, look: Modality, seed: int, defects: Defects, view: View, signal: Floats
) -> Phantom:
    at = view.head(*view.screen())
    skull = head_distance(spec, at)
    ventricles, choroid = ventricle_pair(spec, skull, at)
    return Phantom(
        pixels=np.round(np.clip(signal, 0, 1) * 255).astype(np.uint8),
        pixel_spacing=view.pixel_spacing,
        head=skull < 0,
        ventricles=ventricles < 0,
        choroid=choroid < 0,
        calipers=(caliper(spec, view, 1), caliper(spec, view, -1)),
        look=look,
        seed=seed,
        spec=spec,
        defects=defects,
    )


def caliper(spec: HeadSpec, view: View, side: int) -> Caliper:
    """Where the atrial width of one side lies in the picture."""
    inner, outer = caliper_ends(spec, spec.left if side > 0 else spec.right, side)
    return Caliper(inner=view.pixel(*inner), outer=view.pixel(*outer))
