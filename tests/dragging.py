"""A hand on the viewer, for browser tests: from one place of the scan to another."""

from playwright.sync_api import Page

PLACE = """([row, column]) => {
    const box = document.getElementById("marks").getBoundingClientRect();
    const canvas = document.getElementById("scan-canvas");
    const { aspect } = JSON.parse(document.getElementById("picture").textContent);
    const across = Math.min(box.width / canvas.width, box.height / canvas.height / aspect);
    const down = across * aspect;
    const left = box.left + (box.width - canvas.width * across) / 2;
    const top = box.top + (box.height - canvas.height * down) / 2;
    return [left + (column + 0.5) * across, top + (row + 0.5) * down]; }"""
"""Where (row, column) of the scan lies on the screen."""


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one (row, column) of the scan to another, as a hand does."""
    for move, point in ((page.mouse.down, start), (page.mouse.up, end)):
        x, y = page.evaluate(PLACE, list(point))
        page.mouse.move(x, y)
        move()
