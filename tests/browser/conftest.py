"""A real Chromium, and a page that fails the test on any console error or policy violation."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import long
import pytest
from conftest import PASSWORD
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from accounts.models import User

# Playwright's loop runs in this thread, in which the tests also ask the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
SIZES = {"desktop": (1440, 900), "tablet": (1024, 768), "phone": (390, 844)}
TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation",
    (event) => console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`));"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser named by CHROMIUM, one on the PATH, or the one playwright has installed."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        path = path or playwright.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("NO BROWSER: set CHROMIUM to a Chromium, or run `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def site(live_server, settings) -> str:
    """The address of a running Ventra that shares the test's database."""
    settings.SECURE_SSL_REDIRECT = False
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    return live_server.url


@pytest.fixture
def theme() -> str:
    """What the visitor has chosen; a test may say otherwise."""
    return "dark"


@pytest.fixture
def forgiven() -> list[str]:
    """Parts of console errors that a test causes on purpose."""
    return []


@pytest.fixture
def page(chromium: Browser, site: str, theme: str, forgiven: list[str]) -> Iterator[Page]:
    """A page of a fresh browser profile, at desktop size. Console errors fail the test at its end."""
    context: BrowserContext = chromium.new_context(
        base_url=site, color_scheme="light", viewport={"width": 1440, "height": 900}
    )
    if theme != "dark":
        context.add_cookies([{"name": "theme", "value": theme, "url": site}])
    context.add_init_script(TELL_VIOLATIONS)
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda fault: said.append(str(fault)))
    yield page
    page.wait_for_load_state("networkidle")  # the server's threads must not outlive the test's database
    context.close()
    assert [line for line in said if not any(part in line for part in forgiven)] == []


@pytest.fixture
def log_in(page: Page) -> Callable[[User], None]:
    """Log in through the form, as a person does."""

    def enter(user: User) -> None:
        page.goto("/account/login/")
        page.get_by_label("User name").fill(user.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/")

    return enter


@pytest.fixture
def keep(page: Page, theme: str, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """At every size nothing is wider than the screen; `./test --long` keeps test-output/screenshots, too."""
    folder = request.config.rootpath / "test-output" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)

    def shoot(name: str) -> None:
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            if long.is_asked():
                page.screenshot(path=folder / f"{name}-{size}-{theme}.png", full_page=size != "desktop")
            assert widths[0] <= widths[1], f"{name} is wider than a {size}"
        page.set_viewport_size({"width": 1440, "height": 900})

    return shoot
