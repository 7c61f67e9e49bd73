"""The one way of saying no: what somebody asked for is not done, and nothing was changed.

Knows no other room and no Django, so that a decoder, a network's checks and a page refuse alike.
"""

from refusals.refusal import CODES, FILES, Code, Refusal

__all__ = ["CODES", "FILES", "Code", "Refusal"]
