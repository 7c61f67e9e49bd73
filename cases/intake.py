"""An upload becomes a Scan and its Image: the one way in for page, API and demo."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from accounts.models import User
from blobs import store
from blobs.models import Blob
from cases import access, identity, late_slices, services
from cases.late_slices import Slices
from cases.models import Case, Scan
from inference import formats
from inference.formats import Identity, series_pack
from inference.formats.series import Group
from inference.formats.stack import Modality, PictureStack
from inference.models import Job
from refusals import FILES, Refusal

NO_STORAGE = gettext_noop("Stored files cannot be reached. Nothing was changed; try again shortly.")
"""Of one file among several: those before it may have become scans."""
_SPOOL = "ventra-intake-"


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
    Raises Refusal for a file that cannot be read, patient_mismatch, other_modality, series_known: nothing of
    it is kept but an audit line with the reason. Order: may it be written to at all, bytes to disk, decode in
    a limited child, blobs, then rows, jobs and wake-up in one transaction. Raises PermissionDenied, and
    case_signed and too_many_waiting before a byte is read.
    """
    _refuse_beyond_quota(by)
    with transaction.atomic():
        access.lock_for_writing(case, by)  # let go at once: reading the file may take a while
    with _refusals_told(case, by), _spooled(upload) as path:
        stack, said = formats.read_identified(path, modality=modality, file_name=file_name)
        return _added(case, stack, said, [path], [file_name], by=by, mismatch_reason=mismatch_reason)


def take(
    case: Case, group: Group, *, modality: Modality, by: User, mismatch_reason: str, came: Slices
) -> tuple[Scan, bool]:
    """The same for files that lie here already: one, or the slices of one volume in their order."""
    _refuse_beyond_quota(by)
    paths, names = [file.path for file in group.files], [file.name for file in group.files]
    with _refusals_told(case, by):
        if group.becomes == "volume":
            hashes = [file.sha256 for file in group.files]
            stack, said = series_pack.read_series(paths, hashes, step=group.step, modality=modality)
        else:
            stack, said = formats.read_identified(paths[0], modality=modality, file_name=names[0])
        return _added(case, stack, said, paths, names, by=by, mismatch_reason=mismatch_reason, came=came)


def _added(
    case: Case,
    stack: PictureStack,
    said: Identity,
    paths: Sequence[Path],
    names: Sequence[str],
    *,
    by: User,
    mismatch_reason: str,
    came: Slices = Slices(),  # noqa: B008  # it is frozen
) -> tuple[Scan, bool]:
    """Guards, then blobs, then the scan. The original of several files is the list of their hashes."""
    if not services.known_scan(case, stack):
        identity.refuse_another_patient(case, said, reason=mismatch_reason)
        late_slices.refuse_known_series(case, stack, said, came)
    files = [(_stored(path), name) for path, name in zip(paths, names, strict=True)]
    is_one = len(files) == 1
    came = replace(came, files=() if is_one else tuple(files))
    original = files[0][0] if is_one else store.put(series_pack.manifest([blob.sha256 for blob, _ in files]))
    return services.add_scan(
        case,
        stack,
        by=by,
        original=original,
        file_name=names[0] if is_one else _folder_of(names),
        said=said,
        mismatch_reason=mismatch_reason,
        came=came,
    )


def _stored(path: Path) -> Blob:
    with path.open("rb") as opened:
        return store.put(opened)


def _folder_of(names: Sequence[str]) -> str:
    """How the files of one scan are called together: by their folder, else by the first."""
    folders = {str(PurePosixPath(name).parent) for name in names}
    folder = folders.pop() if len(folders) == 1 else "."
    return names[0] if folder == "." else folder


@contextmanager
def _refusals_told(case: Case, by: User) -> Iterator[None]:
    """The audit hears why a file became no scan."""
    try:
        yield
    except Refusal as refusal:
        told = refusal.detail if refusal.code in FILES else ", ".join(refusal.named.get("mismatch", ()))
        services.refuse_scan(case, by=by, code=refusal.code, detail=told)
        raise


def tidy() -> None:
    """Remove what a process of this machine that was killed had taken in."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_SPOOL}*"):
        pid = folder.name.removeprefix(_SPOOL).partition("-")[0]
        if pid == str(os.getpid()) or not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _refuse_beyond_quota(by: User) -> None:
    """A program that sends more than is done shall wait, and no department for its heap."""
    if not by.is_service:
        return
    waiting = Job.objects.filter(state=Job.State.QUEUED, requested_by=by)[: settings.SERVICE_ACCOUNT_JOBS]
    if waiting.count() >= settings.SERVICE_ACCOUNT_JOBS:
        raise Refusal(
            "too_many_waiting",
            gettext("Too many jobs of this service account wait. Send more when some are done."),
        )


@contextmanager
def _spooled(upload: "File[Any]") -> Iterator[Path]:
    """The bytes as a file of a name of ours, gone at the end."""
    if (upload.size or 0) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES >> 20
        raise Refusal("too_large", f"The file is larger than the limit of {limit} MiB.")
    with tempfile.TemporaryDirectory(prefix=f"{_SPOOL}{os.getpid()}-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as spool:
            for chunk in upload.chunks():
                spool.write(chunk)
        yield path
