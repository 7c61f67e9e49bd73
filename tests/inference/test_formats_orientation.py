"""However a volume was cut, its frames are axial, foot to head, as its own directions have it."""

import itertools

import numpy as np
import pytest
from corpus import series as made
from corpus.reading import decode
from corpus.series import slice_file, voxels

from inference.formats import series, series_pack
from inference.formats.orientation import axially, named_plane
from inference.formats.stack import PictureStack
from inference.phantom.export import nifti_bytes

SIZES = (3.0, 1.5, 0.75)  # mm between frames, rows and columns of the axial volume
DIRECTIONS = ((0, 0, 1), (0, 1, 0), (1, 0, 0))  # of its frames, rows and columns: head, back, left
CUTS = {
    "coronal": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
    "sagittal": ((-1, 0, 0), (0, 0, -1), (0, 1, 0)),
}
"""Of frames, rows and columns of what a scanner stores: front first, and the head up."""


def axial() -> np.ndarray:
    """Three sides that differ, each long enough to be a picture's."""
    return np.random.default_rng(3).integers(1, 4000, (36, 40, 44)).astype(np.uint16)


def cut(volume: np.ndarray, directions) -> tuple[np.ndarray, tuple[float, ...], list[float]]:
    """The volume as slices of other directions: voxels, their sizes, and ImageOrientationPatient."""
    order = [int(np.abs(one).argmax()) for one in directions]
    axes = [2 - axis for axis in order]  # x lies along columns, z along frames
    flipped = [axis for axis, one in enumerate(directions) if sum(one) < 0]
    return (
        np.ascontiguousarray(np.flip(volume.transpose(axes), flipped)),
        tuple(SIZES[axis] for axis in axes),
        [float(one) for one in (*directions[2], *directions[1])],
    )


def every_cut():
    """All 24 ways in which slices can follow one another along the normal of their plane."""
    axes = [tuple(sign * np.eye(3, dtype=int)[k]) for k in range(3) for sign in (1, -1)]
    for row, column in itertools.permutations(axes, 2):
        if np.dot(row, column) == 0:
            yield tuple(np.cross(row, column)), column, row


def test_all_ways_of_cutting_a_volume_end_in_the_same_frames():
    volume = axial()
    ways = list(every_cut())
    assert len(ways) == 24
    for directions in ways:
        pixels, (slices, rows, columns), orientation = cut(volume, directions)
        stack = PictureStack(pixels, "mri", "", "dicom", pixel_spacing=(rows, columns), slice_spacing=slices)
        found = axially(stack, orientation)
        assert np.array_equal(found.pixels, volume), directions
        assert (found.slice_spacing, found.pixel_spacing, found.plane) == (3.0, (1.5, 0.75), "axial")


@pytest.mark.parametrize("plane", CUTS)
def test_slices_of_another_plane_are_the_volume_that_its_nifti_file_is(plane, tmp_path):
    volume = np.clip(axial(), 1, 250).astype(np.uint8)
    expected = decode(nifti_bytes(volume, SIZES[1:], SIZES[0]), "mri")
    pixels, sizes, orientation = cut(volume.astype(np.uint16), CUTS[plane])
    files = []
    for place, picture in enumerate(pixels):
        path = tmp_path / f"IM{place}"
        path.write_bytes(
            slice_file(
                picture, place, SeriesDescription=f"T2 {plane[:3]} haste", PixelSpacing=list(sizes[1:]),
                SliceThickness=sizes[0], ImageOrientationPatient=orientation,
                ImagePositionPatient=[float(one) for one in place * sizes[0] * np.array(CUTS[plane][0])],
            )
        )  # fmt: skip
        files.append(series.File(path.name, path, f"{place:064}"))
    [group] = series.understood(files, modality="mri")
    stack, _ = series_pack.read_series(
        [file.path for file in group.files], [file.sha256 for file in group.files], step=group.step,
        modality="mri",
    )  # fmt: skip
    assert np.array_equal(stack.pixels, expected.pixels)
    assert stack.plane == expected.plane == "axial"
    assert stack.slice_spacing == pytest.approx(expected.slice_spacing)
    assert stack.pixel_spacing == pytest.approx(expected.pixel_spacing)


def test_one_file_of_coronal_slices_is_turned_as_well():
    volume = np.random.default_rng(4).integers(1, 900, (30, 40, 48)).astype(np.uint16)
    _, rows, columns = CUTS["coronal"]
    stack = decode(made.multi_frame(volume, (*columns, *rows)), "mri")
    assert np.array_equal(stack.pixels, volume.transpose(1, 0, 2)[::-1])
    assert (stack.plane, stack.slice_spacing, stack.pixel_spacing) == ("axial", 0.8, (made.STEP, 0.8))


def test_a_few_slices_whose_turned_frames_would_be_no_pictures_stay_as_they_are():
    volume = voxels(4)
    _, rows, columns = CUTS["sagittal"]
    stack = decode(made.multi_frame(volume, (*columns, *rows)), "mri")
    assert np.array_equal(stack.pixels, volume)
    assert (stack.plane, stack.slice_spacing) == ("sagittal", made.STEP)


@pytest.mark.parametrize("words", ["T2 AX BRAIN", "t2_haste_tra_fetal", "SAG T2"])
def test_a_series_named_after_another_plane_than_its_directions_stays_as_it_was_acquired(words):
    """It was planned on the fetus's head, and the directions are the mother's."""
    volume = voxels()
    _, rows, columns = CUTS["coronal"]
    stack = decode(made.multi_frame(volume, (*columns, *rows), SeriesDescription=words), "mri")
    assert np.array_equal(stack.pixels, volume)
    assert (stack.plane, stack.slice_spacing) == ("", made.STEP)


@pytest.mark.parametrize(
    ("words", "plane"),
    [
        ("COR T2 HASTE", "coronal"), ("t2_haste_cor", "coronal"), ("T2 koronar", "coronal"),
        ("AX SSFSE", "axial"), ("t2_trufi_tra", "axial"), ("Sagittal", "sagittal"),
        ("MAX T2", ""), ("corpus callosum", ""), ("3-plane loc ax cor sag", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_words_of_a_series_name_one_plane_or_none(words, plane):
    assert named_plane(words) == plane
