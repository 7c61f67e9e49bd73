"""What one reader can do on a case now, and what readers have done: the lower right of the case page."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext, gettext_noop

from accounts.models import User
from cases.case_page.summary import ScanSummary
from cases.models import (
    Addendum,
    AtriumStatement,
    Calibration,
    Case,
    Measurement,
    Read,
    ReadingRules,
    Scan,
    SignOff,
)
from cases.review.atria import Atrium, atria, wider
from cases.review.calls import Call, call_of
from cases.review.measurements import Width, conflict, is_provisional, widest
from cases.review.policy import ReadingContext, reading_context
from cases.review.proposals import offered
from cases.review.shown import Shown

NO_READER = gettext_noop(
    "Nobody reads cases in this department now. An administrator gives somebody the role of a reader, under "
    "Administration, Memberships."
)
NO_SECOND_READER = gettext_noop(
    "There is no other reader in this department to file the second read. An administrator gives somebody "
    "the role of a reader, under Administration, Memberships."
)
NO_ADJUDICATOR = gettext_noop(
    "Nobody in this department may adjudicate: it takes a senior reader who has not read the case. An "
    "administrator names one from elsewhere, under Administration, Reading rules."
)
LEAVES_NOBODY = gettext_noop(
    "Nobody else in this department could adjudicate: if your finding differs from the first reader's, the "
    "two of you must agree in a joint read, or an administrator names an adjudicator from elsewhere, under "
    "Administration, Reading rules."
)
ANOTHER_FINAL = gettext_noop("Another reader files a final read, and signs it.")


@dataclass(frozen=True)
class ReviewPanel:
    """measurements, and statements about atria: those this reader may see; of a blind reader the own.

    hidden: whether models' answers and others' findings are kept from this reader. calibrations: everybody's,
    oldest first, as how large a pixel is tells nothing of what was found.
    """

    context: ReadingContext
    measurements: list[Measurement]
    statements: list[AtriumStatement]
    signature: SignOff | None
    addenda: list[Addendum]
    hidden: bool
    calibrations: list[Calibration] = field(default_factory=list)

    @property
    def case(self) -> Case:
        """The case that is read."""
        return self.context.case

    @property
    def rules(self) -> ReadingRules:
        """How its department reads."""
        return self.context.rules

    @property
    def reads(self) -> list[Read]:
        """The reads that count, oldest first."""
        return self.context.reads

    @property
    def due(self) -> Read.Kind | None:
        """Which read this reader may file now."""
        return self.context.due

    @property
    def may_write(self) -> bool:
        """Whether this user reads cases here."""
        return self.context.is_reader

    @property
    def may_file(self) -> bool:
        """Whether this user files reads of the case, now or at some other time."""
        return self.context.is_reader or self.due is not None

    @property
    def may_amend(self) -> bool:
        """Whether this user adds to the signed case: a reader, or whoever adjudicated it from elsewhere."""
        mine = {read.kind for read in self.reads if read.reader_id == self.context.user.pk}
        return self.signature is not None and (self.context.is_reader or Read.Kind.ADJUDICATION in mine)

    @cached_property
    def shown(self) -> Shown:
        """What this reader is shown now, and answers for when a form comes back with it."""
        own = self.context.user.pk
        return Shown(
            scans=self.context.scans,
            answers=frozenset() if self.hidden else self._answers,
            measurements=frozenset(
                str(one.pk) for one in [*self.active_measurements, *self.unseen, *self.active_calibrations]
            ),
            reads=frozenset(str(read.pk) for read in self.reads if not self.hidden or read.reader_id == own),
        )

    @property
    def unblinds(self) -> bool:
        """Whether this reader is shown anything that models or others have found."""
        own = self.context.user.pk
        others = any(read.reader_id != own for read in self.reads) or any(
            one.made_by_id != own for one in self.active_measurements
        )
        others = others or any(one.stated_by_id != own for one in self.statements)
        return not self.hidden and (others or bool(self.shown.answers))

    @property
    def _answers(self) -> frozenset[str]:
        if self.called is None:
            return frozenset()
        mark = ":experimental" if self.called.experimental else ""
        answers = {str(answer.pk) for answer in self.called.answers}
        return frozenset(answers | {f"call:{self.called.label}{mark}"})

    @cached_property
    def called(self) -> Call | None:
        """What the models call the case; None while that is hidden."""
        return None if self.hidden else call_of(self.case, self.rules)

    @property
    def active_measurements(self) -> list[Measurement]:
        """The measurements that nobody has withdrawn."""
        return [one for one in self.measurements if not one.is_withdrawn]

    @property
    def active_calibrations(self) -> list[Calibration]:
        """The calibrations that nobody has withdrawn."""
        return [one for one in self.calibrations if not one.is_withdrawn]

    def calibration_of(self, scan: Scan) -> Calibration | None:
        """What the scan's millimetres rest on, where its file states none: the newest that stands."""
        mine = [one for one in self.active_calibrations if one.scan_id == scan.pk]
        return mine[-1] if mine else None

    @cached_property
    def width(self) -> Width | None:
        """The widest atrial width in mm that stands: a provisional one only where none is confirmed."""
        return widest(self.active_measurements, self.rules.scheme)

    @cached_property
    def provisional(self) -> Width | None:
        """A provisional width that is wider than the confirmed one."""
        return wider(self.width, self.active_measurements, self.rules.scheme)

    @cached_property
    def atria(self) -> tuple[Atrium, Atrium]:
        """What is known of the left and of the right one."""
        return atria(self.active_measurements, self.statements, self.rules.scheme)

    @property
    def unseen(self) -> list[AtriumStatement]:
        """Why an atrium is not measured, of the sides of which that is said."""
        return [one.unseen for one in self.atria if one.unseen]

    @property
    def is_open(self) -> bool:
        """Whether an atrium has a width whose plane is not confirmed, so that the acquisition goes on."""
        if any(one.width and one.width.is_provisional for one in self.atria):
            return True
        widths = [one for one in self.active_measurements if one.tool == Measurement.Tool.ATRIAL_WIDTH]
        return bool(widths) and all(is_provisional(one) for one in widths)

    @property
    def conflict(self) -> str:
        """ "wide" or "narrow" where the caliper says so and the models do not."""
        return conflict(self.width, self.called)

    @property
    def counting(self) -> Read | None:
        """The read whose finding is the case's."""
        return self.context.counting

    @property
    def may_sign(self) -> bool:
        """Whether it is this reader who signs, and now."""
        return self.case.stage == Case.Stage.TO_SIGN and self.context.signer == self.context.user.pk

    @property
    def waits_for(self) -> str:
        """Whose turn it is, when it is not this reader's; and who must name somebody where it is nobody's."""
        if self.due or self.may_sign:
            return ""
        context = self.context
        match self.case.stage:
            case Case.Stage.TO_READ | Case.Stage.TO_CONCLUDE if not context.readers:
                return gettext(NO_READER)
            case Case.Stage.SECOND:
                waiting = gettext("Another reader files the second read.")
                return waiting if context.second_readers else gettext(NO_SECOND_READER)
            case Case.Stage.ADJUDICATION:
                waiting = gettext("A senior reader who has not read the case adjudicates.")
                return waiting if context.adjudicators or context.parties else gettext(NO_ADJUDICATOR)
            case Case.Stage.TO_SIGN if self.counting:
                name = self.counting.reader.full_name
                if context.signer:
                    return gettext("{name} signs.").format(name=name)
                sentence = gettext("{name} no longer reads here, and cannot sign.").format(name=name)
                return f"{sentence} {gettext(ANOTHER_FINAL if context.readers else NO_READER)}"
            case _:
                return ""

    @property
    def warns(self) -> str:
        """What to know before filing: that nobody could then adjudicate, or that one stands in."""
        if self.due == Read.Kind.SECOND and not self.context.adjudicators - {self.context.user.pk}:
            return gettext(LEAVES_NOBODY)
        if self.case.stage == Case.Stage.TO_SIGN and self.due and self.counting:
            name = self.counting.reader.full_name
            sentence = gettext("{name} no longer reads here, and cannot sign.").format(name=name)
            return f"{sentence} {gettext(ANOTHER_FINAL)}"
        return ""


def review_panel(case: Case, user: User) -> ReviewPanel:
    """Everything the panel shows, in a fixed number of queries."""
    context = reading_context(case, user)
    measurements = list(Measurement.objects.of_case(case).select_related("withdrawal", "scan__withdrawal"))
    statements = list(case.atrium_statements.select_related("stated_by"))
    if not context.sees_answers:
        measurements = [one for one in measurements if one.made_by_id == user.pk]
        statements = [one for one in statements if one.stated_by_id == user.pk]
    signature = SignOff.objects.filter(case=case).first() if case.stage == Case.Stage.SIGNED else None
    addenda = list(case.addenda.all()) if signature else []
    return ReviewPanel(
        context,
        measurements,
        statements,
        signature,
        addenda,
        hidden=not context.sees_answers,
        calibrations=list(Calibration.objects.of_case(case)),
    )


def measurement_words(one: Measurement) -> str:
    """Its length; a width whose measuring plane is not confirmed says that it is provisional."""
    return gettext("{length}, provisional").format(length=one) if is_provisional(one) else str(one)


def width_agrees(panel: ReviewPanel) -> str:
    """That the confirmed width says what the models do; "" while it does not, or nothing is decided.

    Where it contradicts them the findings say so (`conflict`).
    """
    width, called = panel.width, panel.called
    if width is None or width.is_provisional or called is None or not called.is_decided or panel.conflict:
        return ""
    return gettext("The measured width, {length}, agrees.").format(length=width.measurement)


def calipers(panel: ReviewPanel, current: ScanSummary | None) -> dict[str, Any]:
    """What the viewer draws on the scan that is shown, as JSON: readers' own lines, and what is proposed.

    offered: the proposals of the newest answers, for the page; none while answers are hidden.
    """
    if current is None:
        return {"marks": [], "offered": [], "proposals": []}
    found = offered(
        [] if panel.hidden else [one.prediction for one in current.answers], panel.active_measurements
    )
    mine = [_mark(one) for one in panel.active_measurements if one.scan_id == current.scan.pk]
    return {"marks": mine, "offered": found, "proposals": [one.mark for one in found]}


def _mark(one: Measurement) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "frame": one.frame,
        "across": one.across or "frames",
        "start": one.start,
        "end": one.end,
        "words": f"{one.title}: {measurement_words(one)}",
        "length": measurement_words(one),
        "provisional": is_provisional(one),
    }
