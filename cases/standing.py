"""How a case and one user stand to each other: who may see the models' answers, and which read comes next."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from accounts.models import Membership, Role, User
from accounts.roles import WRITE_CASES
from cases.models import Case, Read, ReadingRules, Scan

Kind = Read.Kind
Stage = Case.Stage


@dataclass(frozen=True)
class Standing:
    """How a case and one user stand to each other.

    reads: those that cover every scan of the case, oldest first; one that is added later calls for new ones.
    """

    case: Case
    user: User
    rules: ReadingRules
    reads: list[Read]
    roles: frozenset[str]
    has_scans: bool

    @property
    def is_reader(self) -> bool:
        """Whether the user reads cases of this department."""
        return bool(self.roles & WRITE_CASES)

    @property
    def is_concurrent(self) -> bool:
        """Whether the department shows answers at once."""
        return self.rules.mode == ReadingRules.Mode.CONCURRENT

    @property
    def has_read(self) -> bool:
        """Whether the user has filed a read of every scan."""
        return any(read.reader_id == self.user.pk for read in self.reads)

    @property
    def sees_answers(self) -> bool:
        """Whether the models' answers may be shown to this user now.

        Readers first file a read of their own, unless the department reads concurrently, the case is signed,
        or they are asked to adjudicate. Whoever does not read cases is not blinded.
        """
        free = self.is_concurrent or self.case.stage == Stage.SIGNED or not self.is_reader
        return free or self.user.is_service or self.has_read or self.due == Kind.ADJUDICATION

    @property
    def due(self) -> Kind | None:
        """Which read this user may file now; None when it is somebody else's turn, or nobody's."""
        if not self.is_reader or not self.has_scans:
            return None
        match self.case.stage:
            case Stage.TO_READ | Stage.TO_CONCLUDE:
                return Kind.FINAL if self.is_concurrent or self.has_read else Kind.BLIND
            case Stage.SECOND:
                return None if self._has_judged else Kind.SECOND
            case Stage.ADJUDICATION:
                may = Role.SENIOR_READER in self.roles and not self._has_judged
                return Kind.ADJUDICATION if may else None
            case _:
                return None

    @property
    def _has_judged(self) -> bool:
        return any(read.reader_id == self.user.pk and read.kind != Kind.BLIND for read in self.reads)

    @property
    def counting(self) -> Read | None:
        """The read whose finding is the case's: the adjudication where there was one, else the final read."""
        return counting_read(self.reads)


def standing(case: Case, user: User) -> Standing:
    """In four queries: rules, the newest scan, reads, roles."""
    newest = case.scans.standing().aggregate(added=Max("added_at"))["added"]
    reads = case.reads.select_related("reader").order_by("created_at")
    rules = ReadingRules.of(case.department)
    roles = _roles(user, [case.department_id]).get(case.department_id, frozenset())
    return _standing(case, user, rules, current(reads, newest), roles, newest)


def may_see_answers(case: Case, user: User) -> bool:
    """Whether the models' answers may be shown to this user now; see Standing."""
    return standing(case, user).sees_answers


def hidden_cases(
    cases: Sequence[Case], scans: Mapping[uuid.UUID, Sequence[Scan]], user: User
) -> set[uuid.UUID]:
    """Those of many cases whose answers may not be shown to this user, in two queries.

    scans: of each case. Departments and reads of the cases are at hand.
    """
    departments = {case.department_id: case.department for case in cases}
    stated = {rules.department_id: rules for rules in ReadingRules.objects.filter(department__in=departments)}
    roles = _roles(user, departments)
    hidden = set()
    for case in cases:
        place = case.department_id
        newest = max((scan.added_at for scan in scans[case.pk]), default=None)
        rules = stated.get(place) or ReadingRules(department=departments[place])
        reads = current(case.reads.all(), newest)
        if not _standing(case, user, rules, reads, roles.get(place, frozenset()), newest).sees_answers:
            hidden.add(case.pk)
    return hidden


def current_reads(case: Case) -> list[Read]:
    """The reads of a case that cover every scan, oldest first."""
    newest = case.scans.standing().aggregate(added=Max("added_at"))["added"]
    return current(case.reads.order_by("created_at"), newest)


def current(reads: Iterable[Read], newest: datetime | None) -> list[Read]:
    """The reads that cover every scan: those filed after the newest was added."""
    return [read for read in reads if newest and read.created_at >= newest]


def counting_read(reads: Iterable[Read]) -> Read | None:
    """The read whose finding is the case's, among those that cover all its scans."""
    newest = {read.kind: read for read in reads}
    return newest.get(Kind.ADJUDICATION) or newest.get(Kind.FINAL)


def _standing(
    case: Case,
    user: User,
    rules: ReadingRules,
    reads: list[Read],
    roles: frozenset[str],
    newest: datetime | None,
) -> Standing:
    return Standing(case, user, rules, reads, roles, has_scans=newest is not None)


def _roles(user: User, departments: Iterable[int]) -> dict[int, frozenset[str]]:
    """The roles an active user holds in each department."""
    if not user.is_active:
        return {}
    held = Membership.objects.filter(user=user, department__in=list(departments))
    found: dict[int, set[str]] = {}
    for department, role in held.values_list("department", "role"):
        found.setdefault(department, set()).add(role)
    return {department: frozenset(roles) for department, roles in found.items()}
