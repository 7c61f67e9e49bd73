"""Synthetic pictures of what is no fetal head: repeatable, and each kind a picture of its own."""

import numpy as np
import pytest

from inference.phantom.others import KINDS, MODALITY, other, other_stack


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_is_one_picture_and_another_seed_another(kind):
    first, again, second = (other(kind, seed=seed) for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != second.tobytes()
    assert first.shape == (256, 256)
    assert first.dtype == np.uint8
    assert first.std() > 5


def test_one_seed_gives_every_kind_its_own_picture():
    assert len({other(kind, seed=1).tobytes() for kind in KINDS}) == len(KINDS)


def test_a_kind_is_declared_as_what_it_looks_like_unless_told_otherwise():
    assert {kind: other_stack(kind, seed=1).modality for kind in MODALITY} == dict(MODALITY)
    assert other_stack("femur", seed=1, modality="mri").modality == "mri"


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError):
        other("teapot", seed=1)
