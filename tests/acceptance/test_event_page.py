"""The event page in a browser, with real events of a running dwgate, as a person comes to it from the tip."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from common.signed_links import details_link, sign
from tests.support.browser import PHONE, Chromium, chromium, is_scrolled_sideways, serious_problems
from tests.support.engines import Valkey, free_port
from tests.support.running_dwgate import RunningDwgate, fleet, wait_for, wait_until_final

LINK = re.compile(r"https?://\S+/events/\S+")
HOSTILE_NAME = "<script>alert(1)</script>\u202e<b>gate</b>"
LONG_LINE = "SELECT '" + "x" * 1_000_000 + "<img src=x onerror=alert(2)>'; DROP TABLE dwd_trade_order_di;"


@pytest.fixture(scope="module")
def gate(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    """A running dwgate with a console to which tips link."""
    valkey.restore()
    valkey.clean()
    port = free_port()
    settings = {"DWGATE_DETAILS_URL": f"http://127.0.0.1:{port}/events/{{message_id}}"}
    with fleet(valkey.url, valkey.url, tmp_path_factory.mktemp("pages"), settings=settings) as running:
        running.start_console(port)
        yield running
    valkey.restore()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as running:
        yield running


@pytest.fixture(autouse=True)
def no_complaints(browser: Chromium) -> Iterator[None]:
    """Fail if a page complained during the test."""
    browser.complaints.clear()
    yield
    assert browser.complaints == []


@pytest.fixture(scope="module")
def link(gate: RunningDwgate) -> str:
    """The link in the tip of a blocked commit."""
    return tip_link(gate, gate.send("commit-file-bad"))


def tip_link(gate: RunningDwgate, message_id: str) -> str:
    found = LINK.search(gate.verdict(message_id)["tip"])
    assert found
    wait_until_final(gate, message_id)
    return found[0]


def test_the_link_of_the_tip_says_what_is_wrong_and_what_to_do(browser: Chromium, link: str) -> None:
    with browser.page(link) as page:
        expect(page.locator("h1")).to_have_text(
            "The commit of dws_trade_user_1d was stopped: 4 problems must be fixed."
        )
        first = page.locator("#findings").bounding_box()
        assert first
        assert first["y"] < 800, "verdict and next step are above the fold"
        assert "LTAI5tMadeUpForTheShop77" not in page.content()
        expect(page.locator(".frame mark").first).to_have_text(re.compile(r"^\*+$"))
        expect(page.locator("#impact svg")).to_be_visible()
        page.get_by_role("link", name="Rule MC-S02 in full").click()
        expect(page.locator("h1")).to_contain_text("MC-S02")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(browser: Chromium, link: str, scheme: str) -> None:
    with browser.page(link, color_scheme=scheme) as page:
        assert serious_problems(page) == []
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 27)")


def test_language_and_theme_are_chosen_and_remembered(browser: Chromium, link: str) -> None:
    with browser.page(link, locale="zh-CN") as page:
        expect(page.locator("h1")).to_have_text("dws_trade_user_1d 的提交被阻断：须处理 4 个问题。")
        page.get_by_role("link", name="深色").click()
        page.get_by_role("link", name="English").click()
        expect(page.locator("h1")).to_contain_text("was stopped")
        page.goto(link)
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.locator("html")).to_have_attribute("lang", "en")


def test_everything_is_reached_by_keyboard(browser: Chromium, link: str) -> None:
    with browser.page(link) as page:
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to the content")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Request an exception")
        summary = page.locator(".exception summary").first
        summary.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".command").first).to_contain_text("dwgate waivers add W-")


def test_a_phone_shows_the_page_without_scrolling_sideways(browser: Chromium, link: str) -> None:
    with browser.page(link, width=PHONE) as page:
        assert not is_scrolled_sideways(page)
        assert serious_problems(page) == []


def test_a_printed_page_has_no_buttons(browser: Chromium, link: str) -> None:
    with browser.page(link) as page:
        page.emulate_media(media="print")
        expect(page.locator(".top")).to_be_hidden()
        expect(page.locator(".actions").first).to_be_hidden()
        expect(page.locator("h1")).to_be_visible()


def test_hostile_names_and_code_are_shown_as_text(browser: Chromium, gate: RunningDwgate) -> None:
    message_id, event, sample = gate.sample("commit-file-bad")
    snapshot = copy.deepcopy(sample.snapshot)
    assert snapshot
    event["data"]["fileName"] = snapshot["CommittedFile"]["FileName"] = HOSTILE_NAME
    snapshot["CommittedFile"]["Content"] = LONG_LINE
    gate.emulator.start_process(message_id, "commit-file", snapshot=snapshot)
    assert gate.post(event).status_code == 200
    with browser.page(tip_link(gate, message_id)) as page:
        expect(page.locator("h1")).to_contain_text("<script>alert(1)</script>\ufffd<b>gate</b>")
        assert "\u202e" not in page.content()
        assert len(page.content()) < 200_000
        assert not is_scrolled_sideways(page)


def test_a_page_shows_the_verdict_as_soon_as_it_is_there(browser: Chromium, gate: RunningDwgate) -> None:
    gate.emulator.fault("delay", action="GetIDEEventDetail", times=1, seconds=3)
    message_id = gate.send("commit-file-bad")
    wait_for(lambda: gate.ledger.get(message_id))
    token = sign(gate.ledger.link_key.ensure(), message_id, time.time() + 60)
    url = details_link(gate.environment["DWGATE_DETAILS_URL"], message_id, token)
    with browser.page(url) as page:
        expect(page.locator(".word")).to_have_text(" Still checking")
        expect(page.locator(".word")).to_have_text(" Blocked", timeout=15_000)
