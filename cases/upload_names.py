"""Names of uploaded files that are written in no Unicode: repaired before Django would lose them.

A part whose header is not UTF-8 is dropped by Django without a word. Old programs send names in Latin-1 or
Shift-JIS; both are recognised here, and the header goes on in UTF-8. Nothing but part headers is touched.
"""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser

CHUNK = 64 * 1024
LONGEST_HEADER = 16 * 1024
END = b"\r\n\r\n"
_CONTROLS = range(0x80, 0xA0)
"""Bytes that begin most letters of Shift-JIS. Latin-1 has none there, Windows its quotes and dashes."""


class RepairedNames(FileUploadHandler):
    """Stands before the handlers that keep files, and hands them a repaired stream."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803
        content_length: int,  # noqa: ARG002
        boundary: Any,
        encoding: str | None = None,
    ) -> tuple[Any, Any]:
        """Parse the request as Django would, with the other handlers."""
        handlers = self.request.upload_handlers if self.request else []
        others = [handler for handler in handlers if handler is not self]
        body: Any = _Repaired(input_data, boundary)
        return MultiPartParser(META, body, others, encoding).parse()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:  # noqa: ARG002
        """Never asked: the others receive the files."""
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Likewise."""


class _Repaired:
    """A multipart body, read on, with the header of each part in UTF-8."""

    def __init__(self, body: Any, boundary: bytes) -> None:
        self._body = body
        self._mark = b"--" + boundary + b"\r\n"
        self._held = self._ready = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        while len(self._ready) < size and not self._ended:
            chunk = self._body.read(CHUNK)
            self._ended = not chunk
            self._held += chunk
            self._go_on()
        read, self._ready = self._ready[:size], self._ready[size:]
        return read

    def _go_on(self) -> None:
        """Pass on what is whole: all but a header, or a mark, of which the end is still to come."""
        while (place := self._held.find(self._mark)) >= 0:
            end = self._held.find(END, place)
            if end < 0 and not self._ended and len(self._held) - place < LONGEST_HEADER:
                self._pass_on(place)
                return
            if end < 0 or end - place > LONGEST_HEADER:
                self._pass_on(place + len(self._mark))
                continue
            self._pass_on(place)
            header, self._held = self._held[: end - place], self._held[end - place :]
            self._ready += in_utf8(header)
        self._pass_on(len(self._held) - (0 if self._ended else len(self._mark)))

    def _pass_on(self, length: int) -> None:
        length = max(length, 0)
        self._ready += self._held[:length]
        self._held = self._held[length:]


def in_utf8(header: bytes) -> bytes:
    """A header in UTF-8, whichever of UTF-8, Shift-JIS and Latin-1 it was written in."""
    return _text(header).encode()


def _text(header: bytes) -> str:
    try:
        return header.decode()
    except UnicodeDecodeError:
        if not any(byte in _CONTROLS for byte in header):
            return header.decode("latin-1")
    try:
        return header.decode("cp932")
    except UnicodeDecodeError:
        return header.decode("cp1252", "replace")
