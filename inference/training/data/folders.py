"""What a folder of labelled scans looks like. Nothing here opens a scan, so that the web may ask too."""

from pathlib import Path

from inference.engine.records import LABELS
from inference.formats.stack import Modality
from inference.training.data.sources import sources_in


def modality_of(folder: Path) -> Modality | None:
    """What a folder holds, by its layout; None when it is none that training knows."""
    if next(folder.glob("*/srr.nii.gz"), None):
        return "mri"
    is_known = (folder / "labels.csv").exists() or any((folder / label).is_dir() for label in LABELS)
    return "ultrasound" if is_known or sources_in(folder) else None
