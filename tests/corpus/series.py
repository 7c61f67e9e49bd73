"""Folders as hospitals send them: a series of single slices, a localiser, a report, a text file."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import pydicom
from corpus import dicoms
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

SERIES = "1.2.826.0.1.3680043.8.498.1"
STEP = 3.0


def voxels(slices: int = 6, seed: int = 1) -> np.ndarray:
    """(slices, 40, 48) of uint16, each slice its own."""
    return np.random.default_rng(seed).integers(0, 900, (slices, 40, 48)).astype(np.uint16)


def slice_file(pixels: np.ndarray, place: int, *, series: str = SERIES, **attributes: Any) -> bytes:
    """One slice as a file; place: of the slice along the normal, from 0."""
    said = {
        "SOPInstanceUID": f"{series}.{place}",
        "SeriesInstanceUID": series,
        "StudyInstanceUID": "1.2.826.0.1.3680043.8.498",
        "SeriesNumber": 3,
        "SeriesDescription": "T2 coronal",
        "InstanceNumber": 100 - place,
        "PatientID": "P-1",
        "PixelSpacing": [0.8, 0.8],
        "SliceThickness": STEP,
        "ImagePositionPatient": [-12.5, -30.25, STEP * place],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    }
    return dicoms.file(pixels, **(said | attributes))


def slice_files(volume: np.ndarray | None = None, **attributes: Any) -> dict[str, bytes]:
    """By their names, in an order that is not that of the slices."""
    volume = voxels() if volume is None else volume
    places = np.random.default_rng(len(volume)).permutation(len(volume))
    return {
        f"study/IM{number:03}": slice_file(volume[place], int(place), **attributes)
        for number, place in enumerate(places)
    }


def multi_frame(
    volume: np.ndarray, orientation: Sequence[float] = (1, 0, 0, 0, 1, 0), **attributes: Any
) -> bytes:
    """The same volume as one enhanced file, in the order of its slices."""
    made = dicoms.dataset(volume, SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1", **attributes)
    shared = Dataset()
    shared.PixelMeasuresSequence = [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = [0.8, 0.8]
    shared.PixelMeasuresSequence[0].SliceThickness = STEP
    shared.PlaneOrientationSequence = [Dataset()]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = list(orientation)
    made.SharedFunctionalGroupsSequence = [shared]
    made.PerFrameFunctionalGroupsSequence = [_frame(place, orientation) for place in range(len(volume))]
    made.PixelData = volume.tobytes()
    made["PixelData"].VR = "OW"
    return dicoms.written(made, ExplicitVRLittleEndian)


def position(place: int, orientation: Sequence[float]) -> list[float]:
    """ImagePositionPatient of a slice so many steps along the normal."""
    normal = np.cross(orientation[:3], orientation[3:])
    return [float(one) for one in np.array([-12.5, -30.25, 0.0]) + STEP * place * normal]


def _frame(place: int, orientation: Sequence[float]) -> Dataset:
    frame = Dataset()
    frame.PlanePositionSequence = [Dataset()]
    frame.PlanePositionSequence[0].ImagePositionPatient = position(place, orientation)
    return frame


def localiser() -> bytes:
    return slice_file(
        voxels(1)[0],
        0,
        series=f"{SERIES}.7",
        SeriesNumber=1,
        SeriesDescription="localiser",
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )


def report(number: int) -> bytes:
    """A structured report without any picture."""
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    made.SOPInstanceUID = f"1.2.3.{number}"
    made.Modality = "SR"
    made.PatientID = "P-1"
    made.SeriesInstanceUID = f"{SERIES}.8"
    made.SeriesDescription = f"Report {'I' * number}"[:6]
    return dicoms.written(made)


def folder(volume: np.ndarray | None = None) -> dict[str, bytes]:
    """Two series, two reports and a text file."""
    other = slice_files(
        voxels(4, seed=2), series=f"{SERIES}.9", SeriesNumber=4, SeriesDescription="T2 sagittal",
        ImageOrientationPatient=[0, 1, 0, 0, 0, 1],
    )  # fmt: skip
    # along x now: the same positions would not lie behind one another
    moved = {
        f"study/other/{name[-5:]}": _turned(content, place)
        for place, (name, content) in enumerate(sorted(other.items()))
    }
    return {
        **slice_files(volume),
        **moved,
        "study/LOC": localiser(),
        "study/SR1": report(1),
        "study/SR2": report(2),
        "study/notes.txt": b"The fetus moved a little.\n",
    }


def _turned(content: bytes, place: int) -> bytes:
    made = pydicom.dcmread(io.BytesIO(content))
    made.ImagePositionPatient = [STEP * place, 5.0, 7.0]
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, made)
    return stream.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()
