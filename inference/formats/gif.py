"""GIF through Pillow: one picture, or a loop in grey with the time from frame to frame."""

import io

import numpy as np
from PIL import Image

from inference.formats import motion
from inference.formats.headers import gif
from inference.formats.levels import Numbers
from inference.formats.limits import stride
from inference.formats.picture import grey_of
from inference.formats.source import Source
from inference.formats.stack import PictureStack


def decode(source: Source) -> PictureStack:
    """(frames, rows, columns). The source has passed the gate."""
    count = gif.inspect(source.data)
    with Image.open(io.BytesIO(source.data), formats=("GIF",)) as picture:
        step = stride(count, picture.width * picture.height)
        pixels: Numbers = np.empty((-(-count // step), picture.height, picture.width), np.uint8)
        lasted = 0.0
        for number in range(count):
            picture.seek(number)
            lasted += float(picture.info.get("duration") or 0)
            if number % step == 0:
                pixels[number // step] = grey_of(picture)
    words = motion.spoken(count=count, step=step, interval=lasted / count)
    return PictureStack(
        pixels=pixels,
        modality=source.modality,
        original_sha256=source.sha256,
        source_format="gif",
        pixel_aspect=gif.aspect(source.data),
        acquisition=words if count > 1 else {},
    )
