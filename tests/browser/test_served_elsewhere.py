"""Where hospitals put it: under a path behind a proxy that strips it or not, by IPv6, under another name."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import pytest
from conftest import PASSWORD
from django.contrib.auth.hashers import Argon2PasswordHasher
from playwright.sync_api import expect

from accounts.models import User
from accounts.tokens import issue_token
from launcher import services
from launcher.environment import ROOT
from launcher.processes import Process

pytestmark = [pytest.mark.browser, pytest.mark.faults, pytest.mark.django_db(transaction=True)]
PLACES = {
    "under a path": ("127.0.0.1", "127.0.0.1", {"SERVED_UNDER": "/hospital/ventra/"}),
    "by IPv6": ("::1", "[::1]", {}),
    "under a name": ("127.0.0.1", "ventra.localhost", {"ALLOWED_HOSTS": "ventra.localhost"}),
}


@pytest.fixture(scope="module")
def gathered(tmp_path_factory) -> str:
    """The pages' static files as an installation has them: the same ones wherever it is served."""
    folder = str(tmp_path_factory.mktemp("static"))
    gather = (sys.executable, "manage.py", "collectstatic", "--noinput")
    settings = dict(os.environ) | {"SECURE_SSL": "0", "STATIC_ROOT": folder}
    subprocess.run(gather, cwd=ROOT, env=settings, check=True, capture_output=True)
    return folder


@pytest.fixture(params=PLACES)
def site(request, environment, gathered, tmp_path) -> Iterator[str]:
    """The address of a real web server in one of the places; one setting says which."""
    listen, name, setting = PLACES[request.param]
    with socket.socket(socket.AF_INET6 if ":" in listen else socket.AF_INET) as free:
        free.bind((listen, 0))
        port = free.getsockname()[1]
    settings = environment | {"SECURE_SSL": "0", "STATIC_ROOT": gathered} | setting
    root = f"http://{name}:{port}"
    with Process(services.web(settings, tmp_path / "web.log", port, listen)) as process:
        process.wait_until(lambda: answers(root.replace("ventra.localhost", "127.0.0.1")), seconds=60)
        yield root + setting.get("SERVED_UNDER", "/")


def answers(root: str) -> bool:
    try:
        with urllib.request.urlopen(f"{root}/healthz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_a_case_is_opened_a_scan_uploaded_and_a_fault_leads_back_there(
    site, models, alice, page, phantom_png, tmp_path, forgiven
):
    forgiven.append("404")
    (tmp_path / "head.png").write_bytes(phantom_png())
    hasher = Argon2PasswordHasher()  # the real server's own
    User.objects.filter(pk=alice.pk).update(password=hasher.encode(PASSWORD, hasher.salt()))
    page.goto(site)
    assert page.url.startswith(f"{site}account/login/")
    page.get_by_label("User name").fill(alice.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(site)
    page.get_by_role("link", name="Open a case").first.click()
    page.get_by_label("Patient ID").fill("ELSEWHERE-1")
    page.get_by_role("button", name="Open").click()
    page.wait_for_url(f"{site}cases/**")
    page.get_by_label("Ultrasound").check()
    page.get_by_label("Drop files here").set_input_files(tmp_path / "head.png")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#scan-canvas")).to_be_visible(timeout=20_000)
    addresses = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert addresses
    assert [address for address in addresses if not address.startswith(site)] == []
    cookies = {cookie["name"]: cookie["path"] for cookie in page.context.cookies()}
    assert cookies["ventra_session"] == site[site.index("/", 8) :]
    page.get_by_role("link", name="Worklist").first.click()
    page.get_by_role("row").get_by_text("ELSEWHERE-1").click()
    page.wait_for_url(f"{site}cases/**")
    sent = {"Authorization": f"Token {issue_token(alice, lifetime=timedelta(hours=1))}"}
    here = site.replace("ventra.localhost", "127.0.0.1")  # only a browser finds a name below localhost
    sent["Host"] = site.split("/")[2]
    (listed,) = page.request.get(f"{here}api/v1/cases/", headers=sent).json()["results"]
    assert listed["url"].startswith(f"{site}api/v1/cases/"), "programs are led on in the same place"
    page.goto(f"{site}nothing/of/the/kind/")
    assert (
        page.get_by_role("link", name="To the worklist").get_attribute("href") == site[site.index("/", 8) :]
    )
