"""How many pictures a second a person sees who scrolls through a volume, in each of its three planes.

    python bench/scrolling.py ADDRESS --user NAME [--slow N] [--json]

ADDRESS: the case page of a running installation, of a scan that is a volume (`?scan=N` chooses it). The
password is asked for, or comes from VENTRA_PASSWORD; CHROMIUM names the browser. --slow: by how much the
processor is slowed. The wheel turns one picture on with each repaint of the screen, to the end of the plane
and back, once the stack has come. Printed for each plane: pictures drawn a second, milliseconds between two
(median, 95th percentile), and milliseconds until the server sends one that the browser does not hold.
"""

import argparse
import getpass
import json
import os
import shutil
import statistics
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
PANES = {"frames": "#scan-canvas", "rows": "#cut-rows canvas", "columns": "#cut-columns canvas"}
SECONDS = 4
ASKED = 30
SCROLL = """async ([selector, count, seconds]) => {
    const canvas = document.querySelector(selector);
    const drawn = [];
    const look = new MutationObserver(() => drawn.push(performance.now()));
    look.observe(canvas, { attributes: true, attributeFilter: ["data-frame"] });
    let down = 1;
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until) {
        const number = Number(canvas.dataset.frame);
        if (number >= count - 1) down = -1;
        if (number <= 0) down = 1;
        canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: down, cancelable: true }));
        await new Promise(requestAnimationFrame);
    }
    look.disconnect();
    return drawn;
}"""
ASK = """async (addresses) => {
    const lasted = [];
    for (const address of addresses) {
        const began = performance.now();
        await (await fetch(address)).arrayBuffer();
        lasted.push(performance.now() - began);
    }
    return lasted;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address")
    parser.add_argument("--user", required=True)
    parser.add_argument("--slow", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measured(options, os.environ.get("VENTRA_PASSWORD") or getpass.getpass())
    print(
        json.dumps(found) if options.json else "\n".join(f"{plane}: {said}" for plane, said in found.items())
    )


def measured(options: argparse.Namespace, password: str) -> dict[str, dict[str, float]]:
    """The figures of each plane, all three of which stand beside each other."""
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
        browser = playwright.chromium.launch(executable_path=path)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        opened(page, options.address, options.user, password)
        if options.slow > 1:
            session = page.context.new_cdp_session(page)
            session.send("Emulation.setCPUThrottlingRate", {"rate": options.slow})
        picture = page.evaluate("JSON.parse(document.getElementById('picture').textContent)")
        stacks = {"frames": picture, **{plane["across"]: plane for plane in picture["planes"]}}
        found = {across: of_plane(page, PANES[across], stack) for across, stack in stacks.items()}
        browser.close()
    return found


def opened(page: Page, address: str, user: str, password: str) -> None:
    """The case page, its three planes open."""
    place = urlsplit(address)
    page.goto(f"{place.scheme}://{place.netloc}/account/login/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    page.goto(address)
    page.keyboard.press("t")
    for pane in PANES.values():
        page.wait_for_selector(f"{pane}[data-frame]")


def of_plane(page: Page, pane: str, stack: dict[str, Any]) -> dict[str, float]:
    """What a person sees who scrolls through it, and what the server needs for a picture."""
    numbers = np.linspace(0, stack["frames"] - 1, ASKED).astype(int)
    server = page.evaluate(ASK, [f"{stack['address']}{number}?view=bench" for number in numbers])
    page.evaluate(SCROLL, [pane, stack["frames"], 0.5])  # whoever scrolls once gets the rest ahead
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(3000)
    drawn = page.evaluate(SCROLL, [pane, stack["frames"], SECONDS])
    between = np.diff(drawn)
    return {
        "pictures": stack["frames"],
        "drawn_a_second": round(len(drawn) / SECONDS, 1),
        "between_ms": round(float(np.median(between)), 1),
        "between_p95_ms": round(float(np.percentile(between, 95)), 1),
        "server_ms": round(statistics.median(server), 1),
    }


if __name__ == "__main__":
    main()
