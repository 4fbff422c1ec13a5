"""The pages for operators and administrators: a real console process on a real Valkey."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from common.ledger import AuditAction, Ledger, State, connect
from common.plan import Mode
from common.verdicts import (
    AppliedWaiver,
    Finding,
    Outcome,
    OutcomeKind,
    Severity,
)
from console.access.users import Role
from console.access.users_file import write_user
from tests.support.answered_events import add_event
from tests.support.console_process import ConsoleProcess, console_environment, form_token
from tests.support.emulator_process import EXTENSION_CODE
from tests.support.engines import Valkey
from tests.support.running_dwgate import wait_for

PASSWORD = "correct horse battery"
POLICY = "version: 1\npoints:\n  commit-file:\n    checks:\n      code-review: {mode: warn}\n"
BLOCKED = Outcome.of([Finding("MC-C01", Severity.BLOCK, "SELECT * <script>alert(1)</script>")])


@pytest.fixture(scope="module")
def console(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleProcess]:
    folder = tmp_path_factory.mktemp("console")
    users = folder / "users.yaml"
    for name, role, workspaces in (
        ("ann", Role.ADMINISTRATOR, None),
        ("oli", Role.OPERATOR, None),
        ("vera", Role.VIEWER, (7,)),
    ):
        write_user(users, name, role, PASSWORD, workspaces)
    (folder / "policy.yaml").write_text(POLICY)
    ends = (datetime.now(UTC) + timedelta(days=5)).isoformat(timespec="minutes")
    (folder / "waivers.yaml").write_text(
        f"version: 1\nwaivers:\n- {{id: W-1, rule: MC-C02, reason: old loader, owner: lin, approver: chen,"
        f" expires_at: '{ends}'}}\n"
    )
    process = ConsoleProcess(
        folder,
        console_environment(valkey.url)
        | {
            "DWGATE_CONSOLE_USERS_FILE": str(users),
            "DWGATE_CONSOLE_KEY": "k" * 32,
            "DWGATE_POLICY_FILE": str(folder / "policy.yaml"),
            "DWGATE_WAIVERS_FILE": str(folder / "waivers.yaml"),
            "DWGATE_CONSOLE_PROXY_ADDRESSES": "127.0.0.9",
        },
    )
    yield process
    process.close()


@pytest.fixture
def ledger(clean_redis_url: str) -> Iterator[Ledger]:
    client = connect(clean_redis_url)
    ledger = Ledger(client, EXTENSION_CODE)
    ledger.lease_due(1)
    add_event(ledger, "m-1", BLOCKED, name="dws_trade")
    add_event(ledger, "m-2", Outcome(OutcomeKind.PASSED), project=8, name="ads_stock")
    add_event(ledger, "m-3", BLOCKED, mode=Mode.AUDIT, project=8)
    add_event(ledger, "dead-1", None)
    ledger.mark_dead("dead-1", "DataWorks refuses the verdict")
    yield ledger
    client.close()


@contextmanager
def log_in(console: ConsoleProcess, name: str) -> Iterator[httpx.Client]:
    with console.browser() as browser:
        answer = browser.post("/login", data={"name": name, "password": PASSWORD, "next": "/events"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/events")
        yield browser


@pytest.fixture(scope="module")
def ann_session(console: ConsoleProcess) -> httpx.Cookies:
    """The cookies of an administrator, who logs in once: checking a password takes a while by design."""
    with log_in(console, "ann") as browser:
        return browser.cookies


@pytest.fixture
def ann(console: ConsoleProcess, ledger: Ledger, ann_session: httpx.Cookies) -> Iterator[httpx.Client]:
    """The browser of an administrator; the ledger has events."""
    assert ledger.get("m-1")
    with console.browser(cookies=ann_session) as browser:
        yield browser


@pytest.mark.usefixtures("ledger")
def test_without_a_login_every_page_leads_to_it_and_back(console: ConsoleProcess) -> None:
    with console.browser() as browser:
        for path in ("/", "/events?state=dead", "/report", "/policy", "/waivers", "/events/m-1"):
            answer = browser.get(path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/login?next=%2F"), path
        page = browser.get(browser.get("/events?state=dead").headers["location"]).text
        assert 'name="next" value="/events?state=dead"' in page


@pytest.mark.usefixtures("ledger")
def test_a_session_cookie_is_for_this_site_and_no_script(console: ConsoleProcess) -> None:
    with console.browser() as browser:
        answer = browser.post("/login", data={"name": "ann", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert browser.post("/login", data={"name": "ann", "password": "wrong"}).status_code == 403
        evil = {"origin": "https://evil.example"}
        assert browser.post("/login", data={"name": "ann"}, headers=evil).status_code == 403


def test_logins_and_refused_ones_are_in_the_audit_trail(console: ConsoleProcess, ledger: Ledger) -> None:
    with console.browser() as browser:
        for name in ("ann", "correct horse battery"):  # a password where the name belongs
            assert browser.post("/login", data={"name": name, "password": "wrong"}).status_code == 403
    with log_in(console, "oli"):
        pass
    entries = [
        (entry.action, entry.actor, entry.subject, entry.reason) for entry in ledger.audit_trail.entries()
    ]
    assert entries == [
        ("login-refused", "127.0.0.1 (console)", "ann", "password from 127.0.0.1"),
        ("login-refused", "127.0.0.1 (console)", "unknown user", "password from 127.0.0.1"),
        ("login", "oli (console)", "oli", "password from 127.0.0.1"),
    ]


def test_the_list_shows_events_as_text_with_filters_in_the_address(ann: httpx.Client) -> None:
    page = ann.get("/events")
    assert page.status_code == 200
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script>alert" not in page.text
    assert 'href="/events/m-1"' in page.text
    blocked = ann.get("/events?verdict=FAIL&project=7&unknown=1").text
    assert 'href="/events/m-1"' in blocked
    assert 'href="/events/m-2"' not in blocked
    assert 'href="/events/m-3"' in ann.get("/events?verdict=would-block").text
    assert 'href="/events/m-2"' in ann.get("/events?q=STOCK").text
    empty = ann.get("/events?q=nothing-has-this-name&state=dead").text
    assert "No event fits." in empty
    assert "DataWorks refuses the verdict" in ann.get("/events?state=dead").text


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/events?state=boss", "state: expected one of received"),
        ("/events?verdict=maybe", "verdict: expected one of OK"),
        ("/events?project=x", "project: expected the number"),
        ("/events?since=yesterday", "since: expected a time"),
        ("/events?before=5", "before: not a position"),
        ("/report?days=1000", "days: expected a number"),
        ("/report?format=xls", "format: expected csv"),
        ("/policy?point=lunch", "point: expected one of"),
        ("/policy?type=nonsense", "type nonsense"),
        ("/events/requeue", "id: expected the ids"),
    ],
)
def test_a_bad_value_is_refused_with_the_name_of_its_field(
    ann: httpx.Client, path: str, expected: str
) -> None:
    answer = ann.get(path)
    assert answer.status_code == 400
    assert expected in answer.text


def test_pages_of_the_list_follow_each_other(ann: httpx.Client, ledger: Ledger) -> None:
    for number in range(60):
        add_event(ledger, f"n-{number}", None)
    first = ann.get("/events?state=open")
    older = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = ann.get(f"/events{older}")
    shown = [f'href="/events/n-{number}"' in first.text for number in range(60)]
    assert shown.count(True) == 50
    assert [f'href="/events/n-{number}"' in second.text for number in range(60)] == [not it for it in shown]


@pytest.mark.usefixtures("ledger")
def test_a_role_sees_its_pages_and_workspaces_only(console: ConsoleProcess) -> None:
    with log_in(console, "vera") as vera:
        assert "/events/m-2" not in vera.get("/events").text
        assert vera.get("/events?project=8").status_code == 403
        assert vera.get("/events/m-1").status_code == 200
        assert vera.get("/events/m-2").status_code == 403
        for path in ("/", "/report", "/policy", "/waivers", "/events/requeue?id=dead-1"):
            assert vera.get(path).status_code == 403, path
    with log_in(console, "oli") as oli:
        assert oli.get("/report").status_code == 403
        assert oli.get("/waivers").status_code == 200


def test_a_requeue_shows_what_it_does_and_needs_a_reason_and_a_token(
    console: ConsoleProcess, ledger: Ledger
) -> None:
    with log_in(console, "oli") as oli:
        page = oli.get("/events/requeue?id=dead-1&id=m-1&id=gone").text
        assert "Requeue 2 events?" in page
        assert "DataWorks accepted FAIL" in page
        token = form_token(page)
        ids = {"id": ["dead-1", "m-1"]}
        assert oli.post("/events/requeue", data={**ids, "why": "fixed"}).status_code == 403
        no_reason = oli.post("/events/requeue", data={**ids, "form_token": token, "why": " "})
        assert no_reason.status_code == 400
        done = oli.post("/events/requeue", data={**ids, "form_token": token, "why": "the key has the right"})
        assert done.status_code == 303
        assert "2 events were requeued." in oli.get(done.headers["location"]).text
    entries = [entry for entry in ledger.audit_trail.entries() if entry.action == AuditAction.REQUEUE]
    assert [(entry.actor, entry.subject, entry.reason) for entry in entries] == [
        ("oli (console)", "dead-1", "the key has the right"),
        ("oli (console)", "m-1", "the key has the right"),
    ]
    record = ledger.get("dead-1")
    assert record
    assert (record.state, record.run) == (State.RECEIVED, 2)


def test_a_token_of_another_user_or_login_is_refused(console: ConsoleProcess, ledger: Ledger) -> None:
    with log_in(console, "oli") as oli, log_in(console, "ann") as ann, log_in(console, "oli") as again:
        token = form_token(oli.get("/events/requeue?id=dead-1").text)
        data = {"id": "dead-1", "form_token": token, "why": "x"}
        assert ann.post("/events/requeue", data=data).status_code == 403
        assert again.post("/events/requeue", data=data).status_code == 403
        assert (
            ann.post("/logout", data={"form_token": form_token(ann.get("/events").text)}).status_code == 303
        )
        assert ann.get("/events").status_code == 303
    record = ledger.get("dead-1")
    assert record
    assert record.run == 1


def test_the_report_counts_answered_events_and_what_would_have_been_blocked(ann: httpx.Client) -> None:
    page = ann.get("/report?days=7").text
    assert [text for text in figures(page) if text.startswith(("3", "1"))] == [
        "3events answered",
        "1blocked33.3 %",
        "1would have been blocked33.3 %",
    ]
    assert "MC-C01" in page
    assert "style=" not in page
    lines = ann.get("/report?days=7&format=csv").text.splitlines()
    assert lines[0] == "day,workspace,dimension,value,mode,count,number"
    assert any(line.endswith(",8,check,code-review,audit,would-block,1") for line in lines)
    assert "2events answered" in figures(ann.get("/report?project=8").text)


def figures(page: str) -> list[str]:
    """Return the figures of a report with their names."""
    part = page.split('<section class="kpi">')[1].split("</section>", maxsplit=1)[0]
    return [re.sub(r"<[^>]*>|\n", "", figure) for figure in part.split("<div>")[1:]]


def test_each_number_of_the_report_leads_to_its_events(ann: httpx.Client) -> None:
    def shown(address: str) -> set[str]:
        page = ann.get(html.unescape(address)).text
        return {id_ for id_ in ("m-1", "m-2", "m-3", "dead-1") if f'href="/events/{id_}"' in page}

    page = ann.get("/report?days=7").text
    addresses = re.findall(r'<a href="(/events\?[^"]*)">\d+</a>', page)
    found = {address: shown(address) for address in addresses}
    expected = {
        ("state=reported",): {"m-1", "m-2", "m-3"},
        ("state=reported", "project=8"): {"m-2", "m-3"},
        ("verdict=FAIL",): {"m-1"},
        ("verdict=would-block",): {"m-3"},
        ("verdict=FAIL", "project=7"): {"m-1"},
        ("verdict=would-block", "project=8"): {"m-3"},
        ("verdict=would-block", "rule=MC-C01"): {"m-3"},
        ("verdict=FAIL", "check=code-review"): {"m-1"},
        ("verdict=FAIL", "person=user-7"): {"m-1"},
    }
    for filters, events in expected.items():
        lists = [found[address] for address in found if parameters(address) == set(filters)]
        assert lists, filters
        assert all(each == events for each in lists), filters  # of the period, and of the one day
    assert all("since=" in address and "until=" in address for address in found)
    only = ann.get("/report?days=7&project=8").text
    assert 'verdict=would-block"' in only.replace("project=8&amp;", "")
    assert "project=7" not in only


def parameters(address: str) -> set[str]:
    """Return the parameters of an address without its period."""
    given = html.unescape(address).partition("?")[2].split("&")
    return {each for each in given if not each.startswith(("since=", "until="))}


def test_the_policy_shows_the_line_of_each_value(ann: httpx.Client) -> None:
    page = ann.get("/policy?project=7&point=commit-file").text
    assert "<code>code-review.mode</code>" in page
    assert "policy.yaml:5</code>" in page


def replay(browser: httpx.Client, policy: str) -> str:
    """Replay a policy, and return the page with its result."""
    token = form_token(browser.get("/policy").text)
    answer = browser.post("/policy", data={"form_token": token, "policy": policy, "days": "7", "project": ""})
    assert answer.status_code == 303
    limit = time.monotonic() + 60
    while "The replay is running." in (page := browser.get(answer.headers["location"])).text:
        assert page.headers["refresh"], "a page that says so must load itself again"
        assert time.monotonic() < limit
        time.sleep(0.1)
    assert "refresh" not in page.headers
    return page.text


def test_a_pasted_policy_is_replayed_and_recorded(ann: httpx.Client, ledger: Ledger) -> None:
    page = replay(ann, POLICY.replace("warn", "enforce"))
    assert "1 newly blocked, 0 newly passed" in page
    assert 'href="/events/m-3"' in page
    entries = [entry for entry in ledger.audit_trail.entries() if entry.action != AuditAction.LOGIN]
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("ann (console)", AuditAction.POLICY_REPLAYED)
    ]


def test_a_policy_that_cannot_be_replayed_is_answered_with_the_reason(ann: httpx.Client) -> None:
    token = form_token(ann.get("/policy").text)
    bad = ann.post("/policy", data={"form_token": token, "policy": "version: 2", "days": "7"})
    assert bad.status_code == 422
    assert "policy:1:" in bad.text
    large = ann.post("/policy", data={"form_token": token, "policy": "#" * 70_000, "days": "7"})
    assert large.status_code == 413
    assert ann.get("/policy/replays/unknown").status_code == 404


def test_waivers_are_shown_with_their_uses(ann: httpx.Client, ledger: Ledger) -> None:
    waived = Finding("MC-C02", Severity.BLOCK, "x", waived=AppliedWaiver("W-9", "removed"))
    add_event(ledger, "m-9", Outcome.of([waived]))
    page = ann.get("/waivers").text
    assert "Expiring soon (1)" in page
    assert "never matched" in page
    assert '<th scope="row">W-9</th><td class="num">1</td>' in page


def test_the_start_page_names_what_needs_somebody_first(ann: httpx.Client) -> None:
    page = ann.get("/").text
    assert "1 event is dead" in page
    assert "The newest cause: DataWorks refuses the verdict" in page
    assert "No worker has the role" in page
    assert page.index("1 event is dead") < page.index("Engines and quota")
    charts = dict(re.findall(r"<figcaption><span>([^<]*)</span><strong>([^<]*)</strong>", page))
    assert charts == {
        "Events": "4",
        "Blocked": "1",
        "Would have been blocked": "1",
        "Warned": "0",
        "Dead": "1",
    }
    assert page.count("<polyline") == 4
    assert "bound method" not in page
    chinese = ann.get("/?lang=zh").text
    assert "1 个事件未能答复" in chinese


@pytest.mark.usefixtures("ledger")
def test_a_user_of_the_proxy_needs_its_address(console: ConsoleProcess) -> None:
    header = {"X-Forwarded-User": "ann"}
    with console.browser(headers=header) as elsewhere:
        assert elsewhere.get("/events").status_code == 303
    transport = httpx.HTTPTransport(local_address="127.0.0.9")
    with console.browser(headers=header, transport=transport) as proxy:
        page = proxy.get("/report")
        assert page.status_code == 200
        token = form_token(proxy.get("/policy").text)
        large = {"form_token": token, "policy": "#" * 70_000, "days": "7"}
        assert proxy.post("/policy", data=large).status_code == 413


@pytest.mark.usefixtures("ledger")
def test_guesses_are_locked_out(console: ConsoleProcess) -> None:
    transport = httpx.HTTPTransport(local_address="127.0.0.3")
    with console.browser(transport=transport) as guesser:
        for _ in range(10):
            assert guesser.post("/login", data={"name": "guess", "password": "wrong"}).status_code == 403
        locked = guesser.post("/login", data={"name": "ann", "password": PASSWORD})
        assert locked.status_code == 429
        assert locked.headers["retry-after"] == "60"
    with log_in(console, "ann"):
        pass


@pytest.mark.usefixtures("ledger")
def test_without_redis_each_page_says_so_within_two_seconds(console: ConsoleProcess, valkey: Valkey) -> None:
    with log_in(console, "ann") as ann:
        valkey.stop_process()
        try:
            for path in ("/", "/events", "/report", "/waivers"):
                begin = time.monotonic()
                answer = ann.get(path)
                assert answer.status_code == 503, path
                assert time.monotonic() - begin < 2, path
                assert "The ledger cannot be reached." in answer.text
        finally:
            valkey.resume()
        # It tries again after a moment; the next test must find it ready.
        wait_for(lambda: ann.get("/events").status_code == 200)
