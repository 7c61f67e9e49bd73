"""The worklist: what is next?"""

from datetime import UTC, datetime, timedelta

import answers
import pytest
from conftest import member
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from audit.models import Event
from cases import services
from cases.models import Case, SavedView
from cases.review.calls import call
from cases.words import headline
from cases.worklist.lines import verdict, waiting
from inference.engine.records import NotAnalysable
from inference.engine.uncertainty.undecided import Limits
from inference.jobs import lease
from inference.models import Job, ModelVersion, Prediction

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_case(alice, department):
    def opened(patient_id: str, **kwargs) -> Case:
        case, _ = services.open_case(by=alice, department=department, patient_id=patient_id, **kwargs)
        return case

    return opened


def shown(response) -> list[str]:
    """Patient IDs, top to bottom."""
    return [line.case.patient.patient_id for line in response.context["page"].lines]


def test_the_list_opens_on_what_is_urgent_and_has_waited_longest_and_not_on_what_is_signed(
    open_case, client_of, bob
):
    for name in ("first", "second", "third", "done"):
        open_case(name, priority=Case.Priority.URGENT if name == "third" else Case.Priority.ROUTINE)
    Case.objects.filter(patient__patient_id="done").update(stage=Case.Stage.SIGNED)
    client = client_of(bob)
    assert shown(client.get("/")) == ["third", "first", "second"]
    assert shown(client.get("/?order=newest")) == ["third", "second", "first"]
    assert shown(client.get("/?stage=any&order=oldest")) == ["first", "second", "third", "done"]
    assert shown(client.get("/?stage=signed")) == ["done"]
    assert shown(client.get("/", {"q": "done"})) == ["done"], "who searches wants it, signed or not"


def test_where_every_case_is_signed_the_page_says_so_and_leads_on(case, client_of, alice):
    Case.objects.update(stage=Case.Stage.SIGNED)
    page = client_of(alice).get("/").content.decode()
    assert "Nothing waits" in page
    assert "?stage=signed" in page


def test_a_column_sorts_the_same_list(case, client_of, alice):
    page = client_of(alice).get("/?modality=mri&order=oldest")
    assert page.context["page"].sorts["urgent"] == "modality=mri&order=urgent"


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "0 min"), (35, "35 min"), (60, "1 h"), (47 * 60, "47 h"), (48 * 60, "2 d"), (9000, "6 d")],
)
def test_how_long_a_case_waits_is_said_in_passing(minutes, said):
    now = timezone.now()
    assert waiting(now - timedelta(minutes=minutes), now) == said


def test_a_reader_elsewhere_sees_an_empty_page_that_says_what_to_do(case, client_of, charlie):
    response = client_of(charlie).get("/")
    assert shown(response) == []
    assert "Open a case, drop a scan on it" in response.content.decode()


def test_whose_role_reads_no_cases_begins_at_their_own_work(case, client_of, manager, department):
    assert client_of(manager).get("/").url == reverse("inference:models")
    admin = member("adele", department, Role.ADMINISTRATOR)
    assert client_of(admin).get("/").url == reverse("inference:queue")


def test_somebody_without_a_role_is_told_so(client_of, django_user_model):
    nobody = django_user_model.objects.create_user("nobody", password="-")
    assert "Your role reads no cases" in client_of(nobody).get("/").content.decode()


def test_the_state_of_a_case_follows_its_jobs(case, alice, small_scan, client_of, tmp_path):
    client = client_of(alice)

    def state() -> tuple[str, str]:
        (line,) = client.get("/").context["page"].lines
        return line.progress, line.verdict

    assert state() == ("empty", "")
    small_scan(case, alice)
    assert state() == ("unanswered", "")
    answers.active_version(tmp_path)
    scan = small_scan(case, alice, seed=2)
    assert state() == ("working", "")
    answers.answer(Job.objects.get(image=scan.image))
    assert state() == ("answered", "Ventriculomegaly 0.75")


def test_a_failed_job_is_shown_until_an_answer_comes_after_all(case, alice, small_scan, client_of, tmp_path):
    answers.active_version(tmp_path)
    scan = small_scan(case, alice)
    job = Job.objects.get(image=scan.image)
    lease.fail(lease.claim(job.pk)[0], "worker_lost", "gone")
    client = client_of(alice)
    assert client.get("/").context["page"].lines[0].progress == "failed"
    services.submit_scan(scan, by=alice)
    answers.answer(Job.objects.get(image=scan.image, state="queued"))
    assert client.get("/").context["page"].lines[0].progress == "answered"


def test_a_refused_scan_is_said_in_words(case, alice, small_scan, client_of, tmp_path):
    answers.active_version(tmp_path)
    scan = small_scan(case, alice)
    answers.answer(Job.objects.get(image=scan.image), refusal=NotAnalysable("no_head", "No head was found."))
    assert "Not analysable" in client_of(alice).get("/").content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=ab-", ["AB-1", "AB-2"]),
        ("q=nothing", []),
        ("modality=mri", ["AB-2"]),
        ("modality=ultrasound", ["CD-1"]),
        ("progress=empty", ["AB-1"]),
        ("progress=unanswered&modality=mri", ["AB-2"]),
        ("modality=x-ray", ["AB-1", "AB-2", "CD-1"]),
    ],
)
def test_filters_narrow_the_list(query, expected, open_case, alice, small_scan, client_of):
    open_case("AB-1")
    small_scan(open_case("AB-2"), alice, look="mri")
    small_scan(open_case("CD-1"), alice)
    assert shown(client_of(alice).get(f"/?{query}")) == expected


def test_a_case_is_found_by_its_number(open_case, client_of, alice):
    case = open_case("AB-1")
    open_case("AB-2")
    assert shown(client_of(alice).get("/", {"q": case.number})) == ["AB-1"]


def test_pages_follow_one_another_without_gap_or_repeat(open_case, client_of, alice):
    names = [f"P-{number:03}" for number in range(85)]
    for name in names:
        open_case(name)
    client = client_of(alice)
    seen, after = [], ""
    for _ in range(3):
        response = client.get("/", {"after": after} if after else {})
        seen += shown(response)
        after = response.context["page"].next_after
    assert seen == names
    assert after is None


def test_a_page_cannot_continue_from_a_case_one_may_not_see(case, client_of, charlie):
    response = client_of(charlie).get("/", {"after": str(case.pk)})
    assert shown(response) == []


def test_the_number_of_queries_does_not_grow_with_the_list(
    open_case, alice, small_scan, client_of, tmp_path, django_assert_num_queries
):
    answers.active_version(tmp_path)
    client = client_of(alice)
    for number in range(12):
        scan = small_scan(open_case(f"P-{number}"), alice, seed=number)
        answers.answer(Job.objects.get(image=scan.image))
    # session, user, own roles, cases, reads, scans, rules of calls, answers, rules and roles of readers,
    # counts by stage, audit line, memberships, saved views, departments and readers to choose among; before
    # cases and counts whether a department names the user
    with django_assert_num_queries(19):
        assert len(shown(client.get("/"))) == 12


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"reader": "bob"}, ["OF-BOB"]),
        ({"department": "fetal-medicine", "reader": "alice"}, []),
        ({"since": "2026-03-02"}, ["OF-BOB", "LATE"]),
        ({"until": "2026-03-01"}, ["EARLY"]),
        ({"since": "2026-03-02", "until": "2026-03-02"}, ["OF-BOB"]),
        ({"since": "yesterday", "until": ""}, ["EARLY", "OF-BOB", "LATE"]),
        ({"department": "elsewhere"}, ["EARLY", "OF-BOB", "LATE"]),
        ({"reader": "charlie"}, ["EARLY", "OF-BOB", "LATE"]),
    ],
)
def test_the_list_is_narrowed_by_reader_department_and_the_days_between(
    asked, found, open_case, other_department, client_of, alice, bob, charlie
):
    """What one may not choose, another's department or its readers, is not chosen."""
    for name, day in (("EARLY", 1), ("OF-BOB", 2), ("LATE", 3)):
        opened = datetime(2026, 3, day, 23, 59, tzinfo=UTC)
        Case.objects.filter(pk=open_case(name).pk).update(opened_at=opened)
    Case.objects.filter(patient__patient_id="OF-BOB").update(assignee=bob)
    response = client_of(alice).get("/", asked)
    assert shown(response) == found
    page = response.content.decode()
    assert ('<details class="more" open>' in page) == bool(response.context["form"].has_more())
    assert 'value="charlie"' not in page
    assert other_department.name not in page


def test_a_saved_view_keeps_the_days_and_the_reader(case, client_of, alice, bob):
    client = client_of(alice)
    query = "reader=bob&since=2026-03-02&department=fetal-medicine"
    client.post("/views/", {"name": "Bob's", "query": query})
    (view,) = SavedView.objects.all()
    assert set(view.query.split("&")) == set(query.split("&"))


def test_each_look_at_the_list_is_one_line_without_the_search_text(case, client_of, alice):
    client_of(alice).get("/", {"q": "P-1", "modality": "mri"})
    (event,) = Event.objects.filter(verb="case.listed")
    assert event.actor_id == alice.pk
    assert event.detail == {"filters": {"q": "…", "modality": "mri"}, "rows": 0}


def test_answers_that_differ_are_not_averaged():
    version = ModelVersion(network="cnn", version="1", state="active")
    said = [
        Prediction(model_version=version, analysable=True, label="normal", probability=0.12, threshold=0.5),
        Prediction(
            model_version=version, analysable=True, label="ventriculomegaly", probability=0.87, threshold=0.5
        ),
        Prediction(model_version=version, analysable=False, threshold=0.5),
    ]
    assert verdict(call([(1, said)], Limits())) == "Undecided 0.12–0.87"
    assert verdict(call([(1, said[:1])], Limits())) == "Normal 0.12"
    assert verdict(call([(1, said[2:])], Limits())) == "Not analysable"
    assert verdict(None) == ""


@pytest.mark.parametrize(
    ("label", "probability", "words"),
    [
        ("ventriculomegaly", 0.93, "Ventriculomegaly likely"),
        ("ventriculomegaly", 0.16, "Ventriculomegaly possible"),
        ("normal", 0.12, "Ventriculomegaly unlikely"),
        ("normal", 0.58, "Ventriculomegaly uncertain"),
    ],
)
def test_the_word_contradicts_neither_the_label_nor_the_number(label, probability, words):
    said = Prediction(analysable=True, label=label, probability=probability)
    assert headline(said) == words


def test_a_form_opens_a_case_once_however_often_it_is_sent(client_of, alice, department):
    client = client_of(alice)
    page = client.get("/cases/new/")
    sent = {
        "department": department.pk, "patient_id": "P-9", "weeks": 24, "days": 3, "priority": 20,
        "question": "Both sides?", "key": str(page.context["form"]["key"].value()),
    }  # fmt: skip
    first, second = client.post("/cases/new/", sent), client.post("/cases/new/", sent)
    assert first.headers["Location"] == second.headers["Location"]
    (opened,) = Case.objects.all()
    assert (opened.gestational_age, opened.priority, opened.question) == ("24w3d", 20, "Both sides?")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"patient_id": ""}, "This field is required"),
        ({"weeks": 60}, "less than or equal to 44"),
        ({"weeks": "", "days": 3}, "Give the weeks too"),
        ({"weeks": 44, "days": 2}, "44 weeks and 0 days at most"),
    ],
)
def test_a_form_that_is_wrong_says_where(change, said, client_of, alice, department):
    sent = {
        "department": department.pk, "patient_id": "P-9", "weeks": 24, "days": 3, "priority": 0,
        "key": "3f1d2c5a-0000-4000-8000-000000000000",
    }  # fmt: skip
    response = client_of(alice).post("/cases/new/", sent | change)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Case.objects.exists()


def test_a_case_cannot_be_opened_in_a_department_of_others(client_of, alice, other_department):
    sent = {
        "department": other_department.pk, "patient_id": "P-9", "priority": 0,
        "key": "3f1d2c5a-0000-4000-8000-000000000000",
    }  # fmt: skip
    assert client_of(alice).post("/cases/new/", sent).status_code == 422
    assert not Case.objects.exists()


def test_a_view_is_saved_under_a_name_without_the_search_text(case, alice, bob, client_of):
    client = client_of(alice)
    client.post("/views/", {"name": "My open MRI", "query": "stage=to_read&modality=mri&mine=on&q=P&evil=1"})
    client.post("/views/", {"name": "Nothing", "query": "evil=1"})
    page = client.get("/").content.decode()
    assert "?modality=mri&amp;stage=to_read&amp;mine=on" in page
    assert "Nothing" not in page
    assert "My open MRI" not in client_of(bob).get("/").content.decode()
    assert len(client.get("/?stage=open&order=urgent").context["page"].lines) == 1
    assert client.get("/?stage=signed").context["page"].lines == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [("newest", ["C", "B", "A"]), ("oldest", ["A", "B", "C"]), ("urgent", ["B", "A", "C"])],
)
def test_the_list_is_sorted_as_asked_and_goes_on_in_that_order(order, expected, open_case, client_of, alice):
    open_case("A")
    open_case("B", priority=20)
    open_case("C")
    client = client_of(alice)
    found = client.get(f"/?order={order}")
    assert shown(found) == expected
    first = found.context["page"].lines[0].case.pk
    assert shown(client.get(f"/?order={order}&after={first}")) == expected[1:]


def test_what_is_searched_for_stands_in_no_address(open_case, client_of, alice):
    open_case("AB-1")
    open_case("CD-2")
    client = client_of(alice)
    sent = client.post("/", {"q": "AB", "stage": "to_read"})
    assert sent.status_code == 302
    assert "AB" not in sent.headers["Location"]
    found = client.get(sent.headers["Location"])
    assert shown(found) == ["AB-1"]
    assert 'value="AB"' in found.content.decode()
    assert "AB" not in found.context["query"]
    assert shown(client.get(f"/?{found.context['page'].counts[0].query}")) == ["AB-1"]
    assert shown(client_of(alice).get(sent.headers["Location"])) == ["AB-1", "CD-2"]  # another session


def test_the_stages_count_what_the_other_filters_let_through(open_case, alice, client_of):
    open_case("AB-1")
    open_case("CD-2")
    client = client_of(alice)
    [every] = client.get("/").context["page"].counts
    assert (every.cases, every.query) == (2, "stage=to_read")
    [chip] = client.get("/?q=AB&order=urgent&stage=signed").context["page"].counts
    assert chip.cases == 1
    assert chip.query == "stage=to_read&order=urgent"


def test_the_filters_are_kept_when_a_case_is_claimed_and_on_the_way_back(case, alice, client_of):
    client = client_of(alice)
    client.get("/?stage=open&order=urgent")
    claimed = client.post(f"/cases/{case.pk}/assign/", {"to": "alice", "back": "worklist"})
    assert claimed.headers["Location"] == "/?stage=open&order=urgent"
    assert (
        'class="back" href="/?stage=open&amp;order=urgent"'
        in client.get(case.get_absolute_url()).content.decode()
    )
