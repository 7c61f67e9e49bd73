"""The one door: a file in, a picture stack or a reasoned refusal out."""

import hashlib
import mmap
from pathlib import Path

from inference.formats.gate import admit
from inference.formats.limits import check_file_bytes
from inference.formats.sandbox import decode_in_child
from inference.formats.stack import Modality, PictureStack


def read(source: Path, *, modality: Modality, file_name: str = "") -> PictureStack:
    """Read a PNG, JPEG, TIFF, DICOM or NIfTI file as one grey, de-identified stack of frames.

    modality: what the sender declares; a DICOM file that states another is refused.
    file_name: the sender's name for the file, used only to notice an extension that contradicts the
        content; defaults to the name of `source`.

    The bytes are checked here in pure Python, then decoded in a child process with limits on memory, time
    and output. Raises FormatError for everything that cannot be read, OSError when `source` cannot be opened.
    """
    with source.open("rb") as opened:
        check_file_bytes(source.stat().st_size)
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            kind = admit(data, modality=modality, file_name=file_name or source.name)
            sha256 = hashlib.sha256(data).hexdigest()
        return decode_in_child(opened, kind, modality=modality, sha256=sha256)
