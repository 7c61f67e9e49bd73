"""Pages we did not draw ourselves keep our content policy too: the page fixture fails on any violation."""

import pytest
from conftest import PASSWORD
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_api_documentation_is_drawn_and_opens_an_operation(page):
    page.goto("/api/docs/")
    page.get_by_text("Open a case", exact=True).click()
    expect(page.get_by_text("Idempotency-Key").first).to_be_visible()


def test_an_administrator_changes_a_user(administrator, alice, log_in, page):
    log_in(administrator)
    page.goto("/admin/")
    page.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="alice").click()
    page.get_by_label("Last name").fill("Example")
    page.get_by_label("Your password, again").fill(PASSWORD)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    alice.refresh_from_db()
    assert alice.last_name == "Example"
