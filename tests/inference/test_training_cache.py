"""What is kept between trainings is never taken for something else."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from inference.phantom import render, sample_spec
from inference.training.data.cache import UNUSED_DAYS, contents_sha256, kept
from inference.training.data.material import Making, Material, material

MAKING = Making(phantoms=5, seed=1, variants=1)


def draw(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    spec = sample_spec(np.random.default_rng(seed), label="normal")
    path.write_bytes(render(spec, "ultrasound", seed=seed).png())


@pytest.fixture
def folder(tmp_path) -> Path:
    draw(tmp_path / "pictures" / "normal" / "patient-1" / "axial.png", seed=1)
    return tmp_path / "pictures"


def prepared(folder: Path, cache: Path) -> Material:
    return material("ultrasound", folder, "ultrasound-head-64", MAKING, cache=cache)


def names(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()}


def test_a_picture_that_was_replaced_under_its_name_is_prepared_anew(folder, tmp_path):
    before = prepared(folder, tmp_path / "cache")
    draw(folder / "normal" / "patient-1" / "axial.png", seed=2)
    after = prepared(folder, tmp_path / "cache")
    assert before.pictures_sha256 != after.pictures_sha256
    assert not np.array_equal(before.labelled.tensor, after.labelled.tensor)
    assert not np.array_equal(before.taught.tensor, after.taught.tensor)
    assert np.array_equal(before.phantoms.tensor, after.phantoms.tensor)


def test_the_same_pictures_in_another_place_are_prepared_once(folder, tmp_path):
    first = prepared(folder, tmp_path / "cache")
    there = names(tmp_path / "cache")
    second = prepared(shutil.copytree(folder, tmp_path / "moved"), tmp_path / "cache")
    assert names(tmp_path / "cache") == there
    assert np.array_equal(first.taught.tensor, second.taught.tensor)
    assert first.taught.names == second.taught.names
    assert first.labelled.refused == second.labelled.refused


def test_a_files_name_counts_as_its_bytes_do(folder):
    before = contents_sha256(folder)
    (folder / "normal").rename(folder / "ventriculomegaly")
    assert contents_sha256(folder) != before


def test_what_could_not_be_made_leaves_nothing_behind(tmp_path):
    def fail() -> None:
        raise ValueError("no pictures")

    with pytest.raises(ValueError, match="no pictures"):
        kept(tmp_path / "cache", "made", "asked", fail)
    assert not (tmp_path / "cache").exists()
    made = {"numbers": np.arange(3)}
    assert kept(tmp_path / "cache", "made", "asked", lambda: made) is made
    assert kept(tmp_path / "cache", "made", "asked", fail)["numbers"].tolist() == [0, 1, 2]


def test_what_nobody_asked_for_in_a_month_makes_room(tmp_path):
    cache = tmp_path / "cache"
    for name in ("old", "used"):
        kept(cache, name, "asked", lambda: {"numbers": np.arange(3)})
    long_ago = time.time() - (UNUSED_DAYS + 1) * 24 * 3600
    for path in cache.iterdir():
        os.utime(path, (long_ago, long_ago))
    kept(cache, "used", "asked", dict)
    kept(cache, "new", "asked", lambda: {"numbers": np.arange(3)})
    assert {name.split("-")[0] for name in names(cache)} == {"used", "new"}
