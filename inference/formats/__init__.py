"""Bytes in, checked and decoded picture stacks out. No Django, no torch."""

from inference.formats.errors import FormatError
from inference.formats.reader import read
from inference.formats.stack import MODALITIES, Modality, PictureStack

__all__ = ["MODALITIES", "FormatError", "Modality", "PictureStack", "read"]
