"""Slices that come after the others of their series: they ask, and never start another scan unsaid."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.db.models import QuerySet
from django.utils.translation import gettext

from blobs.models import Blob
from cases.models import Case, Scan
from inference.formats import Identity
from inference.formats.stack import PictureStack
from inference.models import Image
from refusals import Refusal

Choice = Literal["", "join", "separate", "leave_out"]


@dataclass(frozen=True)
class Slices:
    """How the slices of a scan came.

    files: the blobs of the files it was made of with their names, where it is more than one. choice: what is
    to become of slices of a known series, "" where nobody has said. beside: scans of the series that are no
    obstacle, as they came with these slices or make way for them.
    """

    files: tuple[tuple[Blob, str], ...] = ()
    choice: Choice = ""
    beside: frozenset[uuid.UUID] = frozenset()


def scans_of_series(case: Case, series: str, beside: Iterable[uuid.UUID] = ()) -> QuerySet[Scan]:
    """The case's active MRI scans of this SeriesInstanceUID, oldest first; none where it is ""."""
    scans = case.scans.active().filter(image__modality=Image.Modality.MRI)
    found = scans.filter(identity__series_instance_uid=series or None).exclude(pk__in=list(beside))
    return found.select_related("image").order_by("number")


def refuse_known_series(case: Case, stack: PictureStack, said: Identity, came: Slices) -> None:
    """Raises series_known for MR slices, single or out of several files, of a series that is here already."""
    is_slice = stack.source_format == "dicom" and stack.modality == "mri" and len(stack.pixels) == 1
    if came.choice == "separate" or not (is_slice or came.files):
        return
    known = scans_of_series(case, said.series_instance_uid, came.beside).first()
    if known:
        sentence = gettext(
            "Scan {number} of the case is of the same series already ({frames} slices). Send late slices as "
            "an upload of several files: it asks whether they join that scan or stay apart."
        )
        raise Refusal("series_known", _about(sentence, known), scan=known.number)


def question(known: Scan) -> Refusal:
    """The same where it can be answered at once."""
    sentence = gettext(
        "Scan {number} of the case is of the same series already ({frames} slices). Say whether these slices "
        "join it, become a scan of their own, or are left out."
    )
    return Refusal("series_known", _about(sentence, known), scan=known.number)


def _about(sentence: str, known: Scan) -> str:
    slices = known.files.count() or known.image.frames  # frames of a stack that was turned are other slices
    return sentence.format(number=known.number, frames=slices)
