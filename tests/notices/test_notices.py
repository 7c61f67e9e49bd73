"""How notices are read: by whom, in which language, and what is left of them when things have changed."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Membership, User
from cases import services
from notices import telling
from notices.catalogue import KINDS
from notices.models import Notice

pytestmark = pytest.mark.django_db


def test_whoever_left_the_department_sees_no_notice_of_its_cases(case, alice, bob, sees, bell, client_of):
    services.assign(case, bob, by=alice)
    notice = Notice.objects.get()
    Membership.objects.filter(user=bob).delete()
    assert sees(bob) == []
    assert bell(bob) == "none unread"
    assert client_of(bob).post(f"/notices/{notice.pk}/").status_code == 404
    assert client_of(bob).post(f"/notices/{notice.pk}/read/").status_code == 404


def test_a_notice_is_read_in_the_language_of_whoever_looks(case, alice, bob, sees):
    services.assign(case, bob, by=alice)
    assert sees(bob) == [f"alice gave you case {case.number}."]
    User.objects.filter(pk=bob.pk).update(language="de")
    seen = sees(User.objects.get(pk=bob.pk))
    assert seen == [f"alice hat Ihnen Fall {case.number} zugewiesen."]


def test_a_notice_is_its_addressees_alone(case, alice, bob, client_of, sees):
    services.assign(case, bob, by=alice)
    notice = Notice.objects.get()
    assert client_of(alice).post(f"/notices/{notice.pk}/").status_code == 404
    client_of(alice).post("/notices/read/", {"newest": notice.pk})
    notice.refresh_from_db()
    assert notice.read_at is None


def test_following_a_notice_leads_to_its_case_and_reads_it(case, alice, bob, client_of, bell):
    services.assign(case, bob, by=alice)
    answer = client_of(bob).post(f"/notices/{Notice.objects.get().pk}/")
    assert answer.headers["Location"] == case.get_absolute_url()
    assert bell(bob) == "none unread"


def test_every_kind_leads_to_an_address_that_exists():
    said = dict.fromkeys(("case", "job", "model", "endpoint"), "00000000-0000-0000-0000-000000000000")
    for code in KINDS:
        assert Notice(code=code, parameters=said).page.startswith("/")


def test_one_is_marked_as_read_and_then_all_up_to_what_was_shown(
    case, alice, bob, department, client_of, bell
):
    cases = [case] + [
        services.open_case(by=alice, department=department, patient_id=name)[0] for name in ("P-2", "P-3")
    ]
    for one in cases[:2]:
        services.assign(one, bob, by=alice)
    first, second = Notice.objects.order_by("pk")
    browser = client_of(bob)
    browser.post(f"/notices/{first.pk}/read/")
    assert bell(bob) == "1 unread"
    services.assign(cases[2], bob, by=alice)
    browser.post("/notices/read/", {"newest": second.pk})
    assert bell(bob) == "1 unread", "what came after the page was drawn stays unread"
    assert browser.post("/notices/read/", {"newest": "all"}).status_code == 302
    assert bell(bob) == "1 unread"


def test_the_bell_alone_says_nothing_while_nothing_changes(case, alice, bob, client_of, client):
    browser = client_of(bob)
    assert browser.get("/notices/bell/?seen=0").status_code == 204
    services.assign(case, bob, by=alice)
    assert "1 unread" in browser.get("/notices/bell/?seen=0").content.decode()
    assert browser.get("/notices/bell/?seen=1").status_code == 204
    assert client.get("/notices/bell/?seen=1").status_code == 204, "after logging out nothing is drawn in"


def test_the_bell_costs_one_query_however_many_notices_there_are(
    bob, department, client_of, django_assert_num_queries
):
    browser = client_of(bob)
    for number in range(120):
        telling.tell(
            "case.assigned", [bob.pk], subject=str(number), department=department, case=str(number),
            case_number=str(number), by="x",
        )  # fmt: skip
    with django_assert_num_queries(3):  # session, user, the count
        page = browser.get("/notices/bell/").content.decode()
    assert "99+" in page


def test_long_lists_have_pages(bob, department, client_of):
    for number in range(60):
        telling.tell(
            "case.assigned", [bob.pk], subject=str(number), department=department,
            case="00000000-0000-0000-0000-000000000000", case_number=f"N{number}", by="x",
        )  # fmt: skip
    browser = client_of(bob)
    first = browser.get("/notices/").content.decode()
    older = re.search(r'href="\?before=(\d+)"', first).group(1)
    second = browser.get(f"/notices/?before={older}").content.decode()
    assert first.count("case N") == 2 * 50
    assert second.count("case N") == 2 * 10
    assert browser.get("/notices/?before=zzz").status_code == 200


def test_a_sentence_is_in_the_readers_language_and_not_stored(case, alice, bob):
    services.assign(case, bob, by=alice)
    assert "gave you" not in str(Notice.objects.values().get())


def test_what_was_read_long_ago_is_forgotten(case, alice, bob, department):
    services.assign(case, bob, by=alice)
    Notice.objects.update(created_at=timezone.now() - timedelta(days=200))
    assert telling.tidy() == 0
    Notice.objects.update(read_at=timezone.now() - timedelta(days=89))
    assert telling.tidy() == 0
    Notice.objects.update(read_at=timezone.now() - timedelta(days=91))
    assert telling.tidy() == 1


def test_an_unknown_kind_is_a_mistake_of_ours(bob):
    with pytest.raises(KeyError):
        telling.tell("case.sighed", [bob.pk], subject="")
