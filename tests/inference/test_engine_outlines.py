"""The border of a piece runs along the edges of its pixels, around its holes too."""

import re

import numpy as np
import pytest

from inference.engine.explain.outlines import outline


def filled(path: str, shape: tuple[int, int]) -> np.ndarray:
    """What the path encloses by the even-odd rule: upright edges to the left count."""
    crossed = np.zeros(shape, int)
    for loop in path.split("z")[:-1]:
        x, y = start = tuple(int(part) for part in re.match(r"M(\d+) (\d+)", loop).groups())
        corners = [start]
        for way, length in re.findall(r"([hv])(-?\d+)", loop):
            x, y = (x + int(length), y) if way == "h" else (x, y + int(length))
            corners.append((x, y))
        for (left, above), (right, below) in zip(corners, [*corners[1:], start], strict=True):
            assert left == right or above == below, "the border turns at right angles only"
            if left == right:
                crossed[min(above, below) : max(above, below), left:] += 1
    return crossed % 2 == 1


def test_one_pixel_is_a_square():
    inside = np.zeros((3, 4), bool)
    inside[1, 2] = True
    assert outline(inside) == "M2 1h1v1h-1z"


def test_nothing_has_no_border():
    assert outline(np.zeros((3, 3), bool)) == ""


@pytest.mark.parametrize("seed", range(8))
def test_the_path_encloses_exactly_the_piece_with_holes_and_corners_that_touch(seed):
    inside = np.random.default_rng(seed).random((17, 23)) < 0.55
    assert np.array_equal(filled(outline(inside), inside.shape), inside)
