"""The shared files with properties that people reported: for each what is right. Skipped without them."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpus.reading import decode

from inference.formats import PictureStack
from refusals import Refusal

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
Right = Callable[["Cases", str], bool]


class Cases:
    """The files of the folder, each read as the modality that it states, else as ultrasound."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stack(self, name: str) -> PictureStack:
        try:
            return self.sent(name, "ultrasound")
        except Refusal as refused:
            if refused.code != "modality_mismatch":
                raise
            return self.sent(name, "mri")

    def sent(self, name: str, modality: Any) -> PictureStack:
        return decode((self.folder / name).read_bytes(), modality, name)

    def values(self, name: str) -> np.ndarray:
        """The numbers that the file means."""
        stack = self.stack(name)
        return stack.pixels * stack.rescale[0] + stack.rescale[1]


def refused(words: str) -> Right:
    """Refused in a sentence that names it, whatever it is sent as."""

    def right(cases: Cases, name: str) -> bool:
        for modality in ("ultrasound", "mri"):
            with pytest.raises(Refusal) as refusal:
                cases.sent(name, modality)
            if words not in refusal.value.detail:
                return False
        return True

    return right


def same_as(
    other: str, *, off: float = 0.0, but: int = 0, change: Callable[[np.ndarray], Any] = lambda values: values
) -> Right:
    """The same numbers as another file, after a change to that, within `off` in all `but` a few places."""

    def right(cases: Cases, name: str) -> bool:
        found, wanted = cases.values(name), change(cases.values(other))
        return found.shape == wanted.shape and int((np.abs(found - wanted) > off).sum()) <= but

    return right


def thinned(axis: int, by: int) -> Callable[[np.ndarray], np.ndarray]:
    """Thicker slices: means of `by` neighbours, from the side on which whatever is left over is left out."""

    def change(values: np.ndarray) -> np.ndarray:
        count = values.shape[axis] // by
        turned = np.flip(np.moveaxis(values, axis, 0), 0)[: count * by]
        means = turned.reshape(count, by, *turned.shape[1:]).mean(axis=1)
        return np.moveaxis(np.flip(means, 0), 0, axis)

    return change


def spaced(rows: float, columns: float, slices: float | None = None) -> Right:
    def right(cases: Cases, name: str) -> bool:
        stack = cases.stack(name)
        found = (
            *(stack.pixel_spacing or ()),
            *([] if stack.slice_spacing is None else [stack.slice_spacing]),
        )
        wanted = (rows, columns) if slices is None else (rows, columns, slices)
        return len(found) == len(wanted) and np.allclose(found, wanted, atol=1e-4)

    return right


def stated(**fields: Any) -> Right:
    return lambda cases, name: {key: getattr(cases.stack(name), key) for key in fields} == fields


def thick(axis: int, by: int, spacing: float) -> list[Right]:
    """A stack of the shared volume in thicker slices, as axial frames of unequal sides."""
    sides = [spacing if axis == 1 else 0.8, spacing if axis == 2 else 0.8]
    return [
        same_as("c2_full.nii.gz", off=0.9, change=thinned(axis, by)),
        spaced(sides[0], sides[1], 0.8),
        stated(plane="axial", is_volume=True),
    ]


def half_as_wide(values: np.ndarray) -> np.ndarray:
    return (values[..., ::2] + values[..., 1::2]) / 2


SQUARE, PLAIN, ISOTROPIC = "g06b_square.dcm", "c1_mr_plain.dcm", "n01_ras.nii.gz"
RIGHT: dict[str, list[Right]] = {
    "p27_jpeg_ext12.dcm": [same_as(PLAIN, off=60)],
    "h01_window_comma.dcm": [same_as(PLAIN), stated(window=None)],
    "h07b_slope_comma.dcm": [same_as(PLAIN), stated(rescale=(1.0, 0.0))],
    "h10_no_meta.dcm": [refused("DICOM without its file header")],
    "h12_vr_nul.dcm": [same_as(PLAIN), spaced(0.8, 0.8)],
    "h12c_vr_qq.dcm": [same_as(PLAIN), spaced(0.8, 0.8)],
    "h14_frames0.dcm": [same_as(SQUARE)],
    "h17_sc_ot.dcm": [stated(modality="ultrasound", is_volume=False)],
    "h17b_sr.dcm": [refused("a structured report, not a picture of a scan; send the images")],
    "h17c_pr.dcm": [refused("a presentation state, not a picture of a scan; send the images")],
    "g05_aspect_ratio.dcm": [
        same_as(SQUARE, off=14, change=half_as_wide),
        stated(pixel_aspect=0.5, pixel_spacing=None),
    ],
    "g06_nonsquare.dcm": [same_as(SQUARE, off=14, change=half_as_wide), spaced(0.4, 0.8)],
    SQUARE: [spaced(0.4, 0.4)],
    "g11_enh_perframe.dcm": [spaced(0.8, 0.8, 4.0), stated(is_volume=True)],
    "g12_enh_thickness.dcm": [same_as("g11_enh_perframe.dcm"), spaced(0.8, 0.8, 4.0)],
    "g14_enh_slopes.dcm": [same_as("g11_enh_perframe.dcm", off=1.6), spaced(0.8, 0.8, 4.0)],
    "g15_enh_two_echoes.dcm": [
        lambda cases, name: "slices more than once (contrasts, echoes" in detail(cases, name, "mri")
    ],
    "g18_mosaic.dcm": [refused("a mosaic, many slices tiled in one picture; send the slices")],
    ISOTROPIC: [stated(plane="axial"), spaced(1.6, 1.6, 1.6)],
    "n12_nan.nii.gz": [same_as(ISOTROPIC, off=0.01)],
    "n14_pair.img": [refused("half of an image pair (.hdr and .img); save the volume as one .nii")],
    "n14b_analyze.hdr": [refused("an Analyze 7.5 header, half of an image pair; save the volume")],
    "n15_hot_voxel.nii.gz": [same_as(ISOTROPIC, off=0.01, but=1)],
    "n15b_fill.nii.gz": [same_as(ISOTROPIC, off=0.01)],
    "n16_coronal_thick.nii.gz": thick(1, 5, 4.0),
    "n17b_inplane_2to1.nii.gz": [spaced(1.6, 0.8, 0.8), stated(plane="axial")],
    "n19_sform_mni.nii.gz": [same_as(ISOTROPIC), spaced(1.6, 1.6, 1.6)],
    "i05e.heic": [refused("a HEIC picture, as phones take them; send DICOM")],
    "i05f.mp4": [refused("The MP4 file holds no video")],
    "i06_la16.png": [lambda cases, name: 1000 < cases.stack(name).pixels.max() <= 65_535],
    "i14b_no_eoi.jpg": [same_as(SQUARE, off=7)],
    "i20b_int8.tif": [same_as(SQUARE, change=lambda values: values - 128)],
    PLAIN: [stated(is_volume=False)],
    "c2_full.nii.gz": [spaced(0.8, 0.8, 0.8), stated(plane="axial")],
    "c3_sag_2.nii.gz": thick(2, 2, 1.6),
    "c3_sag_4.nii.gz": thick(2, 4, 3.2),
    "c3_sag_5.nii.gz": thick(2, 5, 4.0),
    "c3_cor_2.nii.gz": thick(1, 2, 1.6),
    "c3_cor_3.nii.gz": thick(1, 3, 2.4),
    "c3_cor_5.nii.gz": thick(1, 5, 4.0),
    "c4_us_1.5.dcm": [spaced(0.4, 0.6)],
    "c4_us_2.dcm": [same_as(SQUARE, off=14, change=half_as_wide), spaced(0.4, 0.8)],
}
"""For each file of the table what is right."""


def detail(cases: Cases, name: str, modality: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        cases.sent(name, modality)
    return refusal.value.detail


@pytest.fixture(scope="module")
def cases(data_dir: Path) -> Cases:
    folder = data_dir.parent / "inputs"
    if not folder.is_dir():
        pytest.skip("there is no folder of inputs beside the real scans")
    return Cases(folder)


def test_of_every_file_of_the_table_it_is_known_what_is_right(cases):
    with (cases.folder / "cases.tsv").open() as table:
        assert {row["file"] for row in csv.DictReader(table, delimiter="\t")} == set(RIGHT)


@pytest.mark.parametrize("name", RIGHT)
def test_a_shared_file_is_taken_rightly(cases, name):
    assert [right(cases, name) for right in RIGHT[name]] == [True] * len(RIGHT[name])
