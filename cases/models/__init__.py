"""Patients, cases and scans; and what readers made of them."""

from cases.models.advice import Advice, AdviceAnswer, FollowUp
from cases.models.case import Case, CaseQuerySet, Patient, Scan
from cases.models.measurement import Measurement, Withdrawal
from cases.models.review import Addendum, Read, ReadingRules, SignOff
from cases.models.saved_view import SavedView
from cases.models.scan_withdrawal import ScanWithdrawal

__all__ = [
    "Addendum",
    "Advice",
    "AdviceAnswer",
    "Case",
    "CaseQuerySet",
    "FollowUp",
    "Measurement",
    "Patient",
    "Read",
    "ReadingRules",
    "SavedView",
    "Scan",
    "ScanWithdrawal",
    "SignOff",
    "Withdrawal",
]
