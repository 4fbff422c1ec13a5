"""The event page on a real ledger: who may see it, and what is answered when there is nothing to show."""

from __future__ import annotations

import csv
import io
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from common.events import Event
from common.impact_graph import ImpactEdge, ImpactGraph, ImpactNode
from common.ledger import Ledger, connect
from common.plan import Mode, Plan, PlannedCheck
from common.signed_links import sign
from common.snapshot import FileSnapshot, Snapshot
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, Reason, Result, Severity, Verdict
from console.web.application import create_application
from console.web.settings import ConsoleSettings
from tests.support.engines import Valkey
from tests.support.page_reader import PageReader
from tests.support.records import EVENT

KEY = b"k" * 32
SECRET = "LTAI5tMadeUpForTheShop77"
FINDING = Finding("MC-S02", Severity.BLOCK, "The column a of t is dropped.", line=2, column=1, end_column=5)
CODE = f"SELECT '{SECRET}';\nDROP TABLE t;\n"
GRAPH = ImpactGraph(
    (
        ImpactNode("1", "orders", "u-1", 93124, "node", 0, is_changed=True),
        ImpactNode("2", "=HYPERLINK(1)", "u-2", 93124, "node", 1, baseline="Trade", priority=8, due="07:30"),
    ),
    (ImpactEdge("1", "2"),),
)


@dataclass
class Site:
    """A console, its ledger, and a browser.

    Attributes:
        ledger: the ledger that the console reads.
        reader: requests pages.
    """

    ledger: Ledger
    reader: PageReader

    def answered_event(self) -> str:
        """Add an event that was blocked; return its id."""
        event = new_event()
        outcomes = {
            "code-review": Outcome.of((FINDING,)),
            "change-impact": replace(Outcome.of(()), evidence=GRAPH),
        }
        checks = tuple(PlannedCheck(name, Mode.ENFORCE, Result.FAIL, Result.FAIL) for name in outcomes)
        file = FileSnapshot(1, "orders", 10, CODE)
        self.ledger.admit(event, time.time() + 60, time.time() + 48)
        plan = Plan(checks, Result.OK, Language.ENGLISH, "p")
        self.ledger.save_plan(event.message_id, 1, plan, Snapshot(file=file).to_json(), outcomes)
        verdict = Verdict(Result.FAIL, "FAIL: blocked", Reason.COMPLETE, time.time())
        self.ledger.acquire_report_lease(event.message_id, "test", 60)
        self.ledger.freeze_verdict(event.message_id, "test", verdict)
        self.ledger.mark_reported(event.message_id, "test", "accepted", verdict)
        return event.message_id

    def link(self, message_id: str, *, seconds: float = 60) -> str:
        """Return the path and query of an event's signed link."""
        return f"/events/{message_id}?t={sign(KEY, message_id, time.time() + seconds)}"


def new_event() -> Event:
    return replace(EVENT, message_id=str(uuid.uuid4()), data={"fileName": "orders"}, received_at=time.time())


def new_site(redis_url: str, *, is_open: bool = False) -> Site:
    ledger = Ledger(connect(redis_url, response_seconds=1.0), f"pages-{uuid.uuid4()}")
    given = ConsoleSettings(
        broker_url=redis_url,
        redis_url=redis_url,
        extension_code=ledger.extension_code,
        region="cn-shanghai",
        link_key=KEY.decode(),
        console_open=is_open,
    )
    return Site(ledger, PageReader(create_application(given, ledger)))


@pytest.fixture
def site(redis_url: str) -> Iterator[Site]:
    """A console that shows events by their links."""
    made = new_site(redis_url)
    with made.reader:
        yield made
    made.ledger.client.close()


@pytest.fixture
def open_site(redis_url: str) -> Iterator[Site]:
    """A console that shows every event."""
    made = new_site(redis_url, is_open=True)
    with made.reader:
        yield made
    made.ledger.client.close()


def test_the_holder_of_a_link_sees_the_event_and_no_other(site: Site) -> None:
    one, other = site.answered_event(), site.answered_event()
    page = site.reader.get(site.link(one))
    assert page.status_code == 200
    assert "The commit of orders was stopped: 1 problem must be fixed." in page.text
    assert SECRET not in page.text
    token = site.link(one).partition("?")[2]
    for address in (f"/events/{other}", f"/events/{other}.json", f"/events/{other}/progress"):
        assert site.reader.get(f"{address}?{token}").status_code == 403
    for address in (f"/events/{one}.json", f"/events/{one}/impact.csv", f"/events/{one}/progress"):
        assert site.reader.get(f"{address}?{token}").status_code in (200, 205)
        assert site.reader.get(address).status_code == 403


def test_links_inside_the_page_keep_the_signature(site: Site) -> None:
    message_id = site.answered_event()
    link = site.link(message_id)
    token = link.partition("?t=")[2]
    assert f"/events/{message_id}/impact.csv?t={token}" in site.reader.get(link).text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "This address needs the link of the tip."),
        ("?t=", "This link is not one that dwgate made."),
        ("?t=1.x", "This link is not one that dwgate made."),
        ("?t=" + "9" * 5000, "This link is not one that dwgate made."),
        ("?t=1900000000.AAAAAAAAAAAAAAAAAAAAAA", "This link is not one that dwgate made."),
    ],
)
def test_a_link_that_is_missing_or_altered_is_explained(site: Site, query: str, told: str) -> None:
    page = site.reader.get(f"/events/{site.answered_event()}{query}")
    assert page.status_code == 403
    assert told in page.text
    assert "orders" not in page.text


def test_an_expired_link_is_explained(site: Site) -> None:
    page = site.reader.get(site.link(site.answered_event(), seconds=-1))
    assert page.status_code == 403
    assert "This link has expired." in page.text


def test_an_event_that_is_no_longer_kept_is_told_from_one_that_never_was(site: Site, open_site: Site) -> None:
    gone = site.reader.get(site.link(str(uuid.uuid4())))
    assert gone.status_code == 410
    assert "Events are kept for 7 days." in gone.text
    unknown = open_site.reader.get(f"/events/{uuid.uuid4()}")
    assert unknown.status_code == 404
    assert "events are kept for 7 days" in unknown.text


@pytest.mark.parametrize("id_", ["%00", "%F0%9F%98%80", "a%2Fb", "..%2F..", "x" * 3000, "%3Cscript%3E"])
def test_any_text_may_be_asked_for(open_site: Site, id_: str) -> None:
    page = open_site.reader.get(f"/events/{id_}")
    assert page.status_code == 404
    assert "<script>" not in page.text.replace('<script src="', "")


def test_a_page_asks_only_for_what_is_new(open_site: Site) -> None:
    event = new_event()
    open_site.ledger.admit(event, time.time() + 60, time.time() + 48)
    address = f"/events/{event.message_id}/progress"
    first = open_site.reader.get(address)
    assert first.status_code == 200
    assert "Still checking" in first.text
    again = open_site.reader.get(address, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.text) == (204, "")
    open_site.ledger.mark_ignored(event.message_id, "no operation waits")
    assert open_site.reader.get(address).status_code == 205
    assert "No operation waits for this event." in open_site.reader.get(f"/events/{event.message_id}").text


def test_dependents_as_csv_are_no_formulas(open_site: Site) -> None:
    answer = open_site.reader.get(f"/events/{open_site.answered_event()}/impact.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["name"], row["baseline"], row["due"]) for row in rows] == [
        ("'=HYPERLINK(1)", "Trade", "07:30")
    ]


def test_the_pages_of_rules_and_checks_are_for_everyone(site: Site) -> None:
    rule = site.reader.get("/rules/MC-S02", headers={"accept-language": "zh"})
    assert rule.status_code == 200
    assert "规则说明" in rule.text
    assert "downstream-impact" in site.reader.get("/checks/downstream-impact").text
    assert site.reader.get("/rules/none").status_code == site.reader.get("/checks/none").status_code == 404


def test_a_redis_that_hangs_is_reported_in_time(valkey: Valkey) -> None:
    valkey.restore()
    made = new_site(valkey.url, is_open=True)
    with made.reader:
        message_id = made.answered_event()
        assert made.reader.get(f"/events/{message_id}").status_code == 200
        valkey.stop_process()
        try:
            begin = time.monotonic()
            page = made.reader.get(f"/events/{message_id}")
            assert time.monotonic() - begin < 2
            assert page.status_code == 503
            assert "The ledger cannot be reached." in page.text
        finally:
            valkey.resume()
    made.ledger.client.close()
