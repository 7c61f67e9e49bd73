"""Patients, cases and scans; and what readers made of them."""

from cases.models.advice import Advice, AdviceAnswer, Advised, FollowUp
from cases.models.atrium import AtriumStatement
from cases.models.birth_date import BirthDateCorrection
from cases.models.calibration import Calibration, CalibrationWithdrawal
from cases.models.case import Case, CaseQuerySet, Patient, Scan
from cases.models.draft import Draft
from cases.models.measurement import Measurement, Withdrawal
from cases.models.presence import Presence
from cases.models.review import Addendum, Confirmation, Read, ReadingRules, SignOff
from cases.models.saved_view import SavedView
from cases.models.scan_identity import ScanIdentity
from cases.models.scan_withdrawal import ScanWithdrawal
from cases.models.upload import ScanFile, UploadedPart, UploadSession

__all__ = [
    "Addendum",
    "Advice",
    "AdviceAnswer",
    "Advised",
    "AtriumStatement",
    "BirthDateCorrection",
    "Calibration",
    "CalibrationWithdrawal",
    "Case",
    "CaseQuerySet",
    "Confirmation",
    "Draft",
    "FollowUp",
    "Measurement",
    "Patient",
    "Presence",
    "Read",
    "ReadingRules",
    "SavedView",
    "Scan",
    "ScanFile",
    "ScanIdentity",
    "ScanWithdrawal",
    "SignOff",
    "UploadSession",
    "UploadedPart",
    "Withdrawal",
]
