"""What axe says of a page in a browser test."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe()


def complaints(page: Page) -> list[str]:
    """Rule, and the elements it is about. A test waits for what a click brings before it asks: a click
    ends when the next page is asked for, and axe in a page that goes away judges the wrong one, or none."""
    page.wait_for_load_state()
    found = AXE.run(page).response["violations"]
    return [f"{rule['id']}: {[node['html'][:120] for node in rule['nodes']]}" for rule in found]
