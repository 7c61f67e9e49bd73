"""What a weights file says of itself, checked before any library parses it. Torch is not needed.

The safetensors layout: eight bytes with the header's length, little-endian; the header, a JSON object of
tensor name -> dtype, shape and offsets; then the tensors' bytes. The library checks much of this too; a file
from outside is held to more: no name twice, no gap and no overlap, few and known types.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_HEADER_BYTES = 1024 * 1024
MAX_TENSORS = 2000
ITEM_BYTES = {"F16": 2, "F32": 4, "I64": 8}
"""Half and single precision for weights, whole numbers for BatchNorm's counters."""
FOREIGN = (
    (
        b"PK\x03\x04",
        "pickle_refused",
        "This is a PyTorch or other zip archive, which can run code when it is opened.",
    ),
    (b"\x80", "pickle_refused", "This is a Python pickle, which can run code when it is opened."),
    (b"\x89HDF", "not_safetensors", "This is an HDF5 file (Keras). Only safetensors files are taken."),
)
CONVERT = (
    " Convert it on your own machine: "
    "python -m inference.training.backbones convert FILE.pth FILE.safetensors"
)


class WeightsRefused(Exception):
    """A weights file that is not taken. `code` for programs, `detail` one sentence for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class TensorEntry:
    """One tensor as the header states it; offsets count from the end of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def inspect(content: bytes) -> tuple[TensorEntry, ...]:
    """The tensors a file states, in the order of their bytes. Raises WeightsRefused."""
    if len(content) > MAX_FILE_BYTES:
        raise WeightsRefused("too_large", f"The file is larger than {MAX_FILE_BYTES >> 20} MiB.")
    for magic, code, sentence in FOREIGN:
        if content.startswith(magic):
            raise WeightsRefused(code, sentence + (CONVERT if code == "pickle_refused" else ""))
    header, data_bytes = _header(content)
    entries = tuple(sorted((_entry(*item) for item in header.items()), key=lambda entry: entry.start))
    _check_layout(entries, data_bytes)
    return entries


def _header(content: bytes) -> tuple[Mapping[str, Any], int]:
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or not 2 <= length <= min(MAX_HEADER_BYTES, len(content) - 8):
        raise WeightsRefused("bad_header", "The file does not begin as a safetensors file does.")
    try:
        header = json.loads(content[8 : 8 + length], object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise WeightsRefused("bad_header", "The file's header is not readable JSON.") from None
    if not isinstance(header, dict):
        raise WeightsRefused("bad_header", "The file's header is not a table of tensors.")
    header.pop("__metadata__", None)
    if not 0 < len(header) <= MAX_TENSORS:
        raise WeightsRefused(
            "tensor_count", f"The file states {len(header)} tensors; 1 to {MAX_TENSORS} are taken."
        )
    return header, len(content) - 8 - length


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise WeightsRefused("duplicate_name", "The file's header states one name twice.")
    return found


def _entry(name: str, stated: Any) -> TensorEntry:
    try:
        dtype, shape, (start, stop) = stated["dtype"], tuple(stated["shape"]), stated["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise WeightsRefused(
            "bad_header", f"The tensor {name!r:.80} is not described as it should be."
        ) from None
    if dtype not in ITEM_BYTES:
        raise WeightsRefused(
            "bad_dtype", f"The tensor {name!r:.80} has type {dtype!r:.20}; F16, F32 or I64 are taken."
        )
    if not all(type(number) is int and 0 <= number < 2**40 for number in (*shape, start, stop)):
        raise WeightsRefused("bad_header", f"The tensor {name!r:.80} has impossible numbers.")
    if stop - start != math.prod(shape) * ITEM_BYTES[dtype]:
        raise WeightsRefused("bad_offsets", f"The tensor {name!r:.80} does not fill the bytes it claims.")
    return TensorEntry(name, dtype, shape, start, stop)


def _check_layout(entries: tuple[TensorEntry, ...], data_bytes: int) -> None:
    """The tensors lie end to end and fill the file exactly."""
    at = 0
    for entry in entries:
        if entry.start != at:
            raise WeightsRefused(
                "bad_offsets", f"The tensor {entry.name!r:.80} overlaps another or leaves a gap."
            )
        at = entry.stop
    if at != data_bytes:
        raise WeightsRefused("bad_offsets", "The file is cut short, or has bytes that no tensor owns.")
