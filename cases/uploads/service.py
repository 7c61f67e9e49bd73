"""Upload sessions: opened, filled part by part, taken up again where they broke off, forgotten in time."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.models import User
from audit.trail import record
from blobs.store import BlobUnavailable
from cases import access
from cases.models import Case, UploadedPart, UploadSession
from cases.uploads import staging
from inference.formats import Modality, archives, series
from refusals import Refusal

KEPT_FOR = timedelta(hours=24)
"""After it was last touched; a committed one answers the same for as long."""
MOST_SESSIONS = 20
MOST_PARTS = 2_500


class Added(NamedTuple):
    """What an added part is: its row, and whether it is new."""

    part: UploadedPart
    is_new: bool


@transaction.atomic
def open_session(case: Case, modality: Modality, *, by: User) -> UploadSession:
    """A session for files of one modality. Raises PermissionDenied, case_signed, too_many_uploads."""
    held = access.lock_for_writing(case, by)
    User.objects.select_for_update().get(pk=by.pk)
    under_way = UploadSession.objects.filter(opened_by=by, state=UploadSession.State.OPEN)
    if under_way.filter(touched_at__gt=Now() - KEPT_FOR).count() >= MOST_SESSIONS:
        sentence = gettext("{count} uploads are under way already: finish one of them first.")
        raise Refusal("too_many_uploads", sentence.format(count=MOST_SESSIONS))
    session = UploadSession.objects.create(case=held, modality=modality, opened_by=by)
    record("upload.opened", actor=by, subject=session, thread=held.thread, modality=modality)
    return session


def add_part(
    session: UploadSession, upload: "File[Any]", *, by: User, name: str = "", sha256: str = ""
) -> Added:
    """Keep a file, or the members of a ZIP file, until the session is committed.

    sha256: of the bytes as they were sent; "" where the sender does not say. The same file again is the part
    that is there. Raises PermissionDenied, case_signed, upload_committed, upload_full, checksum_mismatch,
    Refusal for one that is too large and for an archive that is not in order: nothing of it is kept.
    """
    with transaction.atomic():
        _held(session, by)
    name = clean_name(name or upload.name or "")
    if (upload.size or 0) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES >> 20
        raise Refusal("too_large", f"The file is larger than the limit of {limit} MiB.")
    _check_room(session, 1, upload.size or 0)
    staged = staging.put(session.pk, upload.chunks())
    if sha256 and sha256.lower() != staged.sha256:
        _let_go(session, [staged])
        raise Refusal("checksum_mismatch", gettext("The file did not arrive whole; send it again."))
    if known := session.parts.filter(sha256=staged.sha256, name=name).first():
        return Added(known, is_new=False)
    members = _members(session, staged) if _is_archive(staged) else None
    try:
        return Added(_kept(session, staged, name, members, by=by), is_new=True)
    except IntegrityError:  # the same file, sent twice at one moment
        return Added(session.parts.get(sha256=staged.sha256, name=name), is_new=False)


def clean_name(name: str) -> str:
    """A name as it may be shown: relative, forward slashes, nothing that is no text."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "".join(one for one in "/".join(parts) if one.isprintable())[-400:]


def files_of(session: UploadSession) -> list[series.File]:
    """What has arrived, ZIP files as their members. Raises BlobUnavailable."""
    parts = session.parts.filter(is_archive=False)
    return [series.File(part.name, staging.path_of(session.pk, part.sha256), part.sha256) for part in parts]


def understood(session: UploadSession) -> list[series.Group]:
    """What the files that have arrived will become. Raises BlobUnavailable."""
    return series.understood(files_of(session), modality=modality_of(session))


def modality_of(session: UploadSession) -> Modality:
    """What the sender declared."""
    return "mri" if session.modality == "mri" else "ultrasound"


def tidy() -> None:
    """Forget sessions that nobody has touched for long, and folders that are nobody's."""
    UploadSession.objects.filter(touched_at__lt=Now() - KEPT_FOR).delete()
    known = set(UploadSession.objects.values_list("pk", flat=True))
    for key in staging.sessions():
        if key not in known:
            staging.forget(key)


def _held(session: UploadSession, by: User) -> Case:
    """The case, held, and the session open. Raises PermissionDenied, case_signed, upload_committed."""
    held = access.lock_for_writing(session.case, by)
    if UploadSession.objects.select_for_update().get(pk=session.pk).state == UploadSession.State.COMMITTED:
        raise Refusal(
            "upload_committed", gettext("These files were added already; choose further ones anew.")
        )
    return held


@transaction.atomic
def _kept(
    session: UploadSession,
    staged: staging.Staged,
    name: str,
    members: list[tuple[str, staging.Staged]] | None,
    *,
    by: User,
) -> UploadedPart:
    held = _held(session, by)
    part = UploadedPart.objects.create(
        session=session, sha256=staged.sha256, name=name, size=staged.size, is_archive=members is not None
    )
    rows = {
        (one.sha256, inner): UploadedPart(
            session=session, sha256=one.sha256, name=inner, size=one.size, inside=part
        )
        for inner, one in members or ()
    }
    UploadedPart.objects.bulk_create(rows.values(), ignore_conflicts=True)
    if members is not None:
        staged.path.unlink(missing_ok=True)
    UploadSession.objects.filter(pk=session.pk).update(touched_at=Now())
    record(
        "upload.part_added",
        actor=by,
        subject=session,
        thread=held.thread,
        sha256=staged.sha256,
        size=staged.size,
        files=len(rows) or 1,
    )
    return part


def _is_archive(staged: staging.Staged) -> bool:
    with staged.path.open("rb") as opened:
        return archives.is_archive(opened.read(4))


def _members(session: UploadSession, archive: staging.Staged) -> list[tuple[str, staging.Staged]]:
    """The files of an archive, each kept by its hash. Raises Refusal, and keeps none then."""
    found: list[tuple[str, staging.Staged]] = []

    def keep(name: str, chunks: Iterator[bytes]) -> None:
        found.append((clean_name(name), staging.put(session.pk, chunks)))

    try:
        with archive.path.open("rb") as opened:
            archives.unpack(opened, keep)
        _check_room(session, len(found), sum(one.size for _, one in found))
    except (Refusal, BlobUnavailable):
        _let_go(session, [archive, *(one for _, one in found)])
        raise
    return found


def _check_room(session: UploadSession, count: int, size: int) -> None:
    parts = session.parts.filter(is_archive=False)
    held = parts.aggregate(size=Sum("size"))["size"] or 0
    if parts.count() + count > MOST_PARTS:
        sentence = gettext("One upload takes {count} files at most; begin another for the rest.")
        raise Refusal("upload_full", sentence.format(count=MOST_PARTS))
    if held + size > settings.MAX_SESSION_BYTES:
        sentence = gettext("One upload takes {limit} MiB at most; begin another for the rest.")
        raise Refusal("upload_full", sentence.format(limit=settings.MAX_SESSION_BYTES >> 20))


def _let_go(session: UploadSession, unwanted: Iterable[staging.Staged]) -> None:
    """Delete the bytes that no part of the session is."""
    kept = set(session.parts.values_list("sha256", flat=True))
    for one in unwanted:
        if one.sha256 not in kept:
            one.path.unlink(missing_ok=True)
