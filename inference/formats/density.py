"""The proportion of a pixel that a picture states by its density: JFIF, PNG pHYs, TIFF and BMP resolutions.

A density is that of a page or a screen, so its millimetres mean nothing here; but where it differs between
the directions, whoever wrote the file says that its pixels are not square.
"""

from PIL import ExifTags, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from inference.formats.headers import png
from inference.formats.limits import Data
from inference.formats.spacing import aspect_by_density

ON_ITS_SIDE = (5, 6, 7, 8)
"""EXIF orientations in which a stored row is a column as shown."""


def of_picture(picture: Image.Image, data: Data) -> float | None:
    """Height of a pixel over its width, as the picture is shown; None where it says nothing, or squares.

    To be asked before its pixels are loaded, which forgets how a TIFF lies.
    """
    if isinstance(picture, PngImagePlugin.PngImageFile):
        stored = aspect_by_density(png.density(data))
    elif isinstance(picture, TiffImagePlugin.TiffImageFile):
        tags = picture.tag_v2
        stored = aspect_by_density(
            (tags.get(TiffImagePlugin.X_RESOLUTION), tags.get(TiffImagePlugin.Y_RESOLUTION))
        )
    elif isinstance(picture, JpegImagePlugin.JpegImageFile):
        stored = aspect_by_density(picture.info.get("jfif_density"))
    else:
        stored = aspect_by_density(picture.info.get("dpi"))
    is_turned = picture.getexif().get(ExifTags.Base.Orientation) in ON_ITS_SIDE
    return 1 / stored if stored and is_turned else stored
