"""An upload becomes a Scan and its Image: the one way in for page, API and demo."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from blobs import store
from cases import access, identity, services
from cases.models import Case, Scan
from cases.refusals import CannotDo
from inference import formats
from inference.formats.errors import FormatError
from inference.formats.stack import Modality

NO_STORAGE = gettext_noop("Stored files cannot be reached. Nothing was changed; try again shortly.")
"""Of one file among several: those before it may have become scans."""


def receive(
    case: Case,
    upload: "File[Any]",
    *,
    modality: Modality,
    by: User,
    file_name: str = "",
    mismatch_reason: str = "",
) -> tuple[Scan, bool]:
    """Read an upload and add it to the case: (scan, added now).

    mismatch_reason: why a file belongs here that names another patient; without one it is refused.
    Raises FormatError for a file that cannot be read, PatientMismatch, OtherModality: nothing of it is kept
    but an audit line with the reason. Order: may it be written to at all, bytes to disk, decode in a limited
    child, blobs, then rows and jobs in one transaction, then the wake-up. Raises PermissionDenied,
    CaseSigned before a byte is read.
    """
    with transaction.atomic():
        access.lock_for_writing(case, by)  # let go at once: reading the file may take a while
    try:
        with _spooled(upload) as path:
            stack, said = formats.read_identified(path, modality=modality, file_name=file_name)
            if not services.known_scan(case, stack):
                identity.refuse_another_patient(case, said, reason=mismatch_reason)
            with path.open("rb") as spool:
                original = store.put(spool)
        return services.add_scan(
            case,
            stack,
            by=by,
            original=original,
            file_name=file_name,
            said=said,
            mismatch_reason=mismatch_reason,
        )
    except FormatError as refusal:
        services.refuse_scan(case, by=by, code=refusal.code, detail=refusal.detail)
        raise
    except CannotDo as refusal:
        differing = refusal.mismatch if isinstance(refusal, identity.PatientMismatch) else ()
        services.refuse_scan(case, by=by, code=refusal.code, detail=", ".join(differing))
        raise


@contextmanager
def _spooled(upload: "File[Any]") -> Iterator[Path]:
    """The bytes as a file of a name of ours, gone at the end."""
    if (upload.size or 0) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES >> 20
        raise FormatError("too_large", f"The file is larger than the limit of {limit} MiB.")
    with tempfile.TemporaryDirectory(prefix="ventra-intake-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as spool:
            for chunk in upload.chunks():
                spool.write(chunk)
        yield path
