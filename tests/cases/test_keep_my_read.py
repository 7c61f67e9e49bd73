"""From the blind read to the next case: a final read that is filled in, a signature beside the scan."""

import re

import answers
import pages
import pytest
from conftest import PASSWORD

from cases import services
from cases.models import Case, Draft, ReadingRules, SignOff
from inference.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def read_case(department, case, alice, small_scan, tmp_path) -> Case:
    """A case that its reader reads first, and that a model calls ventriculomegaly."""
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)
    answers.active_version(tmp_path)
    answers.answer(Job.objects.get(image=small_scan(case, alice).image))
    return case


def page(client, case) -> str:
    return client.get(case.get_absolute_url()).content.decode()


def chosen(html: str) -> list[str]:
    """The findings that are ticked."""
    return re.findall(r'name="finding" value="(\w+)"[^>]* checked', html)


def signing_fields(client, case) -> dict[str, str]:
    """What the form at the foot of the case page sends, but the password."""
    return pages.hidden_fields(page(client, case))


def test_the_final_read_opens_with_the_blind_one_filled_in(read_case, alice, client_of):
    client = client_of(alice)
    said = {"finding": "ventriculomegaly", "laterality": "left", "note": "Wide at the atrium."}
    assert chosen(page(client, read_case)) == [], "a blind read is nobody's suggestion"
    pages.file_read(client, read_case, kind="blind", **said)
    html = page(client, read_case)
    assert chosen(html) == ["ventriculomegaly"]
    assert 'value="left" selected' in html
    assert "Wide at the atrium.</textarea>" in html
    assert 'id="kept-read"' in html


def test_what_was_typed_since_stands_before_the_blind_read(read_case, alice, client_of):
    client = client_of(alice)
    pages.file_read(client, read_case, kind="blind", finding="ventriculomegaly", note="At first.")
    Draft.objects.create(case=read_case, author=alice, form="read", words={"finding": "normal", "note": ""})
    html = page(client, read_case)
    assert chosen(html) == ["normal"]
    assert 'id="kept-read"' not in html


def test_the_signature_stays_beside_the_scan_and_a_wrong_password_is_said_there(read_case, alice, client_of):
    client = client_of(alice)
    for kind in ("blind", "final"):
        pages.file_read(client, read_case, kind=kind, finding="ventriculomegaly")
    sent, address = signing_fields(client, read_case), f"/cases/{read_case.pk}/sign/"
    refused = client.post(address, sent | {"password": "not it"})
    assert refused.status_code == 422
    assert 'id="scan-canvas"' in refused.content.decode()
    assert "This is not your password." in refused.content.decode()
    assert not SignOff.objects.exists()
    assert client.post(address, sent | {"password": PASSWORD}).status_code == 302
    assert SignOff.objects.get().case == read_case
    assert "/cases/next/" in page(client, read_case)


def test_what_has_changed_since_is_said_beside_the_scan_and_nothing_is_signed(
    read_case, alice, small_scan, client_of
):
    client = client_of(alice)
    for kind in ("blind", "final"):
        pages.file_read(client, read_case, kind=kind, finding="ventriculomegaly")
    sent = signing_fields(client, read_case)
    small_scan(read_case, alice, seed=2)
    refused = client.post(f"/cases/{read_case.pk}/sign/", sent | {"password": PASSWORD})
    assert refused.status_code == 409
    assert 'id="scan-canvas"' in refused.content.decode()
    assert not SignOff.objects.exists()


def test_the_next_case_is_the_most_urgent_then_the_oldest_that_waits_for_this_reader(
    department, case, alice, bob, charlie, small_scan, client_of
):
    opened = [case]
    for name, priority in (("P-2", 0), ("P-3", 20), ("P-4", 20)):
        opened.append(
            services.open_case(by=alice, department=department, patient_id=name, priority=priority)[0]
        )
    for seed, one in enumerate(opened[:3], start=1):  # the last one, urgent too, has no scan
        small_scan(one, alice, seed=seed)
    client = client_of(alice)

    def next_for(client) -> str:
        return client.get("/cases/next/").url

    assert next_for(client) == opened[2].get_absolute_url()
    services.assign(opened[2], bob, by=alice)
    assert next_for(client) == case.get_absolute_url(), "the urgent one is Bob's now"
    assert next_for(client_of(bob)) == opened[2].get_absolute_url()
    assert next_for(client_of(charlie)) == "/", "another department's cases are nobody else's next"
