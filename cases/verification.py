"""Do reads, measurements, signatures and addenda still say what they said when they were made?"""

from collections.abc import Iterator

from django.db.models import Model

from accounts.models import Department, Membership, User
from audit.rows import Kept
from blobs.models import Blob
from cases.models import (
    Addendum,
    Advice,
    AdviceAnswer,
    AtriumStatement,
    BirthDateCorrection,
    Calibration,
    CalibrationWithdrawal,
    Case,
    Confirmation,
    FollowUp,
    Measurement,
    Patient,
    Read,
    ReadingRules,
    Scan,
    ScanFile,
    ScanIdentity,
    ScanWithdrawal,
    SignOff,
    Withdrawal,
)
from cases.report.verification import signed_faults
from cases.review import service as review
from digests import canonical_json, sha256_hex
from inference.formats import series_pack
from inference.models import (
    Activation,
    Evaluation,
    Explanation,
    Image,
    Job,
    ModelVersion,
    Prediction,
    Quality,
    Repetition,
)
from inference.results.proposals import proposals_of
from inference.results.verify import changed

TOLD: tuple[tuple[str, type[Model]], ...] = (
    ("read.filed", Read),
    ("read.confirmed", Confirmation),
    ("scan.calibrated", Calibration),
    ("calibration.withdrawn", CalibrationWithdrawal),
    ("measurement.made", Measurement),
    ("measurement.withdrawn", Withdrawal),
    ("atrium.stated", AtriumStatement),
    ("scan.identified", ScanIdentity),
    ("scan.withdrawn", ScanWithdrawal),
    ("patient.birth_date_corrected", BirthDateCorrection),
    ("case.signed", SignOff),
    ("case.amended", Addendum),
    ("advice.given", Advice),
    ("advice.answered", AdviceAnswer),
    ("advice.followed", FollowUp),
)
"""Each row has its audit line, and the line carries the row's digest."""

KEPT = (
    Kept(Department, fixed=False),
    Kept(Membership, fixed=False),
    Kept(User, fixed=False),
    Kept(Blob),
    Kept(Image),
    Kept(ModelVersion, fixed=False),
    Kept(Activation, fixed=False),
    Kept(Evaluation),
    Kept(Job, fixed=False),
    Kept(Prediction),
    Kept(Explanation),
    Kept(Repetition),
    Kept(Quality),
    Kept(Patient, fixed=False),
    Kept(BirthDateCorrection),
    Kept(Case, fixed=False),
    Kept(Scan),
    Kept(ScanFile),
    Kept(ScanIdentity),
    Kept(ScanWithdrawal),
    Kept(ReadingRules, fixed=False),
    Kept(Read),
    Kept(Confirmation),
    Kept(Calibration),
    Kept(CalibrationWithdrawal),
    Kept(Measurement),
    Kept(Withdrawal),
    Kept(AtriumStatement),
    Kept(SignOff),
    Kept(Addendum),
    Kept(Advice),
    Kept(AdviceAnswer),
    Kept(FollowUp),
)
"""Whatever an answer, a read, a signature or a report rests on: its rows have digests (audit.rows)."""


def faults() -> Iterator[str]:
    """One sentence for each row that is not what it was."""
    for verb, table in TOLD:
        yield from changed(verb, table, "filed")
    yield from _strange_proposals()
    yield from _strange_calibrations()
    yield from _strange_files()
    yield from _broken_signatures()
    yield from signed_faults()
    yield from _broken_addenda()
    for case in Case.objects.filter(reads__isnull=False).distinct():
        if review.stage_of(case) != case.stage:
            yield f"case {case.number} stands at {case.stage}, and its reads say otherwise"


def _strange_proposals() -> Iterator[str]:
    """A measurement comes from a caliper that was proposed on its own frame."""
    rows = Measurement.objects.filter(proposal__isnull=False).select_related("proposal", "scan")
    for one in rows.iterator():
        said = one.proposal
        places = {(two.atrium, two.frame) for two in proposals_of(said)} if said else set()
        if said and (said.image_id != one.scan.image_id or (one.proposal_atrium, one.frame) not in places):
            yield f"measurement {one.pk} comes from no caliper that was proposed there"


def _strange_calibrations() -> Iterator[str]:
    """A measurement rests on a calibration of its own scan, and on its spacing."""
    rows = Measurement.objects.filter(calibration__isnull=False).select_related("calibration")
    for one in rows.iterator():
        by = one.calibration
        if by and (by.scan_id != one.scan_id or one.pixel_spacing != [*by.spacing]):
            yield f"measurement {one.pk} rests on another scale than that of its calibration"


def _strange_files() -> Iterator[str]:
    """The hash by which a scan of several files goes is that of the list of their hashes."""
    for scan in Scan.objects.filter(files__isnull=False).distinct().prefetch_related("files"):
        listed = series_pack.manifest([file.blob_id for file in scan.files.all()])
        if sha256_hex(listed) != scan.original_sha256:
            yield f"scan {scan.pk} was not made of the files that are said to be its"


def _broken_signatures() -> Iterator[str]:
    for signature in SignOff.objects.select_related("case"):
        if sha256_hex(canonical_json(signature.content)) != signature.content_sha256:
            yield f"the signature of case {signature.case.number} does not fit what was signed"


def _broken_addenda() -> Iterator[str]:
    """Each addendum holds the hash of what stood before it."""
    for signature in SignOff.objects.select_related("case"):
        previous = signature.content_sha256
        for addendum in signature.case.addenda.all():
            content = review.addendum_content(
                addendum.text, addendum.name, addendum.previous_sha256, addendum.written_at
            )
            fits = sha256_hex(canonical_json(content)) == addendum.content_sha256
            if addendum.previous_sha256 != previous or not fits:
                yield f"addendum {addendum.pk} does not follow what stood before it"
            previous = addendum.content_sha256
