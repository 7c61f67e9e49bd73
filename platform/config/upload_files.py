"""Where a large uploaded file lies until it has been read."""

import tempfile
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class UnnamedFileUploadHandler(FileUploadHandler):
    """A temporary file that has no name: whatever ends the process, nothing of it stays on the disk."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Another file of the request begins."""
        super().new_file(*args, **kwargs)
        self.file: UploadedFile[bytes] = UploadedFile(
            tempfile.TemporaryFile(),  # noqa: SIM115  # it lives as long as the request
            self.file_name,
            self.content_type,
            0,
            self.charset,
            self.content_type_extra,
        )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002
        """Keep a piece of it."""
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:  # type: ignore[type-arg]
        """It is whole."""
        self.file.seek(0)
        self.file.size = file_size
        return self.file

    def upload_interrupted(self) -> None:
        """It never will be."""
        if hasattr(self, "file"):
            self.file.close()
