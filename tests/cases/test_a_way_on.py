"""No stage is a dead end: somebody can always go on, or the page says who must be named, and by whom."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import pages
import pytest
from conftest import PASSWORD, member

from accounts.models import Membership, Role, User
from audit.models import Event
from cases import verification
from cases.models import Case, Confirmation, Read, ReadingRules, SignOff
from cases.review.panel import ReviewPanel
from cases.review.policy import Kind, ReadingContext, Stage, stage_after
from notices.models import Notice

SCAN = frozenset({"1:abc"})
FINDINGS = ("normal", "ventriculomegaly")
NAMED = 99
"""The adjudicator from elsewhere."""


@dataclass(frozen=True)
class State:
    """What was filed, as (kind, reader, finding, confirmed), and who is there, as (key, role)."""

    people: frozenset[tuple[int, str]]
    filed: tuple[tuple[str, int, str, bool], ...] = ()

    def reads(self, always: bool) -> list[Read]:
        found = []
        for kind, reader, finding, confirmed in self.filed:
            read = Read(
                kind=kind,
                reader=User(pk=reader, username=f"reader {reader}"),
                finding=finding,
                agrees=None if always else False,
                scans=["abc"],
            )
            read._state.fields_cache["confirmation"] = Confirmation() if confirmed else None
            found.append(read)
        return found


@dataclass(frozen=True)
class House:
    """How the department reads. Under `always` a second read is asked for whatever the models say."""

    mode: str
    always: bool
    named: bool

    def review_panel(self, state: State, user: int) -> ReviewPanel:
        rules = ReadingRules(mode=self.mode, second_reader="always" if self.always else "disagreement")
        if self.named:
            rules.adjudicator = User(pk=NAMED, username="named")
        reads = state.reads(self.always)
        stage = stage_after(reads, rules.second_reader)
        members = {key: frozenset({role}) for key, role in state.people}
        case = Case(stage=stage)
        context = ReadingContext(case, User(pk=user), rules, reads, members, SCAN)
        hidden = not context.sees_answers
        return ReviewPanel(context, measurements=[], statements=[], signature=None, addenda=[], hidden=hidden)

    def moves(self, state: State) -> Iterator[State | None]:
        """What people can do; None stands for a signature."""
        everybody = {key for key, _ in state.people} | ({NAMED} if self.named else set())
        for user in sorted(everybody):
            panel = self.review_panel(state, user)
            if panel.due:
                for finding in FINDINGS:
                    yield replace(state, filed=(*state.filed, (str(panel.due), user, finding, False)))
            if panel.context.may_confirm:
                last = max(place for place, one in enumerate(state.filed) if one[0] == Kind.JOINT)
                filed = list(state.filed)
                filed[last] = (*filed[last][:3], True)
                yield replace(state, filed=tuple(filed))
            if panel.may_sign:
                yield None


HOUSES = [House(*one) for one in product(ReadingRules.Mode.values, (False, True), (False, True))]
TEAMS = [team for team in product(range(4), range(4)) if sum(team)]
NAMES_SOMEBODY = "administrator"
DEEP = 7


def team(readers: int, seniors: int) -> frozenset[tuple[int, str]]:
    keys = range(1, readers + seniors + 1)
    roles = [Role.READER.value] * readers + [Role.SENIOR_READER.value] * seniors
    return frozenset(zip(keys, roles, strict=True))


@pytest.mark.parametrize("house", HOUSES, ids=str)
@pytest.mark.parametrize("size", TEAMS, ids=str)
def test_from_every_stage_somebody_can_go_on_or_the_page_says_who_must_be_named(house, size):
    """Every state that people can bring about, also after anybody of them has left."""
    start = State(team(*size))
    seen, waiting, stages = set(), [start], set()
    while waiting:
        state = waiting.pop()
        if state in seen or len(state.filed) > DEEP:
            continue
        seen.add(state)
        onlooker = house.review_panel(state, -1)
        stages.add(onlooker.case.stage)
        moves = list(house.moves(state))
        assert moves or NAMES_SOMEBODY in onlooker.waits_for, (state, onlooker.case.stage)
        if len(seen) < 400:  # from there on rounds repeat
            waiting += [move for move in moves if move]
            waiting += [replace(state, people=state.people - {one}) for one in state.people]
    assert Stage.TO_READ in stages


def test_the_walk_reaches_every_stage():
    reached = set()
    house, waiting, seen = HOUSES[0], [State(team(1, 2))], set()
    while waiting:
        state = waiting.pop()
        if state in seen or len(state.filed) > 5:
            continue
        seen.add(state)
        reached.add(house.review_panel(state, -1).case.stage)
        moves = list(house.moves(state))
        reached |= {Stage.SIGNED for move in moves if move is None}
        waiting += [move for move in moves if move]
    assert reached == set(Stage)


@pytest.fixture
def differing(case, alice, bob, small_scan, client_of, department) -> Case:
    """Alice and Bob, the only senior reader, differ; every case is read twice."""
    ReadingRules.objects.filter(department=department).update(second_reader="always")
    small_scan(case, alice)
    pages.file_read(client_of(alice), case, kind="final", finding="normal")
    page = client_of(bob).get(case.get_absolute_url()).content.decode()
    assert "Nobody else in this department could adjudicate" in page
    pages.file_read(client_of(bob), case, kind="second", finding="ventriculomegaly")
    assert Case.objects.get().stage == "adjudication"
    return case


@pytest.mark.django_db
def test_a_second_read_that_leaves_an_adjudicator_warns_of_nothing(
    case, alice, bob, small_scan, client_of, department
):
    ReadingRules.objects.filter(department=department).update(second_reader="always")
    member("senior", department, Role.SENIOR_READER)
    small_scan(case, alice)
    pages.file_read(client_of(alice), case, kind="final", finding="normal")
    page = client_of(bob).get(case.get_absolute_url()).content.decode()
    assert "File second read" in page
    assert "could adjudicate" not in page


@pytest.mark.django_db
def test_two_readers_agree_in_a_joint_read_that_the_other_confirms_with_the_password(
    differing, alice, bob, client_of
):
    pages.file_read(client_of(alice), differing, kind="joint", finding="ventriculomegaly", laterality="left")
    assert Case.objects.get().stage == "adjudication", "one alone settles nothing"
    address = f"/cases/{differing.pk}/joint/"
    own = client_of(alice)
    mine = own.post(address, pages.shown_now(differing, alice).fields | {"password": PASSWORD})
    assert mine.status_code == 409, "nobody confirms their own"
    other = client_of(bob)
    shown = pages.shown_by(other, address)
    assert other.post(address, shown | {"password": "wrong"}).status_code == 422
    assert other.post(address, shown | {"password": PASSWORD}).status_code == 302
    assert Case.objects.get().stage == "to_sign"
    assert pages.sign(own, differing, PASSWORD).status_code == 302
    assert SignOff.objects.get().read.kind == "joint"
    printed = own.get(f"/cases/{differing.pk}/report/").content.decode()
    assert "Joint read by alice and bob" in printed
    assert list(verification.faults()) == []


@pytest.mark.django_db
def test_an_adjudicator_from_elsewhere_sees_just_what_waits_for_them_and_signs_it(
    differing, charlie, other_department, client_of, department, alice, small_scan
):
    senior = member("senior", other_department, Role.SENIOR_READER)
    client = client_of(senior)
    assert client.get(differing.get_absolute_url()).status_code == 404
    ReadingRules.objects.filter(department=department).update(adjudicator=senior)
    assert "Adjudicate" in client.get(differing.get_absolute_url()).content.decode()
    assert [line.case for line in client.get("/").context["page"].lines] == [differing]
    assert client_of(charlie).get(differing.get_absolute_url()).status_code == 404
    measured = {
        "tool": "distance",
        "frame": 0,
        "start_row": 1,
        "start_column": 1,
        "end_row": 3,
        "end_column": 3,
    }
    for address, sent in (
        (f"/scans/{differing.scans.get().pk}/measurements/", measured),
        (f"/scans/{differing.scans.get().pk}/try-again/", {}),
    ):
        assert client.post(address, sent).status_code == 403, "adjudicating is the only right"
    filed = pages.file_read(client, differing, kind="adjudication", finding="ventriculomegaly")
    assert filed.status_code == 302
    assert pages.sign(client, differing, PASSWORD).status_code == 302
    assert SignOff.objects.get().signed_by == senior
    assert "Add an addendum" in client.get(differing.get_absolute_url()).content.decode()
    amended = client.post(
        f"/cases/{differing.pk}/addenda/", {"text": "Seen again by MRI.", "password": PASSWORD}
    )
    assert amended.status_code == 302, "what they adjudicated they may add to"
    assert differing.addenda.get().written_by == senior
    ReadingRules.objects.filter(department=department).update(adjudicator=None)
    assert client.get(differing.get_absolute_url()).status_code == 404
    late = client.post(f"/cases/{differing.pk}/addenda/", {"text": "More.", "password": PASSWORD})
    assert late.status_code == 404


@pytest.mark.django_db
def test_when_the_reader_who_would_sign_has_left_another_files_and_signs(
    case, alice, bob, small_scan, client_of
):
    small_scan(case, alice)
    pages.file_read(client_of(alice), case, kind="final", finding="normal")
    Membership.objects.filter(user=alice).delete()
    client = client_of(bob)
    assert "alice no longer reads here" in client.get(case.get_absolute_url()).content.decode()
    pages.file_read(client, case, kind="final", finding="normal")
    assert pages.sign(client, case, PASSWORD).status_code == 302
    assert SignOff.objects.get().signed_by == bob


@pytest.mark.django_db
def test_an_administrator_names_a_senior_reader_and_not_themselves(
    administrator, department, other_department, client_of
):
    senior = member("senior", other_department, Role.SENIOR_READER)
    Membership.objects.create(user=administrator, department=department, role=Role.SENIOR_READER)
    page = client_of(administrator).get(f"/admin/cases/readingrules/{department.pk}/change/").content.decode()
    offered = page.partition('name="adjudicator"')[2].partition("</select>")[0]
    assert f'value="{senior.pk}"' in offered
    assert f'value="{administrator.pk}"' not in offered


def named(client, department, senior) -> None:
    """Name somebody, or nobody, on the Administration's page."""
    address = f"/admin/cases/readingrules/{department.pk}/change/"
    rules = ReadingRules.of(department)
    sent = {
        name: getattr(rules, name)
        for name in ("mode", "second_reader", "severity_scheme", "undecided_doubt", "undecided_opposed")
    }
    sent |= {
        "department": department.pk,
        "adjudicator": senior.pk if senior else "",
        "own_password": PASSWORD,
    }
    answered = client.post(address, sent)
    assert answered.status_code == 302, answered.content.decode()


@pytest.mark.django_db
def test_whoever_is_named_as_adjudicator_is_told_so_and_of_every_case_that_waits(
    differing, administrator, other_department, client_of, department
):
    senior = member("senior", other_department, Role.SENIOR_READER)
    other = member("other", other_department, Role.SENIOR_READER)
    office = client_of(administrator)
    named(office, department, senior)
    told = {one.code for one in Notice.objects.filter(user=senior)}
    assert told == {"adjudicator.named", "read.adjudication_wanted"}
    page = client_of(senior).get("/notices/").content.decode()
    assert f"named you adjudicator of {department.name}" in page
    assert f"Case {differing.number} waits for your adjudication." in page
    named(office, department, other)
    assert {one.code for one in Notice.objects.filter(user=senior)} == {
        "adjudicator.named",
        "adjudicator.released",
    }
    assert Notice.objects.filter(user=other, code="read.adjudication_wanted").exists()
    verbs = Event.objects.filter(verb__startswith="adjudicator.").values_list("verb", "subject_id")
    assert list(verbs.order_by("pk")) == [
        ("adjudicator.named", str(senior.pk)),
        ("adjudicator.released", str(senior.pk)),
        ("adjudicator.named", str(other.pk)),
    ]
    for event in Event.objects.filter(verb="adjudicator.named"):
        assert {department.pk, other_department.pk} <= set(event.departments), "both are concerned"
