"""Whose something is, for the audit: the way from any key in the record to the case it belongs to."""

import uuid
from collections.abc import Iterable

from cases.models import (
    Addendum,
    Advice,
    AdviceAnswer,
    Calibration,
    Case,
    Measurement,
    Read,
    Scan,
    SignOff,
    UploadSession,
)
from inference.models import Explanation, Image, Job, Prediction, Repetition


def departments_of_thread(key: str) -> Iterable[int]:
    """The department of the case that the audit thread "case:<key>" is about; empty where there is none."""
    try:
        pk = uuid.UUID(key)
    except ValueError:
        return []
    return list(Case.objects.filter(pk=pk).values_list("department_id", flat=True))


def case_behind(key: uuid.UUID) -> Case | None:
    """The case that the row with this key belongs to, whichever table it is in."""
    images = Image.objects.filter(pk=key).values("pk")
    images = images.union(
        Job.objects.filter(pk=key).values("image"),
        Prediction.objects.filter(pk=key).values("image"),
        Explanation.objects.filter(pk=key).values("prediction__image"),
        Repetition.objects.filter(pk=key).values("prediction__image"),
    )
    found = Case.objects.filter(pk=key).values("pk")
    found = found.union(
        *(
            model.objects.filter(pk=key).values("case")
            for model in (Scan, Read, SignOff, Addendum, Advice, UploadSession)
        ),
        Measurement.objects.filter(pk=key).values("scan__case"),
        Calibration.objects.filter(pk=key).values("scan__case"),
        AdviceAnswer.objects.filter(pk=key).values("advice__case"),
        Scan.objects.filter(image__in=images).values("case"),
    )
    return Case.objects.filter(pk__in=found).first()
