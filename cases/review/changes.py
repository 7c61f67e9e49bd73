"""What has changed on a case since a page was opened: one sentence for each thing."""

from collections.abc import Iterator

from django.utils.translation import gettext

from cases.models import Measurement, Read, Scan
from cases.review.call_words import call_sentence
from cases.review.panel import ReviewPanel
from cases.review.policy import named
from cases.review.shown import Shown
from inference.models import Prediction
from refusals import Refusal


def refuse_if_changed(panel: ReviewPanel, shown: Shown) -> None:
    """Raises changed_since unless the page showed just what this reader may see now."""
    if shown != panel.shown:
        sentence = gettext("Nothing was filed: the case has changed since this page was opened.")
        raise Refusal("changed_since", sentence, changes(panel, shown))


def changes(panel: ReviewPanel, before: Shown) -> list[str]:
    """One sentence for each thing that came, went or reads otherwise since."""
    now = panel.shown
    found = [
        *_scans(panel, before, now),
        *_answers(panel, before, now),
        *_measurements(panel, before, now),
        *_reads(panel, before, now),
    ]
    return found or [gettext("The page did not show what is there now.")]


def _scans(panel: ReviewPanel, before: Shown, now: Shown) -> Iterator[str]:
    for scan in Scan.objects.filter(case=panel.case).select_related("added_by"):
        name = named(scan.pk, scan.original_sha256)
        if name in now.scans - before.scans:
            sentence = gettext("Scan {number} was not on the page: {name} has added it.")
            yield sentence.format(number=scan.number, name=scan.added_by.full_name)
        if name in before.scans - now.scans:
            yield gettext("Scan {number} no longer counts.").format(number=scan.number)


def _answers(panel: ReviewPanel, before: Shown, now: Shown) -> Iterator[str]:
    new = [key for key in now.answers - before.answers if not key.startswith("call:")]
    numbers = dict(Scan.objects.filter(case=panel.case).values_list("image_id", "number"))
    for answer in Prediction.objects.filter(pk__in=new).select_related("model_version"):
        sentence = gettext("{version} has answered about scan {number}.")
        version = f"{answer.model_version.network} {answer.model_version.version}"
        yield sentence.format(version=version, number=numbers[answer.image_id])
    if _call(before) != _call(now) and panel.called:
        yield gettext("The models now say: {call}").format(call=call_sentence(panel.called.content()))
    elif not new and before.answers != now.answers:
        yield gettext("The models' answers are no longer those that the page showed.")


def _call(shown: Shown) -> str:
    return next((key for key in shown.answers if key.startswith("call:")), "")


def _measurements(panel: ReviewPanel, before: Shown, now: Shown) -> Iterator[str]:
    for one in panel.active_measurements:
        if str(one.pk) in now.measurements - before.measurements:
            sentence = gettext("{name} has measured: {title}, {length}.")
            yield sentence.format(name=one.made_by.full_name, title=one.title, length=one)
    for statement in panel.unseen:
        if str(statement.pk) in now.measurements - before.measurements:
            sentence = gettext("{name} has said of an atrium: {side}, {reason}.")
            side, name = statement.get_side_display(), statement.stated_by.full_name
            yield sentence.format(name=name, side=side, reason=statement)
    gone = before.measurements - now.measurements
    yield from _calibrations(panel, now.measurements - before.measurements, gone)
    for told in panel.statements:
        if str(told.pk) in gone:
            side = told.get_side_display()
            yield gettext("What was said of an atrium no longer holds: {side}.").format(side=side)
    for row in Measurement.objects.of_case(panel.case):
        if str(row.pk) in gone:
            sentence = gettext("A measurement no longer counts: {title}, {length}.")
            yield sentence.format(title=row.title, length=row)


def _calibrations(panel: ReviewPanel, new: frozenset[str], gone: frozenset[str]) -> Iterator[str]:
    for one in panel.calibrations:
        if str(one.pk) in new:
            sentence = gettext("{name} has calibrated scan {number}: {scale}.")
            yield sentence.format(name=one.made_by.full_name, number=one.scan.number, scale=one)
        if str(one.pk) in gone:
            sentence = gettext("A calibration of scan {number} no longer counts: {scale}.")
            yield sentence.format(number=one.scan.number, scale=one)


def _reads(panel: ReviewPanel, before: Shown, now: Shown) -> Iterator[str]:
    for read in panel.reads:
        if str(read.pk) in now.reads - before.reads:
            sentence = gettext("{name} has filed a read: {kind}.")
            yield sentence.format(name=read.reader.full_name, kind=Read.Kind(read.kind).label)
    if before.reads - now.reads and not now.scans - before.scans:
        yield gettext("A read that the page showed no longer counts.")
