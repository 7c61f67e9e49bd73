"""What a reader types is never lost: refused forms come back filled, drafts are kept, log-in leads back."""

import re

import answers
import pages
import pytest
from conftest import PASSWORD
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve, reverse

from audit.models import Event
from cases import verification
from cases.models import Case, Draft, Read
from cases.review import drafts
from inference.models import Job

pytestmark = pytest.mark.django_db
WORDS = {"finding": "normal", "note": "slim ventricles", "reason": ""}


@pytest.fixture
def read_case(case, alice, small_scan, tmp_path) -> Case:
    """A concurrent department's case that a model calls ventriculomegaly."""
    answers.active_version(tmp_path)
    answers.answer(Job.objects.get(image=small_scan(case, alice).image))
    return case


def is_filled(page: str) -> bool:
    return "slim ventricles" in page and bool(re.search(r'value="normal"[^>]*checked', page))


def test_a_differing_read_without_a_reason_comes_back_filled_with_the_focus_on_the_reason(
    read_case, alice, client_of
):
    refused = pages.file_read(client_of(alice), read_case, kind="final", **WORDS)
    page = refused.content.decode()
    assert refused.status_code == 422
    assert is_filled(page)
    field = re.search(r'<textarea name="reason"[^>]*>', page)
    assert field
    assert "autofocus" in field[0]
    assert 'aria-invalid="true"' in field[0]
    assert "say why" in page.split('id="id_reason"')[1].split("</div>")[0]
    assert not Read.objects.exists()


def test_a_read_without_a_finding_comes_back_filled(read_case, alice, client_of):
    refused = pages.file_read(client_of(alice), read_case, kind="final", note="slim ventricles")
    assert refused.status_code == 422
    assert "slim ventricles" in refused.content.decode()
    assert "Choose a finding." in refused.content.decode()


def test_a_case_that_has_moved_on_gives_the_words_back(read_case, alice, bob, client_of):
    client = client_of(bob)
    shown = pages.shown_by(client, read_case.get_absolute_url())
    pages.file_read(client_of(alice), read_case, kind="final", finding="ventriculomegaly")
    refused = client.post(f"/cases/{read_case.pk}/reads/", shown | WORDS | {"kind": "final"})
    assert refused.status_code == 409
    assert "slim ventricles" in refused.content.decode()
    assert "alice has filed a read: Final read." in refused.content.decode()


def test_what_is_typed_is_its_authors_alone_and_gone_when_filed(read_case, alice, bob, client_of, api):
    client, address = client_of(alice), f"/cases/{read_case.pk}/draft/"
    before = Event.objects.count()
    assert client.post(address, WORDS | {"form": "read", "password": "secret"}).status_code == 204
    assert Event.objects.count() == before, "no part of the record"
    assert "password" not in Draft.objects.get().words
    assert is_filled(client.get(read_case.get_absolute_url()).content.decode())
    assert "slim ventricles" not in client_of(bob).get(read_case.get_absolute_url()).content.decode()
    assert "slim ventricles" not in str(api(bob).get(f"/api/v1/cases/{read_case.pk}/reading/").json())
    pages.file_read(client, read_case, kind="final", **WORDS | {"reason": "Angle."})
    assert not Draft.objects.exists()
    assert list(verification.faults()) == []


def test_a_signature_forgets_every_draft_and_a_late_one_is_refused(read_case, alice, bob, client_of):
    address = f"/cases/{read_case.pk}/draft/"
    assert client_of(bob).post(address, WORDS | {"form": "read"}).status_code == 204
    pages.file_read(client_of(alice), read_case, kind="final", finding="ventriculomegaly")
    pages.sign(client_of(alice), read_case, PASSWORD)
    assert not Draft.objects.exists()
    late = client_of(bob).post(address, WORDS | {"form": "read"})
    assert (late.status_code, late.json()["code"]) == (409, "case_signed")
    assert client_of(bob).post(address, {"form": "addendum", "text": "Seen again."}).status_code == 204
    page = client_of(bob).get(f"/cases/{read_case.pk}/addenda/").content.decode()
    assert "Seen again." in page


def test_a_draft_takes_no_more_than_a_form_and_only_of_known_forms(read_case, alice, client_of):
    client, address = client_of(alice), f"/cases/{read_case.pk}/draft/"
    client.post(address, {"form": "read", "note": "x" * 100_000 + "\0", "other": "y"})
    words = Draft.objects.get().words
    assert set(words) == set(drafts.KEPT["read"])
    assert len(words["note"]) == drafts.LONGEST
    assert client.post(address, {"form": "nothing"}).status_code == 400


def log_in(client: Client, login: str, to: str) -> str:
    """Where the log-in page leads on to, with what stands there."""
    sent = {"login": login, "password": PASSWORD, "next": to}
    return client.post("/account/login/", sent, follow=True).content.decode()


def send_without_session(client: Client, case: Case) -> tuple[str, str]:
    """Fill in the form, let the session end, send it: where one is led, and where log-in leads back to."""
    page = client.get(case.get_absolute_url()).content.decode()
    client.logout()
    form = page.split('id="read-form" method')[1].split("</form>")[0]
    sent = pages.hidden_fields(form) | WORDS | {"kind": "final"}
    answer = client.post(f"/cases/{case.pk}/reads/", sent)
    assert answer.status_code == 302
    return answer.url, re.search(r"next=([^&]+)", answer.url)[1].replace("%2F", "/")


def test_a_form_sent_after_the_session_had_ended_comes_back_after_logging_in(read_case, alice, client_of):
    client = client_of(alice)
    _, back = send_without_session(client, read_case)
    assert back == read_case.get_absolute_url()
    page = log_in(client, "alice", back)
    assert is_filled(page)
    assert "data-unsaved" in page
    assert not Read.objects.exists()
    client.post(f"/cases/{read_case.pk}/draft/", WORDS | {"form": "read"})
    assert "data-unsaved" not in client.get(read_case.get_absolute_url()).content.decode()


def test_nobody_else_is_given_the_words_of_a_session_that_had_ended(read_case, alice, bob, client_of):
    client = client_of(alice)
    _, back = send_without_session(client, read_case)
    assert "slim ventricles" not in log_in(client, "bob", back)


def test_a_stranger_keeps_nothing_here(read_case):
    client = Client()
    answer = client.post(f"/cases/{read_case.pk}/reads/", WORDS | {"ticket": "forged"})
    assert answer.status_code == 302
    assert "kept_words" not in client.session


def test_no_form_leads_through_the_log_in_page_to_one_that_cannot_be_opened(read_case, alice, client_of):
    stood_on = f"http://testserver{read_case.get_absolute_url()}"
    for _, name, pattern in pages.routes(get_resolver().url_patterns):
        if not name.startswith(("cases:", "inference:", "notices:")) or not isinstance(pattern, URLPattern):
            continue
        kinds = {"uuid": read_case.pk, "int": 1}
        given = {
            key: kinds.get(type(one).__name__.removesuffix("Converter").lower(), "x")
            for key, one in pattern.pattern.converters.items()
        }
        answer = Client(headers={"Referer": stood_on}).post(reverse(name, kwargs=given))
        if answer.status_code == 302 and "login" in answer.url:
            back = re.search(r"next=([^&]+)", answer.url)[1].replace("%2F", "/")
            assert resolve(back).url_name == "case", name
    elsewhere = Client(headers={"Referer": "https://elsewhere.example/cases/"})
    assert elsewhere.post(f"/cases/{read_case.pk}/assign/").url == "/account/login/?next=/"


def test_whoever_loads_the_page_of_a_refused_form_again_is_on_the_case(read_case, alice, client_of):
    assert client_of(alice).get(f"/cases/{read_case.pk}/reads/").url == read_case.get_absolute_url()
