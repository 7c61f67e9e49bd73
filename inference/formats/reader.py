"""The one door: a file in, a picture stack or a reasoned refusal out."""

import hashlib
import mmap
from pathlib import Path
from typing import BinaryIO

from inference.formats.gate import admit, program_for
from inference.formats.identity import Identity
from inference.formats.limits import check_file_bytes
from inference.formats.sandbox import decode_and_identify, decode_in_child
from inference.formats.stack import Modality, PictureStack, SourceFormat


def read(source: Path, *, modality: Modality, file_name: str = "") -> PictureStack:
    """Read a DICOM or NIfTI file, a picture or a clip as one grey, de-identified stack of frames.

    modality: what the sender declares; a DICOM file that states another is refused.
    file_name: the sender's name for the file, used only to notice an extension that contradicts the
        content; defaults to the name of `source`.

    The bytes are checked here in pure Python, then decoded in a child process with limits on memory, time
    and output. Raises Refusal for everything that cannot be read, OSError when `source` cannot be opened.
    """
    with source.open("rb") as opened:
        kind, program, sha256 = _admitted(source, opened, modality, file_name)
        return decode_in_child(opened, kind, modality=modality, sha256=sha256, program=program)


def read_identified(
    source: Path, *, modality: Modality, file_name: str = ""
) -> tuple[PictureStack, Identity]:
    """As `read`, and beside the stack what the file says of patient and study, for the upload door alone."""
    with source.open("rb") as opened:
        kind, program, sha256 = _admitted(source, opened, modality, file_name)
        return decode_and_identify(opened, kind, modality=modality, sha256=sha256, program=program)


def _admitted(
    source: Path, opened: BinaryIO, modality: Modality, file_name: str
) -> tuple[SourceFormat, str, str]:
    """Format, decoding program and SHA-256 of a file that has passed the gate."""
    check_file_bytes(source.stat().st_size)
    with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        kind = admit(data, modality=modality, file_name=file_name or source.name)
        return kind, program_for(data, kind), hashlib.sha256(data).hexdigest()
