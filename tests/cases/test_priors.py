"""The patient's earlier cases beside this one: what was signed, for whoever may see it, no model's answer."""

import re
from collections.abc import Callable
from functools import partial

import pytest
from earlier_cases import add_width, earlier_case

from accounts.models import Membership, Role
from audit.models import Event
from cases import services
from cases.models import Case, ReadingRules

pytestmark = pytest.mark.django_db


@pytest.fixture
def earlier(alice, department) -> Callable[..., Case]:
    """A case of the same patient some days before: earlier(width=7.5, age=143, days=28, signed=True)."""
    return partial(earlier_case, department, alice)


@pytest.fixture
def seen(case, alice, client_of) -> Callable[..., str]:
    """What the section says to somebody on the page of the later case, as text."""

    def text(user=alice) -> str:
        html = client_of(user).get(case.get_absolute_url()).content.decode()
        found = re.search(r'<section class="priors".*?</section>', html, flags=re.S)
        return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) if found else ""

    return text


def test_a_signed_earlier_case_is_shown_with_its_finding_and_its_width(earlier, case, seen):
    before = earlier(finding="ventriculomegaly", width=11.5)
    said = seen()
    assert f"Case {before.number}" in said
    assert "20w3d" in said
    assert "Ventriculomegaly, widest atrium 11.5 mm" in said
    assert "another pregnancy" not in said


def test_without_an_earlier_case_nothing_is_shown(case, seen):
    assert seen() == ""


def test_what_is_not_signed_says_so_and_tells_nothing_of_what_was_found(earlier, case, seen):
    earlier(signed=False, width=13.0)
    said = seen()
    assert "not signed yet" in said
    assert "13.0" not in said


def test_a_blind_reader_sees_the_history_and_no_answer_of_a_model(earlier, case, alice, department, seen):
    earlier()
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)
    assert "Normal, widest atrium 7.5 mm" in seen()


def test_another_department_with_the_same_patient_number_is_another_patient(
    earlier, case, charlie, other_department, client_of
):
    earlier()
    there, _ = services.open_case(by=charlie, department=other_department, patient_id="P-1")
    assert "Earlier cases" not in client_of(charlie).get(there.get_absolute_url()).content.decode()


def test_whoever_is_lent_a_case_sees_no_other_of_the_patient(
    earlier, case, alice, bob, department, other_department, client_of
):
    """An adjudicator from elsewhere was asked about one case, and about no other."""
    before = earlier()
    guest = type(bob).objects.create_user("guest")
    Membership.objects.create(user=guest, department=other_department, role=Role.SENIOR_READER)
    ReadingRules.objects.filter(department=department).update(adjudicator=guest)
    Case.objects.filter(pk=case.pk).update(stage=Case.Stage.ADJUDICATION)
    page = client_of(guest).get(case.get_absolute_url())
    assert page.status_code == 200
    assert before.number not in page.content.decode()


def test_ages_that_do_not_fit_the_days_between_are_said_to_and_not_compared(earlier, case, alice, seen):
    earlier(age=200, days=28)
    add_width(case, alice, 7.0)
    said = seen()
    assert "the ages do not fit: another pregnancy?" in said
    assert "Atrial width by gestational age" not in said


def test_two_confirmed_widths_are_drawn_in_the_reference_band_with_their_numbers(earlier, case, alice, seen):
    first, second = earlier(width=6.5, age=122, days=49), earlier(width=8.5)
    said = seen()
    assert "Atrial width by gestational age" in said
    assert "Almog et al. 2003" in said
    add_width(case, alice, 10.5)
    rows = said.split("Show numbers")[1]
    assert rows.index(first.number) < rows.index(second.number)
    assert f"{case.number} now 24w3d 10.5" in seen()


def test_a_provisional_width_is_said_to_be_and_not_drawn(earlier, case, alice, seen):
    earlier()
    add_width(case, alice, 10.5, checklist=())
    assert "Atrial width by gestational age" not in seen()


def test_programs_are_told_the_same(earlier, case, alice, api):
    before = earlier(finding="ventriculomegaly", width=11.5)
    unsigned = earlier(days=14, age=157, signed=False, width=13.0)
    newest, oldest = api(alice).get(f"/api/v1/cases/{case.pk}/reading/").json()["priors"]
    assert oldest["case"].endswith(f"/api/v1/cases/{before.pk}/")
    assert (oldest["number"], oldest["gestational_age_days"]) == (before.number, 143)
    assert (oldest["finding"], oldest["width"]["mm"]) == ("ventriculomegaly", 11.5)
    assert oldest["is_same_pregnancy"] is True
    assert (newest["number"], newest["finding"], newest["width"]) == (unsigned.number, None, None)
    assert Event.objects.filter(verb="prior.viewed", thread=before.thread).count() == 1


def test_that_it_was_shown_is_in_the_audit_of_the_earlier_case(earlier, case, bob, seen):
    before, unsigned = earlier(), earlier(days=14, age=157, signed=False)
    seen(bob)
    event = Event.objects.get(verb="prior.viewed")
    assert (event.actor_name, event.thread, event.detail) == ("bob", before.thread, {"number": case.number})
    assert not Event.objects.filter(thread=unsigned.thread, verb="prior.viewed").exists()
