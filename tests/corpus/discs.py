"""A disc of 30 mm in every kind of file that states the proportion of its pixels."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import nibabel
import numpy as np
from corpus import dicoms
from corpus.pictures import saved
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

DIAMETER = 30.0
HIGH, WIDE = 36.0, 48.0
"""Millimetres of the whole picture."""
FINE = 0.15
GROUND, DISC = 40, 230


@dataclass(frozen=True)
class Drawn:
    """spacing: mm (between rows, between columns) as drawn. scale: whether the file states mm."""

    file: bytes
    modality: str
    name: str
    spacing: tuple[float, float]
    scale: bool


def disc(down: float, across: float) -> np.ndarray:
    """(rows, columns) of pixels `down` mm high and `across` mm wide, smooth at its edge."""
    rows, columns = round(HIGH / down), round(WIDE / across)
    y, x = (
        (np.arange(4 * count) + 0.5) / 4 * side - 0.5 * count * side
        for count, side in ((rows, down), (columns, across))
    )
    inside = np.hypot(*np.meshgrid(y, x, indexing="ij")) < DIAMETER / 2
    share = inside.reshape(rows, 4, columns, 4).mean(axis=(1, 3))
    return np.rint(GROUND + (DISC - GROUND) * share).astype(np.uint8)


def region(down: float, across: float, box: tuple[int, int, int, int] | None = None) -> Dataset:
    """A 2-D region of an ultrasound picture, in mm a pixel. box: its first row and column, its last ones."""
    made = Dataset()
    made.RegionSpatialFormat = 1
    made.PhysicalUnitsXDirection = made.PhysicalUnitsYDirection = 3
    made.PhysicalDeltaY, made.PhysicalDeltaX = down / 10, across / 10
    if box:
        top, left, bottom, right = box
        made.RegionLocationMinY0, made.RegionLocationMinX0 = top, left
        made.RegionLocationMaxY1, made.RegionLocationMaxX1 = bottom, right
    return made


def dicom(**stated: object) -> Callable[[float, float], bytes]:
    return lambda down, across: dicoms.file(disc(down, across), modality="US", **stated)


def spaced(keyword: str) -> Callable[[float, float], bytes]:
    return lambda down, across: dicom(**{keyword: [down, across]})(down, across)


def ratio(down: float, across: float) -> bytes:
    """PixelAspectRatio is of whole numbers: the height of a pixel, then its width."""
    return dicom(PixelAspectRatio=[round(100 * down), round(100 * across)])(down, across)


def regions(down: float, across: float) -> bytes:
    return dicom(SequenceOfUltrasoundRegions=Sequence([region(down, across)]))(down, across)


def grouped(down: float, across: float) -> bytes:
    """Enhanced: in the shared functional groups."""
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [down, across]
    shared.PixelMeasuresSequence = Sequence([measures])
    return dicom(SharedFunctionalGroupsSequence=Sequence([shared]))(down, across)


def nifti(down: float, across: float) -> bytes:
    """Three axial slices, 4 mm apart: the first axis runs to the right, the second to the front."""
    volume = np.repeat(disc(down, across)[::-1].T[..., None], 8, axis=2)
    image = nibabel.Nifti1Image(volume, np.diag([across, down, 4.0, 1.0]))
    return image.to_bytes()


def picture(form: str) -> Callable[[float, float], bytes]:
    """Its density counts pixels: there are fewer where they are longer."""
    return lambda down, across: saved(disc(down, across), form, dpi=(round(30 / across), round(30 / down)))


def gif(down: float, across: float) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(disc(down, across)).save(stream, "GIF")
    file = bytearray(stream.getvalue())
    file[:6], file[12] = b"GIF89a", round(64 * across / down) - 15
    return bytes(file)


def _kind(
    make: Callable[[float, float], bytes], name: str, squeeze: float, *, scale: bool, look: str = ""
) -> Drawn:
    """squeeze: width over height of a pixel."""
    down, across = FINE * max(1 / squeeze, 1.0), FINE * max(squeeze, 1.0)
    return Drawn(make(down, across), look or "ultrasound", name, (down, across), scale)


KINDS = {
    "PixelSpacing 1:1.25": _kind(spaced("PixelSpacing"), "a.dcm", 1.25, scale=True),
    "PixelSpacing 1:2": _kind(spaced("PixelSpacing"), "b.dcm", 2.0, scale=True),
    "PixelSpacing 1.5:1": _kind(spaced("PixelSpacing"), "c.dcm", 1 / 1.5, scale=True),
    "ImagerPixelSpacing": _kind(spaced("ImagerPixelSpacing"), "d.dcm", 1.5, scale=True),
    "regions": _kind(regions, "e.dcm", 1.5, scale=True),
    "functional groups": _kind(grouped, "f.dcm", 0.5, scale=True),
    "NIfTI": _kind(nifti, "g.nii", 1.5, scale=True, look="mri"),
    "PixelAspectRatio": _kind(ratio, "h.dcm", 2.0, scale=False),
    "JPEG density": _kind(picture("JPEG"), "i.jpg", 1.5, scale=False),
    "PNG density": _kind(picture("PNG"), "j.png", 0.5, scale=False),
    "TIFF resolution": _kind(picture("TIFF"), "k.tif", 1.25, scale=False),
    "GIF aspect": _kind(gif, "l.gif", 1.5, scale=False),
}


def roundness(grey: np.ndarray) -> float:
    """Height over width of what is bright in a picture (rows, columns), by its second moments."""
    rows, columns = np.nonzero(grey > (GROUND + DISC) / 2)
    return float(np.std(rows) / np.std(columns))
