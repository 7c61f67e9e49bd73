"""Compressed DICOM: pixels are the codec's, and twins show one picture."""

import io
import re

import numpy as np
import pydicom
import pytest
from corpus.dicoms import PYDICOM_FILES, as_modality
from corpus.reading import decode

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def luma_of_whole_file(content: bytes) -> np.ndarray:
    """What pydicom makes of the file by itself, as luma in original values."""
    whole = pydicom.dcmread(io.BytesIO(content))
    values = whole.pixel_array.astype(float)
    values = values @ [0.299, 0.587, 0.114] if whole.SamplesPerPixel == 3 else values
    return values * float(whole.get("RescaleSlope", 1)) + float(whole.get("RescaleIntercept", 0))


# Files whose modality is not ours are read all the same once its two letters are changed.
COMPRESSED = [
    *sorted(path.name for path in PYDICOM_FILES.glob("SC_rgb_*.dcm") if not re.search("small|KY", path.name)),
    "SC_jpeg_no_color_transform.dcm",
    "SC_jpeg_no_color_transform_2.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "CT_small.dcm",
    "693_J2KI.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "examples_jpeg2k.dcm",
    "examples_ybr_color.dcm",
    "MR_small_jp2klossless.dcm",
]


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_pixels_are_those_of_the_codec(name):
    content = as_modality((PYDICOM_FILES / name).read_bytes(), "US")
    stack = decode(content, "ultrasound")
    slope, intercept = stack.rescale
    expected = luma_of_whole_file(content).reshape(stack.pixels.shape)
    np.testing.assert_allclose(stack.pixels * slope + intercept, expected, atol=0.51 * slope)


TWINS = [
    ("MR_small.dcm", "MR_small_RLE.dcm", 0),
    ("MR_small.dcm", "MR_small_bigendian.dcm", 0),
    ("MR_small.dcm", "MR_small_expb.dcm", 0),
    ("MR_small.dcm", "MR_small_implicit.dcm", 0),
    ("MR_small.dcm", "MR_small_jp2klossless.dcm", 0),
    ("MR_small.dcm", "MR_small_jpeg_ls_lossless.dcm", 0),
    ("MR_small.dcm", "MR_small_padded.dcm", 0),
    ("SC_rgb_rle.dcm", "SC_rgb_jpeg_gdcm.dcm", 0),
    ("SC_rgb_jpeg_dcmd.dcm", "SC_rgb_jpeg.dcm", 0),
    ("SC_rgb_jpeg_dcmd.dcm", "SC_jpeg_no_color_transform.dcm", 0),
    ("SC_rgb_jpeg_app14_dcmd.dcm", "SC_jpeg_no_color_transform_2.dcm", 0),
    ("SC_rgb_jls_lossy_line.dcm", "SC_rgb_jls_lossy_sample.dcm", 0),
    ("SC_rgb_rle.dcm", "SC_rgb_jls_lossy_line.dcm", 2),
    ("SC_rgb_rle.dcm", "SC_rgb_dcmtk_+eb+cr.dcm", 2),
    ("SC_rgb_rle.dcm", "SC_rgb_dcmtk_+eb+cy+n2.dcm", 3),
    ("SC_rgb_rle.dcm", "SC_ybr_full_422_uncompressed.dcm", 3),
]


@pytest.mark.parametrize(("plain", "packed", "tolerance"), TWINS)
def test_compressed_twins_show_the_same_picture(plain, packed, tolerance):
    one, two = (
        decode(as_modality((PYDICOM_FILES / name).read_bytes(), "MR"), "mri") for name in (plain, packed)
    )
    np.testing.assert_allclose(one.pixels.astype(int), two.pixels.astype(int), atol=tolerance)
    if tolerance == 0:
        assert one.rescale == two.rescale
