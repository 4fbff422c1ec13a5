"""Debian's Chromium, driven by Playwright: pages as people see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SERIOUS = frozenset({"serious", "critical"})
"""Impacts of accessibility problems that no page may have."""

PHONE = 360
"""Width in CSS pixels of a small phone."""


@dataclass
class Chromium:
    """A running browser.

    Attributes:
        browser: the browser.
        complaints: what its pages wrote to their consoles, and errors of their scripts.
    """

    browser: Browser
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def page(self, url: str, *, width: int = 1280, **context: Any) -> Iterator[Page]:
        """Open `url` in a context of its own, with the options `context` of Playwright."""
        own = self.browser.new_context(viewport={"width": width, "height": 800}, **context)
        try:
            page = own.new_page()
            page.set_default_timeout(10_000)
            page.on("console", lambda message: self.complaints.append(message.text))
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
            page.goto(url)
            yield page
        finally:
            own.close()


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Run a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_OPTIONS))
        try:
            yield Chromium(browser)
        finally:
            browser.close()


def serious_problems(page: Page) -> list[str]:
    """Return the serious accessibility problems that axe-core finds in a page."""
    found = Axe().run(page).response["violations"]
    return [f"{item['id']}: {item['help']}" for item in found if item["impact"] in SERIOUS]


def is_scrolled_sideways(page: Page) -> bool:
    """Whether a page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
