"""Bytes in, checked and decoded picture stacks out. No Django, no torch."""

from inference.formats.identity import Identity
from inference.formats.reader import read, read_identified
from inference.formats.stack import MODALITIES, Modality, PictureStack
from refusals import Refusal

__all__ = ["MODALITIES", "Identity", "Modality", "PictureStack", "Refusal", "read", "read_identified"]
