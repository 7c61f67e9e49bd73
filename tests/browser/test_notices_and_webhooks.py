"""The bell and the webhooks as people meet them: axe, both themes, and what changes by itself."""

import ipaddress

import pytest
from accessibility import complaints
from conftest import PASSWORD
from playwright.sync_api import expect
from receiver import receiving

from cases import services
from notices.telling import tell
from webhooks import sender
from webhooks.models import Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

THEMES = ["dark", "light"]


@pytest.fixture
def told(case, alice, bob, department):
    """Bob has four notices; what they and others of the case say."""
    place = {"department": department, "case": str(case.pk), "case_number": case.number}
    for number in range(1, 5):
        tell("scan.answered", [bob.pk], subject=f"{number}", scan_number=number, **place)
    return place


@pytest.mark.parametrize("theme", THEMES)
def test_the_bell_and_its_list(theme, told, case, alice, bob, log_in, page, keep):
    log_in(bob)
    bell = page.get_by_role("link", name="Notices 4 unread")
    expect(bell).to_be_visible()
    bell.click()
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("link", name="Notices none unread")).to_be_visible()
    services.assign(case, bob, by=alice)
    tell("read.second_wanted", [bob.pk], subject=str(case.pk), **told)
    tell("explanation.failed", [bob.pk], subject="1", scan_number=1, **told)
    page.reload()
    expect(page.locator(".notices .unread")).to_have_count(3)
    assert complaints(page) == []
    keep("notices")
    page.locator(".notices .link", has_text=f"alice gave you case {case.number}.").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{case.pk}/")
    expect(page.get_by_role("link", name="Notices 2 unread")).to_be_visible()
    keep("bell-on-the-case-page")


def test_the_bell_counts_by_itself_and_takes_nobodys_focus(told, bob, log_in, page):
    log_in(bob)
    bell = page.locator("a.bell")
    bell.focus()
    tell("scan.answered", [bob.pk], subject="5", scan_number=5, **told)
    every_minute = page.locator("#unread")
    expect(every_minute).to_have_attribute("hx-trigger", "every 60s")
    page.evaluate("htmx.ajax('GET', document.querySelector('#unread').getAttribute('hx-get'),"
                  " {target: '#unread', swap: 'outerHTML'})")  # fmt: skip
    expect(page.get_by_role("link", name="Notices 5 unread")).to_be_visible()
    expect(bell).to_be_focused()
    assert page.locator("a.bell [aria-live=polite] #unread").count() == 1


def test_a_list_without_notices_says_what_will_be_there(alice, log_in, page, keep):
    log_in(alice)
    page.goto("/notices/")
    expect(page.get_by_text("Nothing has happened yet")).to_be_visible()
    assert complaints(page) == []
    keep("notices-empty")


@pytest.mark.parametrize("theme", THEMES)
def test_an_administrator_adds_a_webhook_and_sees_whether_it_arrives(
    theme, administrator, settings, tmp_path, log_in, page, keep, forgiven
):
    forgiven.append("422 (Unprocessable Entity)")
    settings.WEBHOOK_QUEUE = f"webhooks-{tmp_path.name}"
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.1/32")]
    with receiving() as receiver:
        log_in(administrator)
        page.locator("details.menu summary").click()
        page.get_by_role("link", name="Webhooks").click()
        expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
        assert complaints(page) == []
        keep("webhooks-empty")
        page.get_by_role("link", name="Add a webhook").click()
        page.get_by_label("Name").fill("Image archive")
        page.get_by_label("Address").fill("https://10.0.0.1/ventra")
        page.get_by_label("Your password, again").fill(PASSWORD)
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_text("This address lies inside, and is not allowed.")).to_be_visible()
        assert complaints(page) == []
        keep("webhook-refused")
        page.get_by_label("Address").fill(f"http://127.0.0.1:{receiver.port}/ventra")
        page.get_by_label("Your password, again").fill(PASSWORD)
        page.get_by_role("button", name="Add").click()
        expect(page.locator("#secret")).to_contain_text("whsec_")
        assert complaints(page) == []
        keep("webhook-added")
        endpoint = Endpoint.objects.get()
        receiver.answers = [500, 204]
        for _ in range(2):
            page.goto(f"/webhooks/{endpoint.pk}/")
            page.get_by_role("button", name="Send a test").click()
            sender.deliver()
            Endpoint.objects.update(quiet_until=None)
        page.reload()
        expect(page.get_by_text("It answered that it did not take the message.")).to_be_visible()
        assert complaints(page) == []
        keep("webhook")
        page.get_by_role("link", name="New secret").click()
        expect(page.get_by_role("heading", name="Make a new secret")).to_be_visible()
        assert complaints(page) == []
        keep("webhook-rotate")
        page.goto(f"/webhooks/{endpoint.pk}/change/")
        assert complaints(page) == []
        page.goto(f"/webhooks/{endpoint.pk}/")
        page.get_by_role("button", name="Disable").click()
        expect(page.get_by_text("Disabled by an administrator")).to_be_visible()
        assert complaints(page) == []
        page.goto("/webhooks/")
        assert complaints(page) == []
        keep("webhooks")
