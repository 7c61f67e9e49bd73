"""PNG of 16 bits in colour or with transparency through OpenCV, which keeps its depth; Pillow would not.

Transparency shows black behind it, colour becomes BT.601 luma, as for other pictures.
"""

import cv2
import numpy as np

from inference.formats.headers import png
from inference.formats.levels import Numbers, luma
from inference.formats.source import Source
from inference.formats.spacing import aspect_by_density
from inference.formats.stack import PictureStack
from refusals import Refusal

OPAQUE = 65_535


def decode(source: Source) -> PictureStack:
    """One frame of 16 bits, (1, rows, columns). The source has passed the gate."""
    values = cv2.imdecode(np.frombuffer(source.data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16:
        raise Refusal("undecodable", "The PNG file is damaged.")
    return PictureStack(
        pixels=_grey(values)[np.newaxis],
        modality=source.modality,
        original_sha256=source.sha256,
        source_format="png",
        pixel_aspect=aspect_by_density(png.density(source.data)),
    )


def _grey(values: Numbers) -> Numbers:
    """(rows, columns) from blue, green, red and, where there is one, alpha."""
    if values.ndim == 2:
        return values
    grey = luma(values[..., 2::-1])
    if values.shape[2] < 4:
        return grey
    shown = (grey.astype(np.uint64) * values[..., 3] + OPAQUE // 2) // OPAQUE
    return np.asarray(shown, np.uint16)
