"""Decode inside the test process: the same gate and decoders as the child runs, without starting one."""

import hashlib
import importlib

from inference.formats import PictureStack
from inference.formats.gate import admit, program_for
from inference.formats.source import Source
from inference.formats.stack import Modality
from refusals import Refusal


def decode(data: bytes, modality: Modality, file_name: str = "") -> PictureStack:
    kind = admit(data, modality=modality, file_name=file_name)
    decoder = importlib.import_module(program_for(data, kind))
    return decoder.decode(Source(data, modality, hashlib.sha256(data).hexdigest()))


def outcome(data: bytes, modality: Modality, file_name: str = "") -> str:
    """ "read", or the code of the refusal. A library's own exception is what the child would die of."""
    try:
        decode(data, modality, file_name)
    except Refusal as refusal:
        return refusal.code
    except Exception:  # noqa: BLE001
        return "undecodable"
    return "read"
