"""However a volume was cut, its frames are axial, foot to head, as its own directions have it."""

import itertools

import nibabel
import numpy as np
import pytest
from corpus import dicoms
from corpus import series as made
from corpus.reading import decode
from corpus.series import slice_file, voxels

from inference.formats import series, series_pack
from inference.formats.affine import tilt_of
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
    """Three sides that differ, each long enough to be a picture's, and no value twice."""
    values = np.random.default_rng(3).permutation(2**16)[: 36 * 40 * 44]
    return values.reshape(36, 40, 44).astype(np.uint16)


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


def lies(stack, orientation, pixels, value, position) -> np.ndarray:
    """By the rule of PS3.3, C.7.6.2.1.1, where the voxel of a value lies: towards left, back and head."""
    frame, row, column = np.argwhere(pixels == value)[0]
    along_row, along_column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(along_row, along_column)
    rows, columns = stack.pixel_spacing
    return (
        np.array(position)
        + column * columns * along_row
        + row * rows * along_column
        + frame * stack.slice_spacing * normal
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
        found = axially(stack, orientation, (10.0, -20.0, 30.0))
        assert np.array_equal(found.pixels, volume), directions
        for index in ((0, 0, 0), (35, 7, 20)):  # the same voxel lies in the same place of the patient
            was = lies(stack, orientation, pixels, volume[index], (10.0, -20.0, 30.0))
            now = np.asarray(found.affine) @ (index[2], index[1], index[0], 1)
            assert now == pytest.approx(was, abs=1e-4), directions
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
    assert np.asarray(stack.affine)[:, :3] == pytest.approx(np.asarray(expected.affine)[:, :3], abs=1e-5)
    assert (stack.affine_source, expected.affine_source) == ("ImageOrientationPatient", "NIfTI sform")


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


def test_the_affine_of_a_nifti_volume_says_where_each_voxel_lies_in_millimetres():
    """A volume of other axes and of metres, turned by 20 degrees: nibabel's own product is the reference."""
    angle = np.radians(20)
    turned = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turned @ np.diag([0.0012, -0.0008, 0.002])
    affine[:3, 3] = [0.01, -0.02, 0.03]
    voxels_ = np.arange(40 * 44 * 36, dtype=np.uint16).reshape(40, 44, 36)
    image = nibabel.Nifti1Image(voxels_, affine)
    image.header.set_xyzt_units("meter")
    stack = decode(image.to_bytes(), "mri")
    place = (13, 7, 21)
    [(frame, row, column)] = np.argwhere(stack.pixels == voxels_[place])
    right, front, head = 1000 * (affine @ (*place, 1))[:3]
    assert np.asarray(stack.affine) @ (column, row, frame, 1) == pytest.approx(
        [-right, -front, head], abs=1e-2
    )
    assert tilt_of(stack.affine) == pytest.approx(20, abs=0.01)


def test_what_is_no_volume_lies_nowhere():
    assert decode(dicoms.file(voxels(1)[0]), "mri").affine is None
