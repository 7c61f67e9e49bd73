"""One file on its way through a decoder."""

from dataclasses import dataclass

from inference.formats.stack import Modality


@dataclass(frozen=True)
class Source:
    """The bytes of a file that has passed the gate, and what its sender declared."""

    data: bytes
    modality: Modality
    sha256: str
