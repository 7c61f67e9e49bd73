"""What the models call a case, out of what they say about its scans."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cases.models import Case
from inference.engine.members import ENSEMBLE
from inference.engine.records import POSITIVE
from inference.models import Prediction


@dataclass(frozen=True)
class Call:
    """label: of the case. answers: everything it rests on, the newest of every version for every scan."""

    label: str
    answers: tuple[Prediction, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """As a read keeps what its reader saw."""
        return [
            {
                "prediction": str(answer.pk),
                "network": answer.model_version.network,
                "version": answer.model_version.version,
                "label": answer.label,
                "probability": answer.probability,
            }
            for answer in self.answers
        ]


def newest_answers(images: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Prediction]]:
    """For each image the newest answer of every model version."""
    answers = Prediction.objects.shown().filter(image__in=list(images)).select_related("model_version")
    newest = answers.order_by("image_id", "model_version_id", "-created_at")
    found = defaultdict(list)
    for answer in newest.distinct("image_id", "model_version_id"):
        found[answer.image_id].append(answer)
    return found


def call_of(case: Case) -> Call | None:
    """What the models call the case now; None when none of them has answered."""
    images = list(case.scans.standing().values_list("image_id", flat=True))
    found = newest_answers(images)
    return call([found[image] for image in images])


def call(by_scan: Sequence[Sequence[Prediction]]) -> Call | None:
    """One scan with ventriculomegaly is enough. by_scan: the answers about each scan."""
    answered = [[answer for answer in answers if answer.analysable] for answers in by_scan]
    labels = [_label(answers) for answers in answered if answers]
    if not labels:
        return None
    label = POSITIVE if POSITIVE in labels else labels[0]
    return Call(label, tuple(answer for answers in answered for answer in answers))


def _label(answers: Sequence[Prediction]) -> str:
    """The combined answer where there is one, else what most say; a tie is called ventriculomegaly."""
    combined = [answer for answer in answers if answer.model_version.network == ENSEMBLE]
    if combined:
        return combined[0].label
    positive = sum(answer.label == POSITIVE for answer in answers)
    return POSITIVE if 2 * positive >= len(answers) else "normal"
