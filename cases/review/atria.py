"""The two atria of a case: each has its own place, with its width, or with why it cannot be measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from audit.trail import record
from cases.access import lock_for_writing
from cases.models import AtriumStatement, Case, Measurement
from cases.review.measurements import Width, widest
from cases.severity import Scheme
from inference.results.store import digest
from language.stored import english
from refusals import Refusal

Side = AtriumStatement.Side


@dataclass(frozen=True)
class Atrium:
    """One side. width: the widest that is confirmed, else the widest provisional one; None without any in mm.

    provisional: one that is wider than the confirmed one. pixels: a width of a scan without a scale. unseen:
    why it cannot be measured; None where a width stands, which counts before it.
    """

    side: str
    width: Width | None
    provisional: Width | None
    pixels: Measurement | None
    unseen: AtriumStatement | None

    @property
    def title(self) -> str:
        """ "Left"."""
        return str(Side(self.side).label)

    @property
    def is_settled(self) -> bool:
        """Whether it has a confirmed width, or a reason why there is none."""
        return self.unseen is not None or (self.width is not None and not self.width.is_provisional)


def atria(
    measurements: Sequence[Measurement], statements: Sequence[AtriumStatement], scheme: Scheme
) -> tuple[Atrium, Atrium]:
    """Left and right. measurements: those that stand. statements: oldest first."""
    left, right = (_atrium(side, measurements, statements, scheme) for side in (Side.LEFT, Side.RIGHT))
    return left, right


def _atrium(
    side: str, measurements: Sequence[Measurement], statements: Sequence[AtriumStatement], scheme: Scheme
) -> Atrium:
    mine = [one for one in measurements if one.tool == Measurement.Tool.ATRIAL_WIDTH and one.side == side]
    width = widest(mine, scheme)
    newest = next((one for one in reversed(statements) if one.side == side), None)
    return Atrium(
        side=str(side),
        width=width,
        provisional=wider(width, mine, scheme),
        pixels=mine[-1] if mine and width is None else None,
        unseen=newest if newest and newest.reason and not mine else None,
    )


def wider(width: Width | None, measurements: Sequence[Measurement], scheme: Scheme) -> Width | None:
    """A provisional width that is wider than the confirmed one: it is shown, and nothing follows from it."""
    if width is None or width.is_provisional:
        return None
    others = [one for one in measurements if (one.length_mm or 0.0) > width.mm]
    return widest(others, scheme)


@transaction.atomic
def state(case: Case, *, by: User, side: str, reason: str = "", note: str = "") -> AtriumStatement:
    """Store why an atrium cannot be measured; reason "" takes that back.

    Raises atrium_measured, reason_needed, nothing_to_take_back, case_signed, PermissionDenied.
    """
    case = lock_for_writing(case, by)
    note = note.strip()
    widths = Measurement.objects.active().of_case(case)
    if reason and widths.filter(tool=Measurement.Tool.ATRIAL_WIDTH, side=side).exists():
        raise Refusal("atrium_measured", gettext("This atrium has been measured: withdraw the width first."))
    if reason == AtriumStatement.Reason.OTHER and not note:
        raise Refusal(
            "reason_needed", gettext("Say in a few words why the atrium cannot be measured."), field="note"
        )
    before = case.atrium_statements.filter(side=side).last()
    if not reason and not (before and before.reason):
        raise Refusal("nothing_to_take_back", gettext("Nobody has said that this atrium cannot be measured."))
    row = AtriumStatement.objects.create(case=case, side=side, reason=reason, note=note[:300], stated_by=by)
    with english():
        words = f"{row.get_side_display()}: {row.get_reason_display()}"
    record(
        "atrium.stated",
        actor=by,
        subject=row,
        thread=case.thread,
        detail=words,
        reason=row.note,
        digest=digest(row),
    )
    return row
