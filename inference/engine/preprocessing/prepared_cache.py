"""Scans prepared lately: several networks read a scan and explain it, and all start from the same picture."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

from inference.engine.preprocessing.prepare import prepare
from inference.engine.preprocessing.square_pixels import spacing_of
from inference.engine.records import NotAnalysable, Prepared, Recipe
from inference.formats.stack import PictureStack
from refusals import Refusal

READ = -1
"""In place of an age: frames that an answer already rests on."""
KEPT = 48
"""Each is at most a few MiB: an input for each frame, and where the head lies in it."""
Key = tuple[str, str, tuple[int, ...] | None, int | None]
_recent: OrderedDict[Key, Prepared | NotAnalysable] = OrderedDict()


def prepared_once(
    stack: PictureStack,
    recipe: Recipe,
    *,
    frames: Sequence[int] | None = None,
    age_days: int | None = None,
) -> Prepared:
    """As `prepare`, which is not repeated for pixels, recipe, frames and age seen lately in this process.

    The arrays are shared, so they are read-only.
    """
    same = _fingerprint(stack), recipe.sha256
    key: Key = (*same, None if frames is None else tuple(frames), age_days)
    if key not in _recent:
        _keep(key, _attempt(stack, recipe, frames, age_days))
    _recent.move_to_end(key)
    kept = _recent[key]
    if isinstance(kept, NotAnalysable):
        raise Refusal(kept.code, kept.reason)
    _keep((*same, kept.frames, READ), kept)  # who explains asks for the frames that were read
    return kept


def prepared_again(stack: PictureStack, recipe: Recipe, frames: Sequence[int]) -> Prepared:
    """Frames that an answer rests on, without asking again whether they may be read. Raises Refusal."""
    key: Key = (_fingerprint(stack), recipe.sha256, tuple(frames), READ)
    if key not in _recent:
        _keep(key, _attempt(stack, recipe, frames, None, scope=False))
    _recent.move_to_end(key)
    kept = _recent[key]
    if isinstance(kept, NotAnalysable):
        raise Refusal(kept.code, kept.reason)
    return kept


def _keep(key: Key, found: Prepared | NotAnalysable) -> None:
    _recent[key] = found
    while len(_recent) > KEPT:
        _recent.popitem(last=False)


def _attempt(
    stack: PictureStack,
    recipe: Recipe,
    frames: Sequence[int] | None,
    age_days: int | None,
    *,
    scope: bool = True,
) -> Prepared | NotAnalysable:
    try:
        found = prepare(stack, recipe, frames=frames, scope=scope, age_days=age_days)
    except Refusal as refused:
        return NotAnalysable(refused.code, refused.detail)
    for array in (found.tensor, found.head, *found.grid_to_scan):
        array.flags.writeable = False
    return found


def _fingerprint(stack: PictureStack) -> str:
    """Pixels by their own hash: a stack's name says nothing about what is in it."""
    digest = hashlib.blake2b(stack.pixels.tobytes(), digest_size=16)
    shape = stack.pixels.shape, stack.pixels.dtype.str, stack.is_volume, stack.modality, spacing_of(stack)
    digest.update(repr(shape).encode())
    return digest.hexdigest()
