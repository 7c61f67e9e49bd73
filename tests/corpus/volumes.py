"""NIfTI volumes with a story: which corner is which, and how they lie in space."""

import gzip
import io
import itertools
from collections.abc import Iterator
from typing import Any

import nibabel
import numpy as np

# Unequal sides and spacings, so that no two axes can be confused.
RAS_SHAPE = (40, 48, 36)
RAS_SPACING = (0.8, 0.9, 1.1)


def marked() -> np.ndarray:
    """A volume whose axes run to the patient's right, front and head, with a block of its own at each end."""
    volume = np.zeros(RAS_SHAPE, dtype=np.int16)
    volume[-8:, 20:28, 14:22] = 1000  # right
    volume[16:24, -8:, 14:22] = 2000  # front
    volume[16:24, 20:28, -8:] = 3000  # head
    return volume


def affines() -> Iterator[tuple[str, np.ndarray, tuple[int, ...], tuple[int, ...]]]:
    """All 48 ways to store a volume along the axes: (name, affine, axis order, signs)."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            matrix = np.eye(4)
            matrix[:3, :3] = 0
            for stored, (world, sign) in enumerate(zip(order, signs, strict=True)):
                matrix[world, stored] = sign * RAS_SPACING[world]
            yield "".join(nibabel.aff2axcodes(matrix)), matrix, order, signs


def stored_as(volume: np.ndarray, order: tuple[int, ...], signs: tuple[int, ...]) -> np.ndarray:
    """The RAS volume as a file with that axis order and those signs holds it."""
    turned = volume.transpose(order)
    return turned[tuple(slice(None, None, sign) for sign in signs)]


def file(
    voxels: np.ndarray,
    affine: np.ndarray | None = None,
    *,
    packed: bool = False,
    version: int = 1,
    **fields: Any,
) -> bytes:
    """A .nii or .nii.gz file. `fields` are written into the header's bytes as they are: nibabel would
    refuse or correct some of them.
    """
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    image = kind(voxels, np.eye(4) if affine is None else affine, dtype=voxels.dtype)
    image.header.set_xyzt_units("mm")
    content = bytearray(image.to_bytes())
    header = np.frombuffer(content, dtype=image.header.template_dtype, count=1).copy()
    for name, value in fields.items():
        header[name] = value
    content[: header.nbytes] = header.tobytes()
    return gzip.compress(bytes(content), 6) if packed else bytes(content)


def packed_in_members(content: bytes, size: int) -> bytes:
    """gzip in several members, as parallel compressors write it."""
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    return b"".join(gzip.compress(part) for part in parts)


def endless(header: bytes, mebibytes: int) -> bytes:
    """A gzip stream that starts as the given NIfTI file and goes on with zeros."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=9) as packed:
        packed.write(header)
        for _ in range(mebibytes):
            packed.write(bytes(1 << 20))
    return stream.getvalue()
