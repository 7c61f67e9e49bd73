"""Sorted files of one series on their way to the decoding child, and the list by which they are known."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

from inference.formats.identity import Identity
from inference.formats.limits import check_file_bytes
from inference.formats.sandbox import decode_and_identify
from inference.formats.stack import Modality, PictureStack

PROGRAM = "inference.formats.dicom_series"


def manifest(hashes: Sequence[str]) -> bytes:
    """The list that stands for the files, in the order of their slices: its SHA-256 is that of the scan."""
    return json.dumps({"files": list(hashes)}, indent=0).encode() + b"\n"


def read_series(
    files: Sequence[Path], hashes: Sequence[str], *, step: float | None, modality: Modality
) -> tuple[PictureStack, Identity]:
    """One volume out of admitted single-slice files in their order, and what they say of patient and study.

    step: millimetres between slices. Raises Refusal as reading one file does.
    """
    lengths = [path.stat().st_size for path in files]
    check_file_bytes(sum(lengths))
    with TemporaryFile() as pack:
        pack.write(json.dumps({"step": step, "lengths": lengths}).encode() + b"\n")
        for path in files:
            pack.write(path.read_bytes())
        pack.seek(0)
        sha256 = hashlib.sha256(manifest(hashes)).hexdigest()
        return decode_and_identify(pack, "dicom", modality=modality, sha256=sha256, program=PROGRAM)
