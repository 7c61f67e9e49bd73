"""The report of a case for whoever looks: of a signed case what was signed, of another a draft."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from accounts.models import User
from blobs import store
from blobs.store import BlobCorrupt, BlobUnavailable
from cases.case_page.summary import CaseSummary, ScanSummary, summarise
from cases.models import Case, Measurement, ReadingRules, SignOff
from cases.report import content
from cases.report.content import FORM, Draft, draft, moment
from cases.report.words import EARLIER_FORM, Report, later_words, report
from cases.review.calls import call
from cases.review.panel import ReviewPanel, review_panel
from inference.engine.uncertainty.undecided import NO_LIMITS


def report_of(case: Case, user: User) -> Report:
    """What the user may see of it; a signed report says the same to everybody."""
    summary, panel = summarise(case), review_panel(case, user)
    signature = panel.signature
    if signature is None:
        found = draft(case, summary, panel, panel.called)
        return report(found.said, found.pictures.get)
    signed = signed_draft(signature, summary, panel)
    known = frozenset(str(key) for key in content.keys_of(signed.said))
    now = [
        {"number": entry.scan.number, "answers": [content.answered(one) for one in entry.answers]}
        for entry in summary.scans
    ]
    return report(
        signed.said,
        lambda sha256: signed.pictures.get(sha256) or _stored(sha256),
        signed_sha256=signature.content_sha256,
        form="" if signature.content.get("form") == FORM else EARLIER_FORM,
        later=list(later_words(now, known)),
        addenda=panel.addenda,
    )


def signed_draft(signature: SignOff, summary: CaseSummary, panel: ReviewPanel) -> Draft:
    """What was signed. The earlier form named rows by hash: they are shown as they stood then."""
    if signature.content.get("form") == FORM:
        return Draft(signature.content)
    then = _as_of(signature, summary)
    said = [
        (entry.scan.number, [one.prediction for one in entry.answers if one.prediction])
        for entry in then.scans
    ]
    found = draft(signature.case, then, _panel_as_of(signature, panel), call(said, NO_LIMITS))
    found.said["signature"] = signed_block(signature.name, signature.meaning, moment(signature.signed_at))
    return found


def signed_block(name: str, meaning: str, at: str, username: str = "") -> dict[str, Any]:
    """Who signs, when, and the sentence they stand for."""
    return {"name": name, "username": username, "meaning": meaning, "at": at}


def _as_of(signature: SignOff, summary: CaseSummary) -> CaseSummary:
    """Without answers and maps that came later."""
    return CaseSummary([replace(entry, answers=list(_before(signature, entry))) for entry in summary.scans])


def _before(signature: SignOff, entry: ScanSummary) -> Iterator[Any]:
    for answer in entry.answers:
        if answer.prediction and answer.prediction.created_at <= signature.signed_at:
            why = [one for one in answer.why if one.explanation.created_at <= signature.signed_at]
            yield replace(answer, why=why, fitness=None)  # nobody asked for the rule then


def _panel_as_of(signature: SignOff, panel: ReviewPanel) -> ReviewPanel:
    """With the measurements that stood when it was signed, and the scheme of that day."""
    named = [one["id"] for one in signature.content["measurements"]]
    stood = list(Measurement.objects.of_case(signature.case).filter(pk__in=named))
    rules = ReadingRules(
        department=signature.case.department,
        mode=signature.content["reading_mode"],
        severity_scheme=signature.content["severity_scheme"],
    )
    return replace(panel, measurements=stood, context=replace(panel.context, rules=rules))


def _stored(sha256: str) -> bytes | None:
    try:
        return store.read(sha256)
    except (BlobCorrupt, BlobUnavailable):
        return None
