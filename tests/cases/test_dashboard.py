"""How the department reads: agreement with intervals, turnaround, overrides, drift."""

import answers
import pages
import pytest
from conftest import PASSWORD

from cases.dashboard import dashboard
from inference.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed(case, alice, bob, small_scan, tmp_path, client_of):
    """A final read that overrides the models, then a second read, then the signature."""
    answers.active_version(tmp_path)
    answers.answer(Job.objects.get(image=small_scan(case, alice).image))
    client = client_of(alice)
    sent = {"kind": "final", "finding": "normal", "reason": "Oblique plane."}
    pages.file_read(client, case, **sent)
    assert "Oblique plane." not in client.get("/department/").content.decode(), "the case is still read"
    pages.file_read(client_of(bob), case, kind="second", finding="normal")
    pages.sign(client, case, PASSWORD)
    return case


def test_agreement_has_its_interval_and_an_override_its_reason(signed, alice):
    found = dashboard(alice)
    final = next(one for one in found.agreements if one.kind == "Final read")
    assert (final.figure.value, final.figure.count) == (0.0, 1)
    assert final.figure.high > 0.5
    assert final.table == [("normal", 0, 1), ("ventriculomegaly", 0, 0)]
    assert [read.reason for read in found.overrides] == ["Oblique plane."]
    assert dashboard(alice).signed == 1
    titles = {chart.title: chart.rows for chart in dashboard(alice).charts}
    assert titles["Turnaround"][0][3] == "1"
    assert titles["Drift of the scores"][0][1] == "0.75"
    assert titles["Drift of the quality"][0][1] == "0.00"


def test_the_page_shows_it_and_nothing_of_other_departments(signed, alice, charlie, client_of):
    page = client_of(alice).get("/department/").content.decode()
    assert "Oblique plane." in page
    assert "Agree in <strong>0 %</strong>" in page
    elsewhere = client_of(charlie).get("/department/").content.decode()
    assert "Oblique plane." not in elsewhere
    assert "Nobody has overridden" in elsewhere


def test_its_queries_are_counted(signed, alice, client_of, django_assert_num_queries):
    client = client_of(alice)
    # session, user, roles for page and audit line, named to adjudicate, reads, signatures, answers, members
    with django_assert_num_queries(13):
        client.get("/department/")
