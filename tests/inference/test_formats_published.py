"""Files other people made: pydicom's and nibabel's own test data, and the real scans."""

import nibabel
import numpy as np
import pydicom
import pytest
from corpus.published import expected, nibabel_files, pydicom_files
from corpus.reading import decode, outcome

from inference.formats import read
from refusals import Refusal

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
SAMPLE = (
    "MR_small_RLE.dcm",
    "examples_ybr_color.dcm",
    "badVR.dcm",
    "rtplan.dcm",
    "DICOMDIR",
    "anatomical.nii",
)


def modality_of(path) -> str:
    """Ultrasound where the file says so; MRI is declared for everything else."""
    try:
        stated = pydicom.dcmread(path, specific_tags=["Modality"]).get("Modality")
    except (pydicom.errors.InvalidDicomError, ValueError):
        return "mri"
    return "ultrasound" if stated == "US" else "mri"


@pytest.mark.parametrize("path", [*pydicom_files(), *nibabel_files()], ids=lambda path: path.name)
def test_every_published_file_is_read_or_refused_with_its_reason(path):
    assert outcome(path.read_bytes(), modality_of(path), path.name) == expected(path)


def test_there_are_as_many_published_files_as_the_rules_were_written_for():
    assert len(pydicom_files()) >= 190
    assert len(nibabel_files()) >= 95


@pytest.mark.parametrize(
    "path",
    [path for path in [*pydicom_files(), *nibabel_files()] if path.name in SAMPLE],
    ids=lambda path: path.name,
)
def test_the_child_comes_to_the_same_verdict(path):
    if expected(path) == "read":
        stack = read(path, modality=modality_of(path))
        np.testing.assert_array_equal(stack.pixels, decode(path.read_bytes(), modality_of(path)).pixels)
    else:
        with pytest.raises(Refusal) as refusal:
            read(path, modality=modality_of(path))
        assert refusal.value.code == expected(path)


@pytest.mark.data
def test_every_real_ultrasound_picture_is_read(data_dir):
    files = sorted((data_dir / "ultrasound").rglob("*.jpg"))
    assert files
    for path in files:
        stack = decode(path.read_bytes(), "ultrasound", path.name)
        assert stack.pixels.dtype == np.uint8
        assert stack.pixels.shape[0] == 1
        assert stack.pixels.std() > 1
        assert stack.pixel_spacing is None


@pytest.mark.data
def test_every_real_volume_is_read_axial_with_its_spacing(data_dir):
    files = sorted((data_dir / "mri").rglob("srr.nii.gz"))
    assert files
    for path in files:
        stack = decode(path.read_bytes(), "mri", path.name)
        assert (stack.plane, stack.is_volume) == ("axial", True)
        assert stack.pixel_spacing == pytest.approx((0.8, 0.8), abs=1e-5)
        slope, intercept = stack.rescale
        values = np.asanyarray(nibabel.load(path).dataobj)
        assert stack.pixels.max() * slope + intercept == pytest.approx(float(values.max()), rel=1e-4)
        assert stack.pixels.sum() * slope == pytest.approx(float(values.sum(dtype=float)), rel=1e-3)


@pytest.mark.data
def test_one_real_scan_of_each_kind_goes_through_the_child(data_dir):
    picture = next(iter(sorted((data_dir / "ultrasound").rglob("*.jpg"))))
    volume = next(iter(sorted((data_dir / "mri").rglob("srr.nii.gz"))))
    assert read(picture, modality="ultrasound").source_format == "jpeg"
    assert read(volume, modality="mri").is_volume
