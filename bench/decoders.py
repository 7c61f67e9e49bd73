"""What is read here, held against decoders that share no code with it.

    python bench/decoders.py [FOLDER ...] [--json]

Every DICOM and NIfTI file of pydicom's and nibabel's test data, and of the folders named (those that
bench/highdicom_files.py writes, say), is read through the gate and the decoder, and again by whatever of
these is installed: SimpleITK (pip install SimpleITK; ITK's NIfTI reader, and GDCM with ITK's geometry),
dcmtk (apt install dcmtk; codecs of its own for JPEG, JPEG-LS, RLE, deflate and both byte orders) and
OpenJPEG for JPEG 2000, which GDCM reads here. Compared are the values that the file means (grey, or BT.601
luma of colour), the spacing, and of a volume the orientation: ITK turns it to LPS by its own affine, and the
frames have to be the same. Of DICOM volumes that are turned here, decoders that know no directions are asked
for the values alone.

A line says `equal`, or what differs. Luma and lossy codecs may round apart. It ends with 1 where a file
differs and no other decoder sides with what is read here. Files refused here are counted, and named with
--json.
"""

import argparse
import hashlib
import importlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
from numpy.typing import NDArray

from inference.formats import PictureStack
from inference.formats.gate import admit, program_for
from inference.formats.source import Source
from refusals import Refusal

OURS = (
    Path(pydicom.__file__).parent / "data" / "test_files",
    Path(nibabel.__file__).parent / "tests" / "data",
)
SUFFIXES = {".dcm", ".nii", ".gz"}
LUMA = np.array([0.299, 0.587, 0.114])
LOSSY = {
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.91",
}
ROUNDING, LUMA_ROUNDING, LOSSY_ROUNDING = 0.51, 1.01, 2.01
"""Luma is rounded; a codec's cosine transform is, too."""
SPACING_TOLERANCE = 1e-4
AFFINE_TOLERANCE = 1e-2  # mm
DCMTK = {
    "1.2.840.10008.1.2.4.50": "dcmdjpeg",
    "1.2.840.10008.1.2.4.51": "dcmdjpeg",
    "1.2.840.10008.1.2.4.57": "dcmdjpeg",
    "1.2.840.10008.1.2.4.70": "dcmdjpeg",
    "1.2.840.10008.1.2.4.80": "dcmdjpls",
    "1.2.840.10008.1.2.4.81": "dcmdjpls",
    "1.2.840.10008.1.2.5": "dcmdrle",
}
JPEG_2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
Values = NDArray[Any]
Seen = tuple[Values, tuple[float, ...] | None, Values | None]
"""(frames, rows, columns) as the file means them; mm of rows, columns and slices, as far as they are said."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    found = [
        line for folder in (*OURS, *options.folders) for file in files(folder) for line in compared(file)
    ]
    for line in found:
        if options.json:
            print(json.dumps(line))
        elif "oracle" in line:
            print(f"{line['file']:<48} {line['oracle']:<10} {line['verdict']}")
    judged = [line for line in found if "oracle" in line]
    differing = {line["file"] for line in judged if line["verdict"] != "equal"}
    alone = differing - {line["file"] for line in judged if line["verdict"] == "equal"}
    refused = sum("refused" in line for line in found)
    print(
        f"{len(judged)} comparisons; of {len(differing)} files a decoder differs, of {len(alone)} every one; "
        f"{refused} files refused here.",
        file=sys.stderr,
    )
    return int(bool(alone))


def files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES and path.is_file())


def compared(path: Path) -> Iterator[dict[str, Any]]:
    """One line for each decoder that reads the file too; one alone where it is refused here."""
    data = as_modality(path.read_bytes(), b"MR")
    try:
        stack = read_here(data)
    except Refusal as refusal:
        yield {"file": path.name, "refused": refusal.code}
        return
    except Exception:  # noqa: BLE001
        yield {"file": path.name, "refused": "undecodable"}
        return
    for name, oracle in ORACLES.items():
        seen = answer_of(oracle, data, stack.source_format)
        if seen is not None:
            yield {"file": path.name, "oracle": name, "verdict": verdict(stack, seen, data)}


def read_here(data: bytes) -> PictureStack:
    """As the child does, without one."""
    kind = admit(data, modality="mri")
    decode = importlib.import_module(program_for(data, kind)).decode
    stack: PictureStack = decode(Source(data, "mri", hashlib.sha256(data).hexdigest()))
    return stack


def as_modality(data: bytes, modality: bytes) -> bytes:
    """The same DICOM file, with only the two letters of its Modality changed."""
    pattern = rb"(\x08\x00\x60\x00(?:CS\x02\x00|\x02\x00\x00\x00)|\x00\x08\x00\x60CS\x00\x02)(..)"
    return re.sub(pattern, lambda found: found[1] + modality, data, count=1, flags=re.DOTALL)


def answer_of(oracle: Callable[[Path, str], Seen | None], data: bytes, kind: str) -> Seen | None:
    """None where the decoder is not installed or does not read the file."""
    packed = kind == "nifti" and data[:2] == b"\x1f\x8b"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("file.dcm" if kind == "dicom" else "file.nii.gz" if packed else "file.nii")
        path.write_bytes(data)
        try:
            return oracle(path, kind)
        except Exception:  # noqa: BLE001
            return None


def by_simpleitk(path: Path, kind: str) -> Seen | None:
    itk: Any = importlib.import_module("SimpleITK")
    itk.ProcessObject.GlobalWarningDisplayOff()
    if kind == "dicom" and b"PALETTE COLOR" in path.read_bytes()[:4096]:
        return None  # ITK spreads the colours of a table over 16 bits
    image = itk.ReadImage(str(path))
    if image.GetDimension() == 3 and image.GetSize()[2] > 1:
        image = itk.DICOMOrient(image, "LPS")
    values = itk.GetArrayFromImage(image)
    across, down, *through = image.GetSpacing()
    return grey(values), (down, across, *through), itk_affine(image) if through else None


def itk_affine(image: Any) -> Values:
    """As PictureStack.affine."""
    sides = len(image.GetSpacing())
    axes = np.array(image.GetDirection()).reshape(sides, sides) * np.array(image.GetSpacing())
    return np.column_stack([axes, image.GetOrigin()])


def by_dcmtk(path: Path, kind: str) -> Seen | None:
    if kind != "dicom":
        return None
    program = shutil.which(DCMTK.get(syntax_of(path), "dcmconv"))
    if program is None:
        return None
    plain = path.with_suffix(".plain")
    subprocess.run(
        [program, *(["+te"] if program.endswith("dcmconv") else []), str(path), str(plain)],
        check=True,
        capture_output=True,
    )
    dataset = pydicom.dcmread(plain)
    return meant(dataset, dataset.pixel_array), None, None


def by_openjpeg(path: Path, kind: str) -> Seen | None:
    if kind != "dicom" or syntax_of(path) not in JPEG_2000:
        return None
    dataset = pydicom.dcmread(path)
    dataset.pixel_array_options(decoding_plugin="pylibjpeg")
    return meant(dataset, dataset.pixel_array), None, None


ORACLES: dict[str, Callable[[Path, str], Seen | None]] = {
    "SimpleITK": by_simpleitk,
    "dcmtk": by_dcmtk,
    "OpenJPEG": by_openjpeg,
}


def syntax_of(path: Path) -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID)


def meant(dataset: pydicom.Dataset, values: Values) -> Values:
    """Stored values through the file's rescale, or the luma of its colours."""
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        values = pydicom.pixels.processing.apply_color_lut(values, dataset)
    slope = float(dataset.get("RescaleSlope") or 1)
    return grey(values) * slope + float(dataset.get("RescaleIntercept") or 0)


def grey(values: Values) -> Values:
    if values.ndim >= 3 and values.shape[-1] == 3 and values.dtype.kind == "u":
        values = np.rint(values @ LUMA)
    return values.reshape((-1, *values.shape[-2:])).astype(np.float64)


def verdict(stack: PictureStack, seen: Seen, data: bytes) -> str:
    """ "equal", or what differs."""
    values, spacing, affine = seen
    ours = stack.pixels * stack.rescale[0] + stack.rescale[1]
    if spacing is None and stack.plane == "axial" and ours.size == values.size:
        ours, values = np.sort(ours, axis=None), np.sort(values, axis=None)
    if ours.shape != values.shape:
        return f"shape {ours.shape}, there {values.shape}"
    rounding = LUMA_ROUNDING if b"CS\x04\0RGB " in data or b"CS\x08\0YBR" in data else ROUNDING
    is_lossy = any(syntax.encode() + b"\0" in data[:2048] for syntax in LOSSY)
    allowed = LOSSY_ROUNDING if is_lossy else max(rounding, abs(stack.rescale[0]) * ROUNDING)
    apart = float(np.abs(ours - values).max())
    if not apart <= allowed:
        return f"values differ by up to {apart:g} in {np.mean(np.abs(ours - values) > allowed):.2%}"
    known = (*(stack.pixel_spacing or ()), *([stack.slice_spacing] if stack.slice_spacing else []))
    told = stack.source_format == "nifti" or stack.pixel_spacing_source == "PixelSpacing"
    if spacing and known and told and not np.allclose(known, spacing[: len(known)], rtol=SPACING_TOLERANCE):
        return f"spacing {known}, there {spacing}"
    if stack.affine and affine is not None and not np.allclose(stack.affine, affine, atol=AFFINE_TOLERANCE):
        return f"affine {stack.affine}, there {affine.tolist()}"
    return "equal"


if __name__ == "__main__":
    sys.exit(main())
