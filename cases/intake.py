"""An upload becomes a Scan and its Image: the one way in for page, API and demo."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction

from accounts.models import User
from blobs import store
from blobs.models import Blob
from cases import access, services
from cases.models import Case, Scan
from inference import formats
from inference.formats.errors import FormatError
from inference.formats.stack import Modality, PictureStack


def receive(
    case: Case, upload: "File[Any]", *, modality: Modality, by: User, file_name: str = ""
) -> tuple[Scan, bool]:
    """Read an upload and add it to the case: (scan, added now).

    Raises FormatError for a file that cannot be read: nothing of it is kept but an audit
    line with the reason. Order: may it be written to at all, bytes to disk, decode in a limited
    child, blobs, then rows and jobs in one transaction, then the doorbell. Raises PermissionDenied,
    CaseSigned before a byte is read.
    """
    with transaction.atomic():
        access.lock_for_writing(case, by)  # let go at once: reading the file may take a while
    try:
        stack, original = _read_and_store(upload, modality, file_name)
    except FormatError as refusal:
        services.refuse_scan(case, by=by, code=refusal.code, detail=refusal.detail)
        raise
    return services.add_scan(case, stack, by=by, original=original, file_name=file_name)


def _read_and_store(upload: "File[Any]", modality: Modality, file_name: str) -> tuple[PictureStack, Blob]:
    if (upload.size or 0) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES >> 20
        raise FormatError("too_large", f"The file is larger than the limit of {limit} MiB.")
    with tempfile.TemporaryDirectory(prefix="ventra-intake-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as spool:
            for chunk in upload.chunks():
                spool.write(chunk)
        stack = formats.read(path, modality=modality, file_name=file_name)
        with path.open("rb") as spool:
            return stack, store.put(spool)
