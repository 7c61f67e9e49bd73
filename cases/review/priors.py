"""The same patient's earlier cases: what was measured and found then, as far as it was signed.

A reader sees them before the blind read too, as they see a referral: they are the patient's history, and no
answer of a model is among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import Min, Q
from django.utils import timezone

from accounts.models import User
from audit.trail import record
from cases.models import Case, Measurement, SignOff
from cases.review.measurements import Width, widest
from cases.severity import Scheme

SHOWN = 8
TOLERANCE = timedelta(days=21)
"""By how much two ages of one pregnancy may contradict the days between: dating is not exact."""


@dataclass(frozen=True)
class Prior:
    """An earlier case of the patient, on the day it was acquired or else opened.

    signature, width: of a signed case; both None before. is_same_pregnancy: whether the ages fit the days
    between; None where one of them is not known.
    """

    case: Case
    day: date
    signature: SignOff | None
    width: Width | None
    is_same_pregnancy: bool | None


def priors_of(case: Case, user: User | AnonymousUser, scheme: Scheme) -> list[Prior]:
    """Those that this user may see, the newest first."""
    of_patient = Case.objects.filter(patient=case.patient_id)
    dated = of_patient.annotate(
        acquired=Min("scans__identity__study_date", filter=Q(scans__withdrawal__isnull=True))
    )
    earlier = dated.visible_to(user).filter(opened_at__lt=case.opened_at).select_related("sign_off__read")
    found = list(earlier.order_by("-opened_at")[:SHOWN])
    if not found:
        return []
    own = _day(dated.get(pk=case.pk))
    signed = [one.pk for one in found if one.stage == Case.Stage.SIGNED]
    widths: dict[object, list[Measurement]] = {}
    if signed:
        rows = Measurement.objects.active().filter(scan__case__in=signed).select_related("scan")
        for measurement in rows:
            widths.setdefault(measurement.scan.case_id, []).append(measurement)
    return [
        Prior(
            case=one,
            day=_day(one),
            signature=one.sign_off if one.pk in signed else None,
            width=widest(widths.get(one.pk, []), scheme),
            is_same_pregnancy=_fits(one, _day(one), case, own),
        )
        for one in found
    ]


def record_shown(priors: Sequence[Prior], case: Case, user: User) -> None:
    """Keep in the audit of each earlier case that its findings were shown beside a later one."""
    for prior in priors:
        if prior.signature:
            record(
                "prior.viewed", actor=user, subject=prior.case, thread=prior.case.thread, number=case.number
            )


def _day(case: Case) -> date:
    acquired: date | None = getattr(case, "acquired", None)
    return acquired or timezone.localdate(case.opened_at)


def _fits(prior: Case, then: date, case: Case, now: date) -> bool | None:
    if prior.gestational_age_days is None or case.gestational_age_days is None:
        return None
    grown = timedelta(days=case.gestational_age_days - prior.gestational_age_days)
    return abs(grown - (now - then)) <= TOLERANCE
