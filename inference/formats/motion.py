"""Frames that are moments: how a clip says how long each lasts, and of how many it keeps some."""

from inference.formats import acquisition
from inference.formats.stack import Modality
from refusals import Refusal


def spoken(*, count: int, step: int, interval: float | None) -> dict[str, acquisition.Value]:
    """NumberOfFrames of the file, and FrameTime: milliseconds from one kept frame to the next.

    count: frames in the file, of which every `step`-th is kept. interval: ms between neighbours in the file.
    """
    words: dict[str, acquisition.Value] = {"NumberOfFrames": count}
    return words | {"FrameTime": round(interval * step, 3)} if interval else words


def check_ultrasound(modality: Modality) -> None:
    """A clip of MRI slices would be shown as a loop: nothing in it says how they lie."""
    if modality == "mri":
        raise Refusal(
            "modality_mismatch",
            "A clip does not say how slices of MRI lie; send the volume as DICOM or NIfTI.",
        )
