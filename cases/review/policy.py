"""How a case and one user stand to each other: who may see the models' answers, and which read comes next."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from accounts.models import Membership, Role, User
from accounts.roles import WRITE_CASES
from cases.models import Case, Read, ReadingRules, Scan

Kind = Read.Kind
Stage = Case.Stage
Members = Mapping[int, frozenset[str]]
"""The roles that each active person holds in one department, by the person's key."""


@dataclass(frozen=True)
class ReadingContext:
    """How a case and one user stand to each other.

    reads: those that cover just the scans of the case, oldest first; another scan calls for new ones.
    scans: each as `named`. members: everybody of the department.
    """

    case: Case
    user: User
    rules: ReadingRules
    reads: list[Read]
    members: Members
    scans: frozenset[str]

    @property
    def has_scans(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.scans)

    @property
    def roles(self) -> frozenset[str]:
        """What the user is in the case's department."""
        return self.members.get(self.user.pk, frozenset())

    @property
    def is_reader(self) -> bool:
        """Whether the user reads cases of this department."""
        return bool(self.roles & WRITE_CASES)

    @property
    def is_concurrent(self) -> bool:
        """Whether the department shows answers at once."""
        return self.rules.mode == ReadingRules.Mode.CONCURRENT

    @property
    def somebody_is_blind(self) -> bool:
        """Whether there may be readers from whom answers are kept."""
        second = self.case.stage == Stage.SECOND and not self.rules.second_reader_sees
        return second or not self.is_concurrent

    @property
    def has_read(self) -> bool:
        """Whether the user has filed a read of every scan."""
        return any(read.reader_id == self.user.pk for read in self.reads)

    @property
    def sees_answers(self) -> bool:
        """Whether the models' answers and others' findings may be shown to this user now.

        Readers first file a read of their own, unless the department reads concurrently, the case is signed,
        or they are asked to adjudicate. Whoever may file the second read is blind until then, whatever they
        saw before, unless the department shows it. Whoever does not read cases is not blinded.
        """
        if self.due == Kind.SECOND:
            return self.rules.second_reader_sees
        free = self.is_concurrent or self.case.stage == Stage.SIGNED or not self.is_reader
        return free or self.user.is_service or self.has_read or self.due == Kind.ADJUDICATION

    @property
    def due(self) -> Kind | None:
        """Which read this user may file now; None when it is somebody else's turn, or nobody's."""
        if not self.has_scans:
            return None
        match self.case.stage:
            case Stage.TO_READ | Stage.TO_CONCLUDE:
                return self._first_read
            case Stage.SECOND:
                return Kind.SECOND if self.user.pk in self.second_readers else None
            case Stage.ADJUDICATION:
                if self.user.pk in self.adjudicators:
                    return Kind.ADJUDICATION
                return Kind.JOINT if self.user.pk in self.parties else None
            case Stage.TO_SIGN:
                return None if self.signer else self._first_read
            case _:
                return None

    @property
    def _first_read(self) -> Kind | None:
        if not self.is_reader:
            return None
        return Kind.FINAL if self.is_concurrent or self.has_read else Kind.BLIND

    @cached_property
    def round(self) -> list[Read]:
        """The newest final read and what followed it."""
        return round_of(self.reads)

    @property
    def readers(self) -> frozenset[int]:
        """Everybody who reads cases of the department, by their keys."""
        return frozenset(key for key, roles in self.members.items() if roles & WRITE_CASES)

    @property
    def judges(self) -> frozenset[int]:
        """Who has judged since the newest final read, and so is neither second reader nor adjudicator."""
        return frozenset(read.reader_id for read in self.round if read.kind != Kind.BLIND)

    @property
    def second_readers(self) -> frozenset[int]:
        """Who may file the second read."""
        return self.readers - self.judges

    @property
    def adjudicators(self) -> frozenset[int]:
        """Who may adjudicate: senior readers and whom the department has named, if they have not judged."""
        seniors = {key for key, roles in self.members.items() if Role.SENIOR_READER in roles}
        return frozenset(seniors | self._named) - self.judges

    @property
    def parties(self) -> frozenset[int]:
        """The two who differ, where both still read here: they can agree in a joint read."""
        newest = {read.kind: read.reader_id for read in self.round}
        pair = {newest[kind] for kind in (Kind.FINAL, Kind.SECOND) if kind in newest}
        return frozenset(pair) if len(pair) == 2 and pair <= self.readers else frozenset()

    @property
    def _named(self) -> set[int]:
        named = self.rules.adjudicator
        return {named.pk} if named and named.is_active else set()

    @property
    def counting(self) -> Read | None:
        """The read whose finding is the case's: the adjudication or joint read, else the final read."""
        return counting_read(self.reads)

    @property
    def signer(self) -> int | None:
        """Who signs: the reader of the read that counts, while they still read here."""
        read = self.counting
        if read is None:
            return None
        able = self.readers | (self._named if read.kind == Kind.ADJUDICATION else set())
        return read.reader_id if read.reader_id in able else None

    @property
    def proposed(self) -> Read | None:
        """The joint read that waits for the other reader's word."""
        if self.case.stage != Stage.ADJUDICATION:
            return None
        return next((read for read in reversed(self.round) if read.kind == Kind.JOINT), None)

    @property
    def may_confirm(self) -> bool:
        """Whether the joint read that was proposed waits for this user."""
        read = self.proposed
        return bool(read and self.user.pk in self.parties and read.reader_id != self.user.pk)


def reading_context(case: Case, user: User) -> ReadingContext:
    """In four queries: rules, scans, reads, roles."""
    scans = scans_of(case)
    rules = ReadingRules.of(case.department)
    members = _members([case.department_id]).get(case.department_id, {})
    return ReadingContext(case, user, rules, _reads(case, scans), members, scans)


def may_see_answers(case: Case, user: User) -> bool:
    """Whether the models' answers may be shown to this user now; see Standing."""
    return reading_context(case, user).sees_answers


def hidden_cases(
    cases: Sequence[Case], scans: Mapping[uuid.UUID, Sequence[Scan]], user: User
) -> set[uuid.UUID]:
    """Those of many cases whose answers may not be shown to this user, in two queries.

    scans: of each case. Departments and reads of the cases are at hand.
    """
    departments = {case.department_id: case.department for case in cases}
    known = ReadingRules.objects.filter(department__in=departments).select_related("adjudicator")
    stated = {rules.department_id: rules for rules in known}
    members = _members(departments)
    hidden = set()
    for case in cases:
        place = case.department_id
        there = frozenset(named(scan.pk, scan.original_sha256) for scan in scans[case.pk])
        rules = stated.get(place) or ReadingRules(department=departments[place])
        reads = current(case.reads.all(), there)
        if not ReadingContext(case, user, rules, reads, members.get(place, {}), there).sees_answers:
            hidden.add(case.pk)
    return hidden


def scans_of(case: Case) -> frozenset[str]:
    """Every scan that a read of the case must cover, as `named`."""
    return frozenset(named(*scan) for scan in case.scans.active().values_list("pk", "original_sha256"))


def named(key: uuid.UUID, sha256: str) -> str:
    """A scan by its key and its hash: the same file, withdrawn and added anew, is another scan."""
    return f"{key}:{sha256}"


def current_reads(case: Case) -> list[Read]:
    """The reads of a case that cover just its scans, oldest first."""
    return _reads(case, scans_of(case))


def _reads(case: Case, scans: frozenset[str]) -> list[Read]:
    return current(case.reads.select_related("reader", "confirmation").order_by("created_at"), scans)


def current(reads: Iterable[Read], scans: frozenset[str]) -> list[Read]:
    """The reads whose scans are just these: none more, none fewer. When they were filed does not matter.

    scans: as `named`. A read from before scans were named in it covers scans of the same hashes.
    """
    hashes = frozenset(scan.partition(":")[2] for scan in scans)
    return [read for read in reads if scans and _covers(read, scans, hashes)]


def _covers(read: Read, scans: frozenset[str], hashes: frozenset[str]) -> bool:
    return frozenset(read.shown["scans"]) == scans if read.shown else frozenset(read.scans) == hashes


def round_of(reads: Iterable[Read]) -> list[Read]:
    """The newest final read and those after it: a final read that is filed anew begins again.

    reads: oldest first, of the same scans.
    """
    found: list[Read] = []
    for read in reads:
        if read.kind == Kind.FINAL:
            found = [read]
        elif found:
            found.append(read)
    return found


def counting_read(reads: Iterable[Read]) -> Read | None:
    """The read whose finding is the case's, among those that cover all its scans."""
    counts = [read for read in round_of(reads) if settles(read) or read.kind == Kind.FINAL]
    return counts[-1] if counts else None


def stage_after(reads: Sequence[Read], second_reader: str) -> Stage:
    """What readers of a case do next that nobody has signed.

    reads: those that cover its scans, oldest first. second_reader: when the department asks for one.
    """
    judged = round_of(reads)
    if not judged:
        return Stage.TO_CONCLUDE if reads else Stage.TO_READ
    final = judged[0]
    second = next((read for read in judged if read.kind == Kind.SECOND), None)
    if any(settles(read) for read in judged):
        return Stage.TO_SIGN
    if second:
        return Stage.TO_SIGN if second.finding == final.finding else Stage.ADJUDICATION
    return Stage.SECOND if _wants_second(final, second_reader) else Stage.TO_SIGN


def _wants_second(final: Read, rule: str) -> bool:
    doubtful = final.agrees is False or final.called == Read.Called.UNDECIDED
    asked = rule == ReadingRules.SecondReader.DISAGREEMENT and doubtful
    return rule == ReadingRules.SecondReader.ALWAYS or asked


def settles(read: Read) -> bool:
    """Whether two readers who differ are done with: adjudicated, or agreed and confirmed by the other."""
    return read.kind == Kind.ADJUDICATION or (read.kind == Kind.JOINT and hasattr(read, "confirmation"))


def _members(departments: Iterable[int]) -> dict[int, dict[int, frozenset[str]]]:
    """For each department the roles that its active people hold; programs file no reads."""
    people = Membership.objects.filter(user__is_active=True, user__is_service=False)
    held = people.filter(department__in=list(departments))
    found: dict[int, dict[int, set[str]]] = {}
    for department, user, role in held.values_list("department", "user", "role"):
        found.setdefault(department, {}).setdefault(user, set()).add(role)
    return {
        place: {user: frozenset(roles) for user, roles in there.items()} for place, there in found.items()
    }
