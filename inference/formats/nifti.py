"""NIfTI volumes through nibabel: axial frames, foot to head.

The volume is turned, never resampled, to the nearest of the 48 axis-aligned orientations: frames go from
foot to head, rows from anterior (top) to posterior, columns from the patient's right (left of the picture)
to the patient's left. That is the radiologist's view. "Axial" is what the file's own affine calls axial.

Whole-number voxels keep their values; others are spread over uint16. NaN, which masks the background in
reconstructions, becomes no signal (0, or the least value); infinity is refused.
"""

import gzip
import io
import zlib
from typing import Any

import nibabel as untyped_nibabel
import numpy as np

from inference.formats.headers import nifti
from inference.formats.levels import Numbers, Rescale, inverted, unsigned, without_nan
from inference.formats.limits import MIB, check_stack
from inference.formats.orientation import affine_of, turn_of, turned
from inference.formats.source import Source
from inference.formats.spacing import plausible
from inference.formats.stack import PictureStack
from refusals import Refusal

TRAILING_BYTES = MIB  # after the voxels; some writers pad
SPACING_TOLERANCE = 0.01  # by how much the affine and pixdim may disagree
LEAST_VOLUME = 0.1  # spanned by the three unit axes; a sheared volume is no picture of anything
MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # xyzt_units: unknown (taken as mm), metre, mm, micron

nibabel: Any = untyped_nibabel
Image = Any


def decode(source: Source) -> PictureStack:
    """(slices, rows, columns) with the spacing of all three axes. The source has passed the gate."""
    image = _open(source.data)
    axes, stated_by = _affine(image)
    turn = turn_of(axes)
    voxels, rescale = _voxels(image)
    pixels, rescale = unsigned(turned(voxels, turn), rescale)
    frames, rows, columns = pixels.shape
    slice_spacing, *pixel_spacing = _spacing(image)[np.argsort(turn[:, 0])]
    check_stack(frames, rows, columns, pixels.itemsize, pixel_spacing[0] / pixel_spacing[1])
    return PictureStack(
        pixels=pixels,
        modality=source.modality,
        original_sha256=source.sha256,
        source_format="nifti",
        plane="axial",
        pixel_spacing=(float(pixel_spacing[0]), float(pixel_spacing[1])),
        pixel_spacing_source="NIfTI pixdim",
        slice_spacing=float(slice_spacing),
        affine=affine_of(_in_millimetres(axes, image), voxels.shape, turn),
        affine_source=stated_by,
        rescale=rescale,
    )


def _open(data: bytes) -> Image:
    """The image over bytes in memory; a gzip stream is inflated no further than its header promises."""
    header = nifti.inspect(data)
    content = _inflated(data, header.total_bytes) if data[:2] == nifti.GZIP else data
    loader = nibabel.Nifti1Image if header.version == 1 else nibabel.Nifti2Image
    return loader.from_bytes(content)


def _inflated(data: bytes, expected: int) -> bytes:
    """Also reads gzip files of several members, and checks their CRC by reading to the end."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            content = stream.read(expected)
            rest = stream.read(TRAILING_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise Refusal("undecodable", "The NIfTI file's gzip stream is damaged or cut short.") from None
    if len(content) < expected:
        raise Refusal("undecodable", "The NIfTI file is cut short.")
    if len(rest) > TRAILING_BYTES:
        raise Refusal("decompression_bomb", "The NIfTI file goes on inflating after its last voxel.")
    return content


def _affine(image: Image) -> tuple[Numbers, str]:
    """The file's one orientation, and which of its two matrices says it.

    Code `affine` when there is none, it is singular, or two contradict.
    """
    header = image.header
    both = (("NIfTI sform", header.get_sform(True)), ("NIfTI qform", header.get_qform(True)))
    names = [name for name, (_, code) in both if code]
    stated = [matrix for _, (matrix, code) in both if code]
    if len(stated) > 1 and not _is_true_to_size(stated[0], header):
        stated = stated[1:]  # an sform into a template stretches; the qform, which cannot, is the scanner's
    if not stated:
        raise Refusal("affine", "The NIfTI file does not say how the volume lies in space.")
    for matrix in stated:
        if not _spans_space(matrix[:3, :3]):
            raise Refusal("affine", "The NIfTI file states an impossible orientation.")
    if len({nibabel.aff2axcodes(matrix) for matrix in stated}) > 1:
        raise Refusal("affine", "The NIfTI file states two orientations (sform, qform) that contradict.")
    return np.asarray(stated[0]), names[-len(stated)]


def _in_millimetres(axes: Numbers, image: Image) -> Numbers:
    scaled = axes.astype(np.float64)
    scaled[:3] *= MM_PER_UNIT.get(int(image.header["xyzt_units"]) & 7, 0.0)
    return scaled


def _is_true_to_size(matrix: Numbers, header: Any) -> bool:
    """Whether an affine has the voxel sizes that pixdim states."""
    sizes = np.asarray(header["pixdim"][1:4], dtype=np.float64)
    return bool(np.allclose(nibabel.affines.voxel_sizes(matrix), sizes, rtol=SPACING_TOLERANCE, atol=0.0))


def _spans_space(axes: Numbers) -> bool:
    """The three axes, whatever their unit, are finite and do not lie in one plane."""
    lengths = np.linalg.norm(axes, axis=0)
    if not np.isfinite(axes).all() or not lengths.all():
        return False
    return bool(abs(np.linalg.det(axes / lengths)) > LEAST_VOLUME)


def _spacing(image: Image) -> Numbers:
    """Millimetres along the three stored axes, from pixdim, which the affine must bear out."""
    pixdim = np.asarray(image.header["pixdim"][1:4], dtype=np.float64)
    by_affine = nibabel.affines.voxel_sizes(_affine(image)[0])
    if not np.allclose(pixdim, by_affine, rtol=SPACING_TOLERANCE, atol=0.0):
        raise Refusal("affine", "The NIfTI file states two voxel sizes (pixdim, affine) that contradict.")
    sizes = pixdim * MM_PER_UNIT.get(int(image.header["xyzt_units"]) & 7, 0.0)
    if not all(plausible(float(size), float(size)) for size in sizes):
        raise Refusal("affine", "The NIfTI file states an impossible voxel size.")
    return sizes


def _voxels(image: Image) -> tuple[Numbers, Rescale]:
    """Three axes as stored, in native byte order, more signal brighter, with the header's scaling."""
    stored = np.asarray(image.dataobj.get_unscaled())
    values = stored.reshape((*stored.shape, 1, 1)[:3])
    values = without_nan(values.astype(values.dtype.newbyteorder("="), copy=False))
    rescale = float(image.dataobj.slope), float(image.dataobj.inter)
    return inverted(values, 8 * values.dtype.itemsize, rescale) if rescale[0] < 0 else (values, rescale)
