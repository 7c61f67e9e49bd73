"""What the models call a case: the one place where that is decided. docs/reading.md says the rule in words.

Page, form, worklist, report, API, dashboard and the rule for second readers all ask here; nobody counts votes
anywhere else.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Department
from cases.models import Case, ReadingRules, Scan, SignOff
from inference.engine.records import POSITIVE
from inference.engine.uncertainty.undecided import UNDECIDED, Limits, Reason, doubts_about
from inference.engine.weights.ensemble_file import ENSEMBLE
from inference.models import ModelVersion, Prediction
from inference.registry.fitness import fitness_of_all

NORMAL, NOT_ANALYSABLE = "normal", "not_analysable"
DECIDED = frozenset({NORMAL, POSITIVE})
"""Calls that a finding can agree or disagree with. Nothing agrees with the others."""
FIRST = (POSITIVE, UNDECIDED, NORMAL, NOT_ANALYSABLE)
"""Which scan's call is the case's: ventriculomegaly is never outvoted, and a refusal never votes."""


@dataclass(frozen=True)
class ScanCall:
    """What the models call one scan. leading: the answer that decides, None where all refused.

    number: the scan's. answers: those that count, of the versions in use. reasons: why nothing is decided.
    experimental: no version behind it meets the rule for use, so that nobody may rely on it.
    """

    number: int
    label: str
    leading: Prediction | None
    answers: tuple[Prediction, ...]
    reasons: tuple[Reason, ...] = ()
    experimental: bool = False

    @property
    def others(self) -> list[Prediction]:
        """The answers beside the leading one that are no refusals."""
        return [one for one in self.answers if one.analysable and one is not self.leading]

    def content(self) -> dict[str, Any]:
        """Plain JSON values. against: how many of the others say the opposite of the leading answer."""
        leading = self.leading
        return {
            "scan": self.number,
            "label": self.label,
            "reasons": list(self.reasons),
            "experimental": self.experimental,
            "leading": leading
            and {
                "prediction": str(leading.pk),
                "network": leading.model_version.network,
                "version": leading.model_version.version,
                "label": leading.label,
                "doubt": leading.doubt,
            },
            "others": len(self.others),
            "against": sum(one.label != leading.label for one in self.others) if leading else 0,
        }


@dataclass(frozen=True)
class Call:
    """What the models call a case: normal, ventriculomegaly, undecided or not_analysable.

    scans: what they call each scan that somebody has answered about. unanswered: the numbers of the others,
    on which the call does not rest.
    """

    label: str
    scans: tuple[ScanCall, ...]
    unanswered: tuple[int, ...] = ()

    @property
    def answers(self) -> tuple[Prediction, ...]:
        """Everything the call rests on."""
        return tuple(answer for scan in self.scans for answer in scan.answers)

    @property
    def is_decided(self) -> bool:
        """Whether a reader can agree or disagree."""
        return self.label in DECIDED

    @property
    def experimental(self) -> bool:
        """Whether nobody may rely on it: of a scan that decides it all that counts is experimental."""
        return any(scan.experimental for scan in self.deciding)

    @property
    def deciding(self) -> list[ScanCall]:
        """The scans whose call is the case's."""
        return [scan for scan in self.scans if scan.label == self.label]

    def of(self, number: int) -> ScanCall | None:
        """What the models call one scan; None while nobody has answered about it."""
        return next((scan for scan in self.scans if scan.number == number), None)

    def agrees(self, finding: str) -> bool | None:
        """Whether a finding is what the models say; None where either of them is no decision."""
        return finding == self.label if self.is_decided and finding in DECIDED else None

    def content(self) -> dict[str, Any]:
        """As a report keeps it: plain JSON values, which cases.review.call_words puts into words."""
        return {
            "label": self.label,
            "experimental": self.experimental,
            "scans": [scan.content() for scan in self.scans],
            "unanswered": list(self.unanswered),
        }

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


def call_of(case: Case, rules: ReadingRules | None = None) -> Call | None:
    """What the models call the case; None while none of them has answered. rules: the department's.

    Of a signed case it is what was signed, whatever other versions said or were retired since.
    """
    if case.pk in (signed := _signed_calls([case])):
        return signed[case.pk]
    scans = list(case.scans.active().order_by("number"))
    answers = newest_answers(scan.image_id for scan in scans)
    limits = (rules or ReadingRules.of(case.department)).undecided
    unfit = unfit_of(answers.values())
    return call([(scan.number, answers[scan.image_id]) for scan in scans], limits, unfit)


def unfit_of(answers: Iterable[Iterable[Prediction]]) -> frozenset[uuid.UUID]:
    """The versions behind answers that do not meet the rule for use, in one query."""
    judged = fitness_of_all(answer.model_version for given in answers for answer in given)
    return frozenset(key for key, fitness in judged.items() if not fitness.holds)


def calls_of(
    cases: Sequence[Case], scans: Mapping[uuid.UUID, Sequence[Scan]]
) -> dict[uuid.UUID, Call | None]:
    """The same of many cases in three queries, five where some are signed.

    scans: of each case; departments are at hand.
    """
    signed = _signed_calls(cases)
    limits = _limits({case.department_id: case.department for case in cases})
    answers = newest_answers(
        scan.image_id for case in cases if case.pk not in signed for scan in scans[case.pk]
    )
    unfit = unfit_of(answers.values())
    return signed | {
        case.pk: call(
            [(scan.number, answers[scan.image_id]) for scan in scans[case.pk]],
            limits[case.department_id],
            unfit,
        )
        for case in cases
        if case.pk not in signed
    }


def _signed_calls(cases: Sequence[Case]) -> dict[uuid.UUID, Call | None]:
    """Of those that are signed, what the signature holds; nothing of signatures of the earlier form."""
    keys = [case.pk for case in cases if case.stage == Case.Stage.SIGNED]
    if not keys:
        return {}
    rows = SignOff.objects.filter(case__in=keys, content__has_keys=["form", "call"])
    contents = dict(rows.values_list("case_id", "content__call"))
    named = [one["prediction"] for content in contents.values() if content for one in content["answers"]]
    answers = Prediction.objects.select_related("model_version").in_bulk(named) if named else {}
    numbers = dict(Scan.objects.filter(case__in=list(contents)).values_list("image_id", "number"))
    return {
        key: _as_signed(content, answers, numbers) if content else None for key, content in contents.items()
    }


def _as_signed(
    content: Mapping[str, Any], answers: Mapping[uuid.UUID, Prediction], numbers: Mapping[uuid.UUID, int]
) -> Call:
    by_scan: dict[int, list[Prediction]] = defaultdict(list)
    for one in content["answers"]:
        if answer := answers.get(uuid.UUID(one["prediction"])):
            by_scan[numbers[answer.image_id]].append(answer)
    scans = [
        ScanCall(
            number=one["scan"],
            label=one["label"],
            leading=answers.get(uuid.UUID(one["leading"]["prediction"])) if one["leading"] else None,
            answers=tuple(by_scan[one["scan"]]),
            reasons=tuple(one["reasons"]),
            experimental=one.get("experimental", False),
        )
        for one in content["scans"]
    ]
    return Call(content["label"], tuple(scans), tuple(content.get("unanswered", ())))


def call(
    by_scan: Iterable[tuple[int, Sequence[Prediction]]],
    limits: Limits,
    unfit: Collection[uuid.UUID] = (),
) -> Call | None:
    """by_scan: the number of each scan, and the newest answer of every version about it.

    unfit: the versions that do not meet the rule for use.
    """
    asked = list(by_scan)
    found = [one for number, answers in asked if (one := scan_call(number, answers, limits, unfit))]
    labels = {one.label for one in found}
    label = next((label for label in FIRST if label in labels), None)
    unanswered = tuple(number for number, answers in asked if not answers)
    return Call(label, tuple(found), unanswered) if label else None


def scan_call(
    number: int, answers: Sequence[Prediction], limits: Limits, unfit: Collection[uuid.UUID] = ()
) -> ScanCall | None:
    """What the models call one scan; None while nobody has answered about it."""
    counting, experimental = _fit(_in_use(answers), unfit)
    if not counting:
        return None
    if not any(answer.analysable for answer in counting):
        return ScanCall(number, NOT_ANALYSABLE, None, tuple(counting), experimental=experimental)
    leading = _leading(counting)
    others = [answer.label for answer in counting if answer is not leading]
    reasons = doubts_about(leading.said, others, limits)
    label = UNDECIDED if reasons else leading.label
    return ScanCall(number, label, leading, tuple(counting), reasons, experimental)


def _in_use(answers: Sequence[Prediction]) -> list[Prediction]:
    """Those of the versions in use; all of them where none of these has answered."""
    active = ModelVersion.State.ACTIVE
    found = [answer for answer in answers if answer.model_version.state == active] or answers
    return sorted(found, key=lambda answer: (answer.model_version.network, answer.model_version.version))


def _fit(answers: list[Prediction], unfit: Collection[uuid.UUID]) -> tuple[list[Prediction], bool]:
    """Those of versions that meet the rule for use; all, and that they are experimental, where none does."""
    fit = [answer for answer in answers if answer.model_version.pk not in unfit]
    return (fit, False) if fit else (answers, bool(answers))


def _leading(answers: Sequence[Prediction]) -> Prediction:
    """The combined answer where there is one; else, of those that say what most say, the one most in doubt.

    Versions that answer side by side have no order of rank, so the doubt of any of them counts. What a tie
    leads to is undecided either way.
    """
    combined = [answer for answer in answers if answer.model_version.network == ENSEMBLE]
    if combined:
        return combined[0]
    said = [answer for answer in answers if answer.analysable]
    positive = [answer for answer in said if answer.label == POSITIVE]
    negative = [answer for answer in said if answer.label != POSITIVE]
    most = positive if len(positive) >= len(negative) else negative
    return max(most, key=lambda answer: (answer.turns, answer.doubt or 0.0))


def _limits(departments: Mapping[int, Department]) -> dict[int, Limits]:
    stated = {rules.department_id: rules for rules in ReadingRules.objects.filter(department__in=departments)}
    return {
        key: (stated.get(key) or ReadingRules(department=department)).undecided
        for key, department in departments.items()
    }
