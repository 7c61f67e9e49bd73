"""What becomes of every test file that pydicom and nibabel bring along: the first rule that fits holds."""

from fnmatch import fnmatch
from pathlib import Path

import nibabel
import pydicom

PYDICOM = Path(pydicom.__file__).parent / "data"
NIBABEL = Path(nibabel.__file__).parent

READ = "read"
PYDICOM_RULES = (
    # Ultrasound and MR, in every transfer syntax a codec is at hand for.
    ("*/MR_truncated.dcm", "undecodable"),
    ("*/MR_small*.dcm", READ),
    ("*/ExplVR_BigEnd.dcm", READ),
    ("*/examples_*.dcm", READ),
    # No modality stated, so nothing contradicts the declared one.
    ("*/SC_jpeg_no_color_transform*.dcm", READ),
    ("*/SC_rgb_jls_lossy_*.dcm", READ),
    ("*/SC_rgb_jpeg_app14_dcmd.dcm", READ),
    ("*/GDCMJ2K_TextGBR.dcm", READ),
    ("*/JPEGLSNearLossless_*.dcm", "dimensions"),  # 10 pixels wide
    # Secondary captures (OT) say nothing of what they show.
    ("*/SC_rgb_small_odd*.dcm", "dimensions"),
    ("*/SC_*.dcm", READ),
    ("*/image_dfl.dcm", READ),
    # Another modality: CT, CR, NM.
    ("*/CT_small.dcm", "modality_mismatch"),
    ("*/693_J2KI.dcm", "modality_mismatch"),
    ("*/J2K_pixelrep_mismatch.dcm", "modality_mismatch"),
    ("*/JPEG*.dcm", "modality_mismatch"),
    ("*/JPGExtended.dcm", "modality_mismatch"),
    ("*/77654033/*", "modality_mismatch"),
    ("*/98892001/*", "modality_mismatch"),
    ("*/98892003/*", "dimensions"),  # MR of 16 x 16 pixels
    # No picture of a scan inside: plans, doses, segmentations, reports, waveforms, stripped images.
    ("*/liver_*.dcm", "no_pixel_data"),
    ("*/rtdose*.dcm", "no_pixel_data"),
    ("*/rtplan.dcm", "no_pixel_data"),
    ("*/rtplan_truncated.dcm", "undecodable"),
    ("*/reportsi*.dcm", "no_pixel_data"),
    ("*/test-SR.dcm", "no_pixel_data"),
    ("*/waveform_ecg.dcm", "no_pixel_data"),
    ("*/UN_sequence.dcm", "no_pixel_data"),
    ("*/priv_SQ.dcm", "no_pixel_data"),
    ("*/empty_charset_LEI.dcm", "no_pixel_data"),
    ("*/no_meta_group_length.dcm", "no_pixel_data"),
    ("*/TINY_ALPHA/PT*", "no_pixel_data"),
    ("*/chr*Multi*.dcm", "no_pixel_data"),
    ("*/chrSQEncoding*.dcm", "no_pixel_data"),
    # Broken headers.
    ("*/badVR.dcm", "frames"),
    ("*/meta_missing_tsyntax.dcm", "undecodable"),
    ("*/nested_priv_SQ.dcm", "undecodable"),
    # DICOMDIR, files without the DICM prefix, and files that are no DICOM.
    ("*", "unsupported_type"),
)
CHARSETS_WITH_A_PICTURE = {
    f"chr{name}.dcm"
    for name in ("Arab", "Fren", "FrenMulti", "Germ", "Greek", "H31", "H32", "Hbrw", "I2", "Russ", "X1", "X2")
}
NIBABEL_RULES = (
    ("*/[01].dcm", "frames"),  # mosaics
    ("*/decimal_rescale.dcm", READ),
    ("*/slicethickness_empty_string.dcm", READ),
    ("*/csa_slice_norm.dcm", "frames"),
    ("*/anatomical.nii", READ),
    ("*/resampled_anat_moved.nii", "dimensions"),
    ("*/nifti[12].hdr", "undecodable"),  # the voxels are elsewhere
    ("*/*.nii", "dimensions"),  # four axes, or under 32 pixels
    ("*/*.nii.gz", "dimensions"),
    ("*", "unsupported_type"),
)


def pydicom_files() -> list[Path]:
    return sorted(path for path in PYDICOM.glob("*_files/**/*") if path.is_file() and path.suffix != ".py")


def nibabel_files() -> list[Path]:
    folders = (NIBABEL / "tests" / "data", NIBABEL / "nicom" / "tests" / "data")
    return sorted(path for folder in folders for path in folder.iterdir() if path.is_file())


def expected(path: Path) -> str:
    """The outcome the rules above promise for one file."""
    if path.name in CHARSETS_WITH_A_PICTURE:
        return READ  # OT
    rules = PYDICOM_RULES if path.is_relative_to(PYDICOM) else NIBABEL_RULES
    return next(outcome for pattern, outcome in rules if fnmatch(path.as_posix(), pattern))
