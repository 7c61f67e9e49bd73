"""Phantoms as files that say plainly what they are."""

import io
import json
from collections.abc import Mapping
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

PNG_KEYWORD = "ventra-phantom"


def png_bytes(pixels: NDArray[np.uint8], marks: Mapping[str, Any]) -> bytes:
    """Grey PNG of (rows, columns) with the marks as JSON in the text chunk `ventra-phantom`."""
    text = PngImagePlugin.PngInfo()
    text.add_text(PNG_KEYWORD, json.dumps(dict(marks), sort_keys=True))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", pnginfo=text, compress_level=3)
    return file.getvalue()


def nifti_bytes(pixels: NDArray[np.uint8], pixel_spacing: tuple[float, float], slice_spacing: float) -> bytes:
    """NIfTI-1 of (slices, rows, columns): columns run to the patient's left, rows backwards, slices up."""
    affine = np.diag([-pixel_spacing[1], -pixel_spacing[0], slice_spacing, 1.0])
    picture = nibabel.Nifti1Image(np.ascontiguousarray(pixels.transpose(2, 1, 0)), affine)  # type: ignore[no-untyped-call]
    picture.header["descrip"] = b"ventra-phantom: synthetic"
    picture.header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    content: bytes = picture.to_bytes()
    return content
