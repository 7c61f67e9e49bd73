"""A picture stack at rest: the pixels as one .npy blob, everything else as a row."""

import io
from dataclasses import replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from blobs import store
from blobs.models import Blob
from inference.formats.spacing import CALIBRATED
from inference.formats.stack import Modality, PictureStack, Pixels
from inference.models import Image, Job


def npy(array: NDArray[Any]) -> bytes:
    """The array as an .npy file; never pickled."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def put_pixels(stack: PictureStack) -> Blob:
    """Store the decoded pixels: the slow part, to be done before a transaction."""
    return store.put(npy(stack.pixels))


def create(stack: PictureStack, *, original: Blob, pixels: Blob) -> Image:
    """The row for a stack whose bytes are already stored."""
    frames, rows, columns = stack.pixels.shape
    return Image.objects.create(
        modality=stack.modality,
        original=original,
        source_format=stack.source_format,
        pixels=pixels,
        frames=frames,
        rows=rows,
        columns=columns,
        bits=8 * stack.pixels.itemsize,
        plane=stack.plane,
        row_spacing=stack.pixel_spacing[0] if stack.pixel_spacing else None,
        column_spacing=stack.pixel_spacing[1] if stack.pixel_spacing else None,
        pixel_spacing_source=stack.pixel_spacing_source,
        pixel_aspect=stack.pixel_aspect,
        regions=[one.as_json() for one in stack.regions],
        slice_spacing=stack.slice_spacing,
        affine=[[*row] for row in stack.affine] if stack.affine else None,
        affine_source=stack.affine_source,
        rescale_slope=stack.rescale[0],
        rescale_intercept=stack.rescale[1],
        window_center=stack.window[0] if stack.window else None,
        window_width=stack.window[1] if stack.window else None,
        acquisition=dict(stack.acquisition),
    )


def stack_of(image: Image) -> PictureStack:
    """The stack again, its pixels verified against their hash; raises BlobCorrupt and BlobUnavailable."""
    return PictureStack(
        pixels=load_npy(image.pixels_id),
        modality=_modality(image),
        original_sha256=image.original_id,
        source_format=image.source_format,  # type: ignore[arg-type]  # only formats.read wrote it
        plane=image.plane,  # type: ignore[arg-type]
        pixel_spacing=image.spacing,
        pixel_spacing_source=image.pixel_spacing_source,
        pixel_aspect=image.pixel_aspect,
        regions=image.parts,
        slice_spacing=image.slice_spacing,
        affine=tuple(tuple(row) for row in image.affine) if image.affine else None,
        affine_source=image.affine_source,
        rescale=(image.rescale_slope, image.rescale_intercept),
        window=_pair(image.window_center, image.window_width),
        acquisition=image.acquisition,
    )


def stack_for(job: Job) -> PictureStack:
    """The stack as a job is to read it: by the spacing that a reader has calibrated where it names one.

    Raises BlobCorrupt and BlobUnavailable.
    """
    stack = stack_of(job.scan[0])
    calibrated = job.parameters.get(CALIBRATED)
    if calibrated is None:
        return stack
    rows, columns = calibrated["pixel_spacing"]
    return replace(stack, pixel_spacing=(rows, columns), pixel_spacing_source=CALIBRATED)


def load_npy(sha256: str) -> Pixels:
    """An array blob, verified."""
    array: Pixels = np.load(io.BytesIO(store.read(sha256)), allow_pickle=False)
    return array


def frame(sha256: str, index: int) -> NDArray[Any]:
    """One frame of an array blob without reading the others; IndexError past the end."""
    with store.open_unverified(sha256) as file:
        (frames, *shape), dtype = header(file)
        if not 0 <= index < frames:
            raise IndexError(index)
        size = int(np.prod(shape)) * dtype.itemsize
        file.seek(index * size, io.SEEK_CUR)
        return np.frombuffer(file.read(size), dtype).reshape(shape)


def header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and kind of the array in an .npy file, whose place is then its first value."""
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"unexpected .npy version {version}")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return shape, dtype


def _pair(first: float | None, second: float | None) -> tuple[float, float] | None:
    return None if first is None or second is None else (first, second)


def _modality(image: Image) -> Modality:
    return "mri" if image.modality == Image.Modality.MRI else "ultrasound"
