"""Bytes in, checked and decoded picture stacks out. No Django, no torch."""

from inference.formats.errors import FormatError
from inference.formats.identity import Identity
from inference.formats.reader import read, read_identified
from inference.formats.stack import MODALITIES, Modality, PictureStack

__all__ = ["MODALITIES", "FormatError", "Identity", "Modality", "PictureStack", "read", "read_identified"]
