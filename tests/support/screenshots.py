"""Makes the screenshots of the documentation: `python -m tests.support.screenshots docs/images`.

Everything in them is real: the samples are sent to a dwgate that runs on this machine, and Chromium opens the
links of their tips.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.support.browser import PHONE, Chromium, chromium
from tests.support.engines import Valkey, free_port
from tests.support.running_dwgate import RunningDwgate, fleet, wait_until_final

WIDTH = 1120
FOLD = {"x": 0, "y": 0, "width": WIDTH, "height": 900}
"""What is seen without scrolling."""

_LINK = re.compile(r"https?://\S+/events/\S+")


def main(folder: Path) -> None:
    """Write the screenshots to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dwgate-shots-") as temporary:
        (engine := Path(temporary) / "valkey").mkdir()
        (gate_folder := Path(temporary) / "gate").mkdir()
        valkey = Valkey(engine)
        try:
            valkey.start()
            port = free_port()
            settings = {"DWGATE_DETAILS_URL": f"http://127.0.0.1:{port}/events/{{message_id}}"}
            with (
                fleet(valkey.url, valkey.url, gate_folder, settings=settings) as gate,
                chromium() as browser,
            ):
                gate.start_console(port)
                take_all(gate, browser, folder)
        finally:
            valkey.close()


def take_all(gate: RunningDwgate, browser: Chromium, folder: Path) -> None:
    """Take every screenshot."""
    commit, freeze = link(gate, "commit-file-bad"), link(gate, "freeze-node-bad")
    with browser.page(commit, width=WIDTH) as page:
        page.screenshot(path=folder / "event-blocked.png", clip=FOLD, full_page=True)  # type: ignore[arg-type]
        take(page, ".finding >> nth=1", folder / "event-finding.png")
        take(page, "#decision", folder / "event-decision.png")
        take(page, "#timeline", folder / "event-timeline.png")
    with browser.page(freeze, width=WIDTH) as page:
        take(page, ".graph", folder / "event-impact.png")
    with browser.page(commit, width=PHONE, color_scheme="dark") as page:
        page.screenshot(path=folder / "event-phone-dark.png")


def take(page: Page, selector: str, file: Path) -> None:
    """Take a screenshot of a part of a page."""
    page.locator(selector).screenshot(path=file)


def link(gate: RunningDwgate, name: str) -> str:
    """Send a sample, and return the link in its tip."""
    message_id = gate.send(name)
    found = _LINK.search(gate.verdict(message_id)["tip"])
    if found is None:
        raise SystemExit(f"the tip of {name} has no link")
    wait_until_final(gate, message_id)
    return found[0]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
