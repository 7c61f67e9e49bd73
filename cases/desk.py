"""What one reader can do on a case now, and what readers have done: the lower right of the case page."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext

from accounts.models import User
from cases import measuring
from cases.calls import Call, call_of
from cases.measuring import Width
from cases.models import Addendum, Case, Measurement, Read, ReadingRules, SignOff
from cases.reading import ScanReading
from cases.standing import Standing, standing


@dataclass(frozen=True)
class Desk:
    """measurements: those this reader may see; a blind reader sees the own ones only."""

    stands: Standing
    measurements: list[Measurement]
    signature: SignOff | None
    addenda: list[Addendum]

    @property
    def case(self) -> Case:
        """The case on the desk."""
        return self.stands.case

    @property
    def rules(self) -> ReadingRules:
        """How its department reads."""
        return self.stands.rules

    @property
    def reads(self) -> list[Read]:
        """The reads that count, oldest first."""
        return self.stands.reads

    @property
    def hidden(self) -> bool:
        """Whether models' answers and others' findings are kept from this reader."""
        return not self.stands.sees_answers

    @property
    def due(self) -> Read.Kind | None:
        """Which read this reader may file now."""
        return self.stands.due

    @property
    def may_write(self) -> bool:
        """Whether this user reads cases here."""
        return self.stands.is_reader

    @cached_property
    def called(self) -> Call | None:
        """What the models call the case; None while that is hidden."""
        return None if self.hidden else call_of(self.case, self.rules)

    @property
    def standing(self) -> list[Measurement]:
        """The measurements that nobody has withdrawn."""
        return [one for one in self.measurements if not one.is_withdrawn]

    @cached_property
    def width(self) -> Width | None:
        """The widest atrial width in mm that stands."""
        return measuring.widest(self.standing, self.rules.scheme)

    @property
    def conflict(self) -> str:
        """ "wide" or "narrow" where the caliper says so and the models do not."""
        return measuring.conflict(self.width, self.called)

    @property
    def counting(self) -> Read | None:
        """The read whose finding is the case's."""
        return self.stands.counting

    @property
    def may_sign(self) -> bool:
        """Whether it is this reader who signs, and now."""
        read = self.counting
        ready = self.case.stage == Case.Stage.TO_SIGN and read is not None
        return ready and self.may_write and read is not None and read.reader_id == self.stands.user.pk

    @property
    def waits_for(self) -> str:
        """Whose turn it is, when it is not this reader's."""
        if self.due or self.may_sign or not self.may_write:
            return ""
        match self.case.stage:
            case Case.Stage.SECOND:
                return gettext("Another reader files the second read.")
            case Case.Stage.ADJUDICATION:
                return gettext("A senior reader who has not read the case adjudicates.")
            case Case.Stage.TO_SIGN:
                name = self.counting.reader.full_name if self.counting else ""
                return gettext("{name} signs.").format(name=name) if name else ""
            case _:
                return ""


def desk(case: Case, user: User) -> Desk:
    """Everything the desk shows, in a fixed number of queries."""
    stands = standing(case, user)
    measurements = list(Measurement.objects.of_case(case).select_related("withdrawal", "scan__withdrawal"))
    if not stands.sees_answers:
        measurements = [one for one in measurements if one.made_by_id == user.pk]
    signature = SignOff.objects.filter(case=case).first() if case.stage == Case.Stage.SIGNED else None
    addenda = list(case.addenda.all()) if signature else []
    return Desk(stands, measurements, signature, addenda)


def measurement_marks(desk: Desk, current: ScanReading) -> list[dict[str, Any]]:
    """What the viewer draws on the scan that is shown, as JSON."""
    return [
        {
            "id": str(one.pk),
            "frame": one.frame,
            "start": one.start,
            "end": one.end,
            "words": f"{one.title}: {one}",
        }
        for one in desk.standing
        if one.scan_id == current.scan.pk
    ]
