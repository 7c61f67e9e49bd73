"""The pieces of a head that explanations hide and show."""

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import quickshift, slic

COMPACTNESS = 0.1
"""For levels from 0 to 1: pieces follow edges, and stay about as large as each other."""


def even_pieces(picture: NDArray[np.float32], count: int) -> NDArray[np.int32]:
    """About `count` pieces of the head (SLIC), numbered from 0; -1 where the preparation hid the picture."""
    inside = picture != 0
    found = slic(_level(picture), n_segments=count, compactness=COMPACTNESS, channel_axis=None, mask=inside)
    return _numbered(found, inside)


def quickshift_pieces(
    picture: NDArray[np.float32], *, kernel: float, distance: float, ratio: float, seed: int
) -> NDArray[np.int32]:
    """As the lime package cuts a picture, numbered from 0; -1 where the preparation hid the picture."""
    found = quickshift(  # type: ignore[no-untyped-call]
        np.repeat(_level(picture)[:, :, None], 3, axis=2).astype(np.float64),
        kernel_size=kernel,
        max_dist=distance,
        ratio=ratio,
        rng=seed,
    )
    return _numbered(found, picture != 0)


def hidden_pictures(
    picture: NDArray[np.float32], segments: NDArray[np.int32], shown: NDArray[np.bool_], hidden: float
) -> NDArray[np.float32]:
    """The picture once for each row of `shown` (n, pieces), with the pieces that are not shown hidden."""
    visible = np.hstack([shown, np.ones((len(shown), 1), np.bool_)])
    return np.where(visible[:, segments], picture, np.float32(hidden)).astype(np.float32)


def distances(segments: NDArray[np.int32]) -> NDArray[np.float64]:
    """Between the middles of all pieces, in pixels."""
    places = [np.argwhere(segments == number).mean(axis=0) for number in range(int(segments.max()) + 1)]
    middles = np.stack(places)
    return np.asarray(np.linalg.norm(middles[:, None] - middles[None], axis=-1))


def _level(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((picture - picture.min()) / max(float(np.ptp(picture)), 1e-6), np.float32)


def _numbered(found: NDArray[np.int64], inside: NDArray[np.bool_]) -> NDArray[np.int32]:
    segments = np.full(inside.shape, -1, np.int32)
    segments[inside] = np.unique(found[inside], return_inverse=True)[1]
    return segments
