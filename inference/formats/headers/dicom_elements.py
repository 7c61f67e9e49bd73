"""DICOM data elements (PS3.5 chapter 7): where each one lies, without interpreting it."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from inference.formats.limits import Data
from refusals import Refusal

UNDEFINED = 0xFFFFFFFF
DEPTH = 16  # sequences inside sequences
SHORT = 64  # bytes: the longest of the values looked at is a unique identifier
ELEMENTS = 500_000  # in one file, nested ones included: a multi-frame MR has hundreds for each frame

ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_TAGS = {0x7FE00008, 0x7FE00009, 0x7FE00010}  # Float, Double Float and ordinary Pixel Data
_LONG_VRS = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}


@dataclass(frozen=True)
class Form:
    """How elements are written: byte order as in struct, with or without a value representation."""

    endian: str
    explicit: bool


@dataclass(frozen=True)
class Element:
    """Tag as 0xGGGGEEEE; the value is data[start : start + length], unless length is UNDEFINED."""

    tag: int
    vr: bytes
    start: int
    length: int


EXPLICIT_LITTLE = Form("<", explicit=True)
IMPLICIT_LITTLE = Form("<", explicit=False)


class Elements:
    """Walks one dataset. Counts every element, so that no file can make the walk long."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.left = ELEMENTS
        self.odd: list[int] = []
        """Where private elements lie whose value representation does not exist."""

    def top_level(self, offset: int, form: Form) -> Iterator[Element]:
        """Yield elements outside any sequence, up to and including pixel data."""
        while offset < len(self.data):
            element = self.read(offset, form)
            yield element
            if element.tag in PIXEL_TAGS:
                return
            offset = self.end(element, form)

    def read(self, offset: int, form: Form) -> Element:
        """The element at `offset`. Items and delimiters never carry a value representation."""
        self.left -= 1
        if self.left < 0:
            raise Refusal("undecodable", f"The DICOM file has more than {ELEMENTS} elements.")
        group, number, length = self._unpack(form.endian + "HHL", offset)
        tag = group << 16 | number
        if not form.explicit or group == 0xFFFE:
            return Element(tag, b"", offset + 8, length)
        vr = self.data[offset + 4 : offset + 6]
        if not (vr.isalpha() and vr.isupper()):
            if not group % 2:
                raise Refusal(
                    "undecodable", "The DICOM file names a value representation that does not exist."
                )
            self.odd.append(offset)  # a private element is passed over, whatever it calls itself
        if vr in _LONG_VRS:
            return Element(tag, vr, offset + 12, *self._unpack(form.endian + "L", offset + 8))
        return Element(tag, vr, offset + 8, *self._unpack(form.endian + "H", offset + 6))

    def value(self, element: Element) -> bytes:
        """The bytes of a value that should be short; only its start when it is not."""
        return self.data[element.start : element.start + min(element.length, SHORT)]

    def _unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        if offset + struct.calcsize(layout) > len(self.data):
            raise cut_short()
        return struct.unpack_from(layout, self.data, offset)

    def end(self, element: Element, form: Form, depth: int = 0) -> int:
        """Where the next element starts."""
        if element.length == UNDEFINED:
            inner = IMPLICIT_LITTLE if element.vr == b"UN" else form
            return self._end_of_items(element.start, inner, depth + 1)
        end = element.start + element.length
        if end > len(self.data):
            raise cut_short()
        return end

    def _end_of_items(self, offset: int, form: Form, depth: int) -> int:
        if depth > DEPTH:
            raise Refusal("undecodable", f"The DICOM file nests sequences deeper than {DEPTH}.")
        while True:
            item = self.read(offset, form)
            if item.tag == SEQUENCE_END:
                return item.start
            if item.tag != ITEM:
                raise Refusal("undecodable", "A DICOM sequence holds something that is not an item.")
            if item.length == UNDEFINED:
                offset = self._end_of_item(item.start, form, depth)
            else:
                offset = self.end(item, form, depth)

    def _end_of_item(self, offset: int, form: Form, depth: int) -> int:
        while True:
            element = self.read(offset, form)
            if element.tag == ITEM_END:
                return element.start
            offset = self.end(element, form, depth)

    def fragments(self, pixel_data: Element) -> Iterator[Element]:
        """Yield the items of encapsulated pixel data, the offset table first."""
        offset = pixel_data.start
        while offset < len(self.data):
            item = self.read(offset, EXPLICIT_LITTLE)
            if item.tag == SEQUENCE_END:
                return
            if item.tag != ITEM or item.length == UNDEFINED:
                raise Refusal("undecodable", "The encapsulated DICOM pixel data is not a list of items.")
            yield item
            offset = self.end(item, EXPLICIT_LITTLE)


def cut_short() -> Refusal:
    """The refusal of a file that ends before its own lengths say it should."""
    return Refusal("undecodable", "The DICOM file is cut short.")
