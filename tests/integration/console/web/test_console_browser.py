"""The pages for operators and administrators in a browser: keyboard, phone, themes, accessibility."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from common.ledger import Ledger, State, connect
from common.plan import Mode
from common.verdicts import Finding, Outcome, Severity
from console.access.users import Role
from console.access.users_file import write_user
from tests.support.answered_events import add_event
from tests.support.browser import PHONE, Chromium, chromium, is_scrolled_sideways, serious_problems
from tests.support.console_process import ConsoleProcess, console_environment
from tests.support.emulator_process import EXTENSION_CODE
from tests.support.engines import Valkey

PASSWORD = "correct horse battery"
BLOCKED = Outcome.of([Finding("MC-C01", Severity.BLOCK, "SELECT * <script>alert(1)</script>\u202e reversed")])
PAGES = (
    *("/", "/events", "/events?state=dead", "/events?q=nothing-has-this-name", "/events/m-1", "/events/m-2"),
    *("/events/dead-1", "/report", "/policy", "/waivers", "/events/requeue?id=dead-1"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def ledger(valkey: Valkey) -> Iterator[Ledger]:
    valkey.restore()
    valkey.clean()
    client = connect(valkey.url)
    ledger = Ledger(client, EXTENSION_CODE)
    ledger.lease_due(1)
    add_event(ledger, "m-1", BLOCKED, name="<b>dws_trade</b>")
    add_event(ledger, "m-2", BLOCKED, mode=Mode.AUDIT, name="a_table_with_a_rather_long_name_" * 4)
    add_event(ledger, "dead-1", None)
    ledger.mark_dead("dead-1", "DataWorks refuses the verdict")
    yield ledger
    client.close()


@pytest.fixture(scope="module")
def session(
    ledger: Ledger, valkey: Valkey, browser: Chromium, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[str, object]]]:
    """Address of a console, and the state of a browser after a login by keyboard."""
    assert ledger.get("dead-1")
    folder = tmp_path_factory.mktemp("console")
    write_user(folder / "users.yaml", "ann", Role.ADMINISTRATOR, PASSWORD, None)
    settings = {"DWGATE_CONSOLE_USERS_FILE": str(folder / "users.yaml"), "DWGATE_CONSOLE_KEY": "k" * 32}
    console = ConsoleProcess(folder, console_environment(valkey.url) | settings)
    try:
        with browser.page(f"{console.url}/events?state=dead") as page:
            page.get_by_label("Name").focus()
            page.keyboard.type("ann")
            page.keyboard.press("Tab")
            page.keyboard.type(PASSWORD)
            page.keyboard.press("Enter")
            expect(page).to_have_url(f"{console.url}/events?state=dead")
            state = dict(page.context.storage_state())
        yield console.url, state
    finally:
        console.close()


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_accessible_and_fits_a_phone(
    browser: Chromium, session: tuple[str, dict[str, object]], path: str
) -> None:
    url, state = session
    browser.complaints.clear()
    with browser.page(url + path, storage_state=state) as page:
        assert page.locator("h1").count() == 1
        assert serious_problems(page) == []
        page.set_viewport_size({"width": PHONE, "height": 740})
        assert not is_scrolled_sideways(page)
    assert browser.complaints == []


@pytest.mark.parametrize(
    "path",
    ["/events", *(pytest.param(path, marks=pytest.mark.faults) for path in PAGES if path != "/events")],
)
def test_each_page_is_accessible_in_chinese_and_dark(
    browser: Chromium, session: tuple[str, dict[str, object]], path: str
) -> None:
    url, state = session
    with browser.page(url + path, storage_state=state, color_scheme="dark", locale="zh-CN") as page:
        assert page.locator("html").get_attribute("lang") == "zh"
        assert serious_problems(page) == []


def test_the_page_of_an_event_has_the_navigation_of_its_user(
    browser: Chromium, session: tuple[str, dict[str, object]]
) -> None:
    url, state = session
    with browser.page(f"{url}/events/m-1", storage_state=state) as page:
        page.get_by_role("navigation").get_by_role("link", name="Events", exact=True).click()
        expect(page).to_have_url(f"{url}/events")


def test_dead_events_are_requeued_by_keyboard(
    browser: Chromium, session: tuple[str, dict[str, object]], ledger: Ledger
) -> None:
    url, state = session
    browser.complaints.clear()
    with browser.page(f"{url}/events?state=dead", storage_state=state, java_script_enabled=False) as page:
        page.get_by_role("button", name="Requeue all dead events").focus()
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Requeue 1 event?")
        page.get_by_label("Why?").focus()
        page.keyboard.type("the key has the right now")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("1 event was requeued.")
    record = ledger.get("dead-1")
    assert record
    assert (record.state, record.run) == (State.RECEIVED, 2)
