"""The auditor's page: who did what, filtered, page by page, and as files."""

import csv
import io
import json
import re

import pytest

from accounts.models import Membership, Role
from audit.catalogue import SENTENCES
from audit.models import Event
from audit.sentences import particulars, sentence
from audit.trail import record
from cases import services

pytestmark = pytest.mark.django_db


@pytest.fixture
def get(client_of, auditor):
    client = client_of(auditor)
    return lambda query="": client.get(f"/audit/{query}")


def verbs(response) -> list[str]:
    return [event.verb for event, *_ in response.context["lines"]]


def test_an_auditor_reads_what_the_department_did(case, get):
    assert "case.opened" in verbs(get())


def test_what_another_department_did_is_not_shown(charlie, other_department, case, get):
    services.open_case(by=charlie, department=other_department, patient_id="P-2")
    shown = [event.actor_name for event, *_ in get().context["lines"]]
    assert "alice" in shown
    assert "charlie" not in shown


def test_what_the_worker_did_to_the_departments_cases_is_shown(case, other_department, charlie, get):
    elsewhere, _ = services.open_case(by=charlie, department=other_department, patient_id="P-2")
    record("job.failed", actor=None, thread=case.thread, code="x", detail="y")
    record("job.failed", actor=None, thread=elsewhere.thread, code="x", detail="y")
    threads = [event.thread for event, *_ in get("?verb=job.failed").context["lines"]]
    assert threads == [case.thread]


def test_failed_log_ins_are_shown(client, get):
    client.post("/account/login/", {"login": "mallory", "password": "wrong"})
    (line,) = get("?verb=account.login_failed").context["lines"]
    assert line[0].actor_name == "mallory"


def test_what_a_former_member_did_to_a_case_stays_visible(case, alice, bob, get):
    record("case.viewed", actor=bob, thread=case.thread)
    bob.memberships.all().delete()
    assert "bob" in [event.actor_name for event, *_ in get().context["lines"]]


def test_looking_is_itself_a_line(get, auditor):
    get("?actor=alice")
    (event,) = Event.objects.filter(verb="audit.viewed")
    assert (event.actor_id, event.detail) == (auditor.pk, {"filters": {"actor": "alice"}})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?actor=ALICE", {"case.opened"}),
        ("?actor=nobody", set()),
        ("?verb=case.opened", {"case.opened"}),
        ("?door=api", set()),
        ("?door=command&actor=alice", {"case.opened"}),
        ("?since=2001-01-01&until=2001-12-31", set()),
        ("?since=2001-01-01&verb=case.opened", {"case.opened"}),
        ("?verb=case.forgotten", set()),
        ("?since=yesterday", set()),
    ],
)
def test_filters_narrow_the_trail(query, expected, case, get):
    assert set(verbs(get(query))) == expected


def test_everything_around_a_case_is_one_click_away(case, bob, get):
    record("case.viewed", actor=bob, thread=case.thread)
    assert verbs(get(f"?thread={case.thread}")) == ["case.viewed", "case.opened"]
    assert set(verbs(get(f"?thread={case.pk}"))) == {"case.opened"}


def test_pages_follow_one_another_without_gap_or_repeat(alice, get):
    made = [record("case.listed", actor=alice).pk for _ in range(120)]
    seen, query = [], "?verb=case.listed"
    for _ in range(3):
        response = get(query)
        seen += [event.pk for event, *_ in response.context["lines"]]
        query = f"?verb=case.listed&before={response.context['older']}"
    assert seen == made[::-1]
    assert response.context["older"] is None


def test_the_number_of_queries_does_not_grow_with_the_trail(alice, get, django_assert_num_queries):
    for _ in range(60):
        record("case.listed", actor=alice)
    # session, user, roles of page, events and audit line, events, memberships, notices
    with django_assert_num_queries(13):
        get()


def test_the_csv_starts_no_formula_in_a_spreadsheet(get, auditor, client):
    client.post("/account/login/", {"login": "=HYPERLINK('x')", "password": "wrong"})
    client.post("/account/login/", {"login": "@SUM(A1)", "password": "wrong"})
    content = b"".join(get("export.csv?verb=account.login_failed")).decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["actor_name"] for row in rows] == ["'=HYPERLINK('x')", "'@SUM(A1)"]


def test_the_json_lines_hold_every_event_oldest_first(case, get):
    response = get("export.jsonl")
    lines = [json.loads(line) for line in b"".join(response).decode().splitlines()]
    assert "attachment" in response.headers["Content-Disposition"]
    assert [line["id"] for line in lines] == sorted(line["id"] for line in lines)
    (opened,) = [line for line in lines if line["verb"] == "case.opened"]
    assert opened["detail"] == {"number": case.number}


def test_an_export_holds_no_more_than_the_page_and_is_itself_a_line(
    case, get, other_department, charlie, auditor
):
    services.open_case(by=charlie, department=other_department, patient_id="P-2")
    content = b"".join(get("export.jsonl?verb=case.opened")).decode()
    assert len(content.splitlines()) == 1
    event = Event.objects.get(verb="audit.exported")
    assert event.detail == {"format": "jsonl", "filters": {"verb": "case.opened"}}


def test_an_auditor_of_two_departments_reads_both(case, other_department, charlie, auditor, get):
    services.open_case(by=charlie, department=other_department, patient_id="P-2")
    Membership.objects.create(user=auditor, department=other_department, role=Role.AUDITOR)
    names = {event.actor_name for event, *_ in get("?verb=case.opened").context["lines"]}
    assert names == {"alice", "charlie"}


def test_an_event_reads_as_a_sentence(case, alice):
    event = record(
        "scan.frames_chosen", actor=alice, thread=case.thread, scan=2, frames=[0, 4], modality="mri"
    )
    assert sentence(event) == "chose other frames to be read"
    assert particulars(event) == "scan 2, mri, frames 1, 5"


def test_what_is_chosen_by_its_words_and_no_two_read_alike(get):
    page = get().content.decode()
    offered = dict(re.findall(r'<option value="([a-z_.]+)"[^>]*>([^<]+)</option>', page))
    assert offered.keys() >= SENTENCES.keys()
    words = [offered[verb] for verb in SENTENCES]
    assert offered["case.signed"] == "Signed the case"
    assert not [verb for verb in SENTENCES if verb in words], "no bare code"
    assert len(set(words)) == len(words)
    shown = [offered[verb] for verb in offered if verb in SENTENCES]
    assert shown == sorted(shown, key=str.casefold)


def test_what_was_advised_and_by_which_method_is_said_in_words(case, get):
    record("advice.given", actor=None, thread=case.thread, detail="nothing_helps")
    record("advice.given", actor=None, thread=case.thread, detail="complete_planes, no_such_action")
    record("explanation.viewed", actor=None, thread=case.thread, method="gradcam")
    told = [more for _, _, more, _ in get().context["lines"][:3]]
    assert told == [
        "Grad-CAM",
        "Add the missing T2 planes, so that axial, coronal and sagittal are there; no_such_action",
        "Nothing further is expected to help: the acquisition can end here.",
    ]
