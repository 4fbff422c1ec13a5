"""Makes the screenshots of the documentation: `python -m tests.support.screenshots docs/images`.

Those in Chinese are in its folder `zh`, and need a font: Debian's package fonts-noto-cjk. Everything is real:
samples are sent to a dwgate that runs on this machine, and Chromium opens the links of their tips.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from common.text.i18n import Language
from tests.conftest import built_in_policy
from tests.support.browser import PHONE, Chromium, chromium
from tests.support.engines import Valkey, free_port
from tests.support.running_dwgate import RunningDwgate, fleet, wait_until_final

WIDTH = 1120
FOLD = {"x": 0, "y": 0, "width": WIDTH, "height": 900}
"""What is seen without scrolling."""

SHOW_WHOLE = (
    "graph => Object.assign(graph.style, {width: 'max-content', maxHeight: 'none', overflow: 'visible'})"
)
"""Shows also those parts of a graph to which people scroll."""

_LINK = re.compile(r"https?://\S+/events/\S+")


def main(folder: Path) -> None:
    """Write the screenshots to `folder`, those in Chinese to `zh` in it."""
    with tempfile.TemporaryDirectory(prefix="dwgate-shots-") as temporary, chromium() as browser:
        (engine := Path(temporary) / "valkey").mkdir()
        valkey = Valkey(engine)
        try:
            valkey.start()
            for language, target in ((Language.ENGLISH, folder), (Language.CHINESE, folder / "zh")):
                target.mkdir(parents=True, exist_ok=True)
                (gate_folder := Path(temporary) / language.value).mkdir()
                valkey.clean()
                with answering_in(language, valkey, gate_folder) as gate:
                    take_all(gate, browser, target, language)
        finally:
            valkey.close()


@contextmanager
def answering_in(language: Language, valkey: Valkey, folder: Path) -> Iterator[RunningDwgate]:
    """Run a dwgate with a console, whose policy has a language."""
    policy = folder / "policy.yaml"
    policy.write_text(built_in_policy().replace("language: en", f"language: {language.value}"))
    port = free_port()
    settings = {
        "DWGATE_DETAILS_URL": f"http://127.0.0.1:{port}/events/{{message_id}}",
        "DWGATE_POLICY_FILE": str(policy),
    }
    with fleet(valkey.url, valkey.url, folder, settings=settings) as gate:
        gate.start_console(port)
        yield gate


def take_all(gate: RunningDwgate, browser: Chromium, folder: Path, language: Language) -> None:
    """Take every screenshot."""
    commit, freeze = link(gate, "commit-file-bad"), link(gate, "freeze-node-bad")
    locale = {Language.ENGLISH: "en-US", Language.CHINESE: "zh-CN"}[language]
    with browser.page(commit, width=WIDTH, locale=locale) as page:
        page.screenshot(path=folder / "event-blocked.png", clip=FOLD, full_page=True)  # type: ignore[arg-type]
        take(page, ".finding >> nth=1", folder / "event-finding.png")
        take(page, "#decision", folder / "event-decision.png")
        take(page, "#timeline", folder / "event-timeline.png")
    with browser.page(freeze, width=WIDTH, locale=locale) as page:
        page.locator(".graph").evaluate(SHOW_WHOLE)
        take(page, ".graph", folder / "event-impact.png")
    with browser.page(commit, width=PHONE, color_scheme="dark", locale=locale) as page:
        page.screenshot(path=folder / "event-phone-dark.png")


def take(page: Page, selector: str, file: Path) -> None:
    """Take a screenshot of a part of a page, also if it is taller than the window."""
    box = page.locator(selector).bounding_box()
    page.screenshot(path=file, clip=box, full_page=True)


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
