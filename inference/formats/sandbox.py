"""The parent's side of decoding: start a confined child, wait no longer than allowed, check its answer."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import BinaryIO

from inference.formats import wire
from inference.formats.child import ALLOWANCE, Allowance, command_line
from inference.formats.errors import FormatError
from inference.formats.stack import Modality, PictureStack, SourceFormat

DECODERS: dict[SourceFormat, str] = {
    "png": "inference.formats.picture",
    "jpeg": "inference.formats.picture",
    "tiff": "inference.formats.picture",
    "dicom": "inference.formats.dicom",
    "nifti": "inference.formats.nifti",
}
SPOKEN: dict[SourceFormat, str] = {
    "png": "PNG",
    "jpeg": "JPEG",
    "tiff": "TIFF",
    "dicom": "DICOM",
    "nifti": "NIfTI",
}

# The child inherits nothing of ours: no secrets, no settings. Threads would only cost address space.
ENVIRONMENT = {
    "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "LC_ALL": "C.UTF-8",
}


def decode_in_child(
    opened: BinaryIO,
    kind: SourceFormat,
    *,
    modality: Modality,
    sha256: str,
    allowance: Allowance = ALLOWANCE,
) -> PictureStack:
    """Decode an open file, from its start. Raises FormatError, `undecodable` for any death of the child."""
    with tempfile.TemporaryFile() as answer:
        _run(command_line(DECODERS[kind], modality, allowance), opened, answer, kind, allowance)
        answer.seek(0)
        try:
            return wire.read_stack(answer, modality=modality, sha256=sha256)
        except wire.BadAnswer:
            raise _undecodable(kind) from None


def _run(
    command: list[str], opened: BinaryIO, answer: BinaryIO, kind: SourceFormat, allowance: Allowance
) -> None:
    os.lseek(opened.fileno(), 0, os.SEEK_SET)
    try:
        subprocess.run(
            command,
            stdin=opened,
            stdout=answer,
            stderr=subprocess.DEVNULL,  # a library's complaint may quote the patient's name
            env=ENVIRONMENT,
            cwd="/",
            timeout=allowance.wall_seconds,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise FormatError("undecodable", f"Decoding the {SPOKEN[kind]} file took too long.") from None
    except subprocess.CalledProcessError:
        raise _undecodable(kind) from None


def _undecodable(kind: SourceFormat) -> FormatError:
    return FormatError(
        "undecodable", f"The {SPOKEN[kind]} file is damaged, or uses what no decoder here reads."
    )
