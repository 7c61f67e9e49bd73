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

from refusals import Refusal

MAX_FILE_BYTES = 128 * 1024 * 1024
"""The largest network here takes 94 MB in single precision."""
MAX_HEADER_BYTES = 1024 * 1024
MAX_TENSORS = 2000
MAX_DIMENSIONS = 8
MAX_NAME = 200
ITEM_BYTES = {"F16": 2, "F32": 4, "I64": 8}
"""Half and single precision for weights, whole numbers for BatchNorm's counters."""
ARCHIVE = "This is a PyTorch or other zip archive, which can run code when it is opened."
PICKLE = "This is a Python pickle, which can run code when it is opened."
FOREIGN = (
    (b"PK", "pickle_refused", ARCHIVE),
    (b"\x80", "pickle_refused", PICKLE),
    (b"\x89HDF", "not_safetensors", "This is an HDF5 file (Keras). Only safetensors files are taken."),
    (b"\x08", "not_safetensors", "This looks like an ONNX file. Only safetensors files are taken."),
    (b"\x1f\x8b", "not_safetensors", "This is a compressed file. Only safetensors files are taken."),
)
"""How files of other kinds begin; asked only of a file that does not begin as safetensors."""


@dataclass(frozen=True)
class TensorEntry:
    """One tensor as the header states it; offsets count from the end of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def inspect(content: bytes) -> tuple[TensorEntry, ...]:
    """The tensors a file states, in the order of their bytes. Raises Refusal."""
    if len(content) > MAX_FILE_BYTES:
        raise Refusal("too_large", f"The file is larger than {MAX_FILE_BYTES >> 20} MiB.")
    header, data_bytes = _header(content)
    entries = tuple(_entry(*item) for item in header.items())
    in_order = tuple(sorted(entries, key=lambda entry: (entry.start, entry.stop)))
    _check_layout(in_order, data_bytes)
    return in_order


def _header(content: bytes) -> tuple[Mapping[str, Any], int]:
    """The table of tensors, and how many bytes follow it."""
    length = int.from_bytes(content[:8], "little")
    if content[8:9] != b"{" or not 2 <= length <= min(MAX_HEADER_BYTES, len(content) - 8):
        raise _foreign(content)
    try:
        header = json.loads(content[8 : 8 + length].decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise Refusal("bad_header", "The file's header is not readable JSON.") from None
    remarks = header.pop("__metadata__", {})
    if not (isinstance(remarks, dict) and all(isinstance(remark, str) for remark in remarks.values())):
        raise Refusal("bad_header", "The file's remarks about itself are not plain text.")
    if not 0 < len(header) <= MAX_TENSORS:
        raise Refusal("tensor_count", f"The file states {len(header)} tensors; 1 to {MAX_TENSORS} are taken.")
    return header, len(content) - 8 - length


def _foreign(content: bytes) -> Refusal:
    """What a file that is not safetensors seems to be.

    Only the first bytes of a header's length look like a pickle or ONNX by chance: one length in 32 does.
    """
    for magic, code, sentence in FOREIGN:
        if content.startswith(magic) and code == "pickle_refused":
            return Refusal(
                code,
                f"{sentence} Convert it on your own machine: "
                "python -m inference.training.cli.backbones convert FILE.pth FILE.safetensors",
            )
        if content.startswith(magic):
            return Refusal(code, sentence)
    return Refusal("bad_header", "The file does not begin as a safetensors file does.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refusal("duplicate_name", "The file's header states one name twice.")
    return found


def _entry(name: str, stated: Any) -> TensorEntry:
    """One tensor; every number is bounded before anything is multiplied with it."""
    if not (name.isprintable() and len(name) <= MAX_NAME):
        raise Refusal("bad_header", f"A tensor has a name that nobody can read: {name!a:.80}.")
    if not isinstance(stated, dict) or stated.keys() != {"dtype", "shape", "data_offsets"}:
        raise _misstated(name)
    dtype, shape, offsets = stated["dtype"], stated["shape"], stated["data_offsets"]
    if not (_are_numbers(shape, MAX_DIMENSIONS) and _are_numbers(offsets, 2) and len(offsets) == 2):
        raise _misstated(name)
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise Refusal(
            "bad_dtype", f"The tensor {name!a:.80} has type {dtype!a:.20}; F16, F32 or I64 are taken."
        )
    if offsets[1] - offsets[0] != math.prod(shape) * ITEM_BYTES[dtype]:
        raise Refusal("bad_offsets", f"The tensor {name!a:.80} does not fill the bytes it claims.")
    return TensorEntry(name, dtype, tuple(shape), offsets[0], offsets[1])


def _misstated(name: str) -> Refusal:
    return Refusal("bad_header", f"The tensor {name!a:.80} is not described as it should be.")


def _are_numbers(value: Any, most: int) -> bool:
    """A list of few whole numbers from 0 to what a file may hold."""
    if not isinstance(value, list) or len(value) > most:
        return False
    return all(type(number) is int and 0 <= number <= MAX_FILE_BYTES for number in value)


def _check_layout(entries: tuple[TensorEntry, ...], data_bytes: int) -> None:
    """The tensors lie end to end and fill the file exactly."""
    at = 0
    for entry in entries:
        if entry.start != at:
            raise Refusal("bad_offsets", f"The tensor {entry.name!a:.80} overlaps another or leaves a gap.")
        at = entry.stop
    if at != data_bytes:
        raise Refusal("bad_offsets", "The file is cut short, or has bytes that no tensor owns.")
