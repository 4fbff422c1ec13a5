"""Measure the console's pages with 100,000 events in the ledger, and what 200 viewers cost the verdicts.

    python -m bench.console [--events 100000] [--requests 200] [--viewers 200] [--rounds 4] [--seconds 10]
        [--rate 10]

Ingest, a worker, the console, the emulator and Valkey run as real processes. The event page is requested for
a blocked commit as the samples have it, and for one with as much as a record may hold: 100 findings in 100 KB
of code, and a graph of 500 dependents; the list with and without filters. Then events are sent at a fixed
rate, in turns alone and while viewers have the page of an event open that is being checked, and ask every two
seconds whether it has changed. Targets: p95 of an event page 150 ms, of the list 300 ms. Exit 1 if one is
missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench import load
from bench.ledger import sql
from bench.quantiles import quantile
from common.events import Event
from common.impact_graph import MAX_NODES, ImpactEdge, ImpactGraph, ImpactNode
from common.ledger import Ledger
from common.plan import Mode, Plan, PlannedCheck
from common.snapshot import FileSnapshot, Snapshot
from common.text.i18n import Language
from common.verdicts import (
    Finding,
    Outcome,
    OutcomeKind,
    Reason,
    Result,
    Severity,
    Subject,
    SubjectKind,
    Verdict,
)
from tests.support.emulator_process import OPERATOR, PROJECT_ID
from tests.support.engines import Valkey, free_port
from tests.support.running_dwgate import RunningDwgate, fleet, wait_for, wait_until_final

EVENT_TARGET = 150.0
LIST_TARGET = 300.0
"""Targets of p95, in milliseconds."""

BATCH = 500
QUERIES = (
    "",
    "?verdict=FAIL",
    "?state=dead",
    "?state=ignored&q=user_1d",
    "?q=user_1d",
    "?q=1d_299",
    "?q=rare_name_7",
    "?q=no-such-name",
    "?rule=MC-P01",
)
RARE = 10_000
"""Each such event has a file of its own."""

POLL_SECONDS = 2.0
ASKED_PER_CONNECTION = 2
BROWSER_NICENESS = 15
OWNER = "bench"
_SPAWN = multiprocessing.get_context("spawn")
NO_CHECKS = Plan((), Result.OK, Language.ENGLISH, "bench")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=100_000, help="events in the ledger")
    parser.add_argument("--requests", type=int, default=200, help="requests of each page")
    parser.add_argument("--viewers", type=int, default=200, help="viewers at the same time")
    parser.add_argument("--rounds", type=int, default=4, help="turns without and with viewers")
    parser.add_argument("--seconds", type=float, default=10, help="seconds of sending events in each turn")
    parser.add_argument("--rate", type=float, default=10, help="events per second")
    options = parser.parse_args()
    # It ends this process cleanly, so that no child process remains.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder, _running(Path(folder)) as gate:
        console = gate.start_console(free_port())
        fill(gate.ledger, options.events)
        typical = gate.send("commit-file-bad")
        wait_until_final(gate, typical)
        largest = add_largest(gate.ledger)
        pages = {"typical event": f"/events/{typical}", "largest event": f"/events/{largest}"}
        pages |= {f"list{query}": f"/events{query}" for query in QUERIES}
        is_met = [
            measure(
                console,
                name,
                path,
                options.requests,
                LIST_TARGET if name.startswith("list") else EVENT_TARGET,
            )
            for name, path in pages.items()
        ]
        compare_latency(gate, console, options)
    sys.exit(0 if all(is_met) else 1)


def compare_latency(gate: RunningDwgate, console: str, options: argparse.Namespace) -> None:
    """Print the verdict latency without and with viewers, and the ratios of each round."""
    path = f"/events/{add_open(gate.ledger)}"
    alone: list[list[float]] = []
    watched: list[list[float]] = []
    for _ in range(options.rounds):
        alone.append(verdict_seconds(gate, options.seconds, options.rate))
        with viewers(console, path, options.viewers):
            watched.append(verdict_seconds(gate, options.seconds, options.rate))
    print_latency("no viewers", [*chain.from_iterable(alone)])
    print_latency(f"{options.viewers} viewers", [*chain.from_iterable(watched)])
    for share in (0.5, 0.95):
        ratios = [quantile(b, share) / quantile(a, share) for a, b in zip(alone, watched, strict=True)]
        shown = " ".join(f"{ratio:.2f}" for ratio in sorted(ratios))
        print(f"ratios of p{share * 100:.0f}: {shown}; median {statistics.median(ratios):.2f}")


@contextmanager
def _running(folder: Path) -> Iterator[RunningDwgate]:
    valkey = Valkey(folder / "valkey")
    (folder / "valkey").mkdir(exist_ok=True)
    (folder / "gate").mkdir()
    try:
        valkey.start()
        settings = {"DWGATE_CONSOLE_OPEN": "true"}
        with fleet(valkey.url, valkey.url, folder / "gate", settings=settings) as gate:
            yield gate
    finally:
        valkey.close()


def fill(ledger: Ledger, count: int) -> None:
    """Add events that no operation waits for; they are only found."""
    now = time.time()
    for start in range(0, count, BATCH):
        events = [_event(now - number) for number in range(start, min(start + BATCH, count))]
        ledger.admit_all([(event, now + 86_400, now + 86_400) for event in events])
        for number, event in enumerate(events, start):
            ledger.unschedule(event.message_id)
            name = (
                f"rare_name_{number // RARE}" if number % RARE == 0 else f"dws_trade_user_1d_{number % 3000}"
            )
            subject = Subject(SubjectKind.FILE, str(number % 3000), name)
            ledger.save_plan(event.message_id, 1, NO_CHECKS, None, {}, subjects=[subject])


def _event(received_at: float) -> Event:
    data = {"fileName": "dws_trade_user_1d", "fileId": 501234401}
    return Event(str(uuid.uuid4()), "commit-file", PROJECT_ID, OPERATOR, True, data, received_at)


def add_open(ledger: Ledger) -> str:
    """Add an event that is being checked for the whole run; return its id."""
    event = _event(time.time())
    ledger.admit(event, event.received_at + 86_400, event.received_at + 86_400)
    ledger.unschedule(event.message_id)
    checks = (PlannedCheck("code-review", Mode.ENFORCE, Result.FAIL, Result.FAIL),)
    plan = Plan(checks, Result.OK, Language.ENGLISH, "bench")
    ledger.save_plan(event.message_id, 1, plan, None, {})
    return event.message_id


def add_largest(ledger: Ledger) -> str:
    """Add an answered event with as much as a record may hold; return its id."""
    event = _event(time.time())
    findings = tuple(
        Finding(
            f"MC-P{number % 12 + 1:02}",
            Severity.BLOCK if number < 20 else Severity.WARN,
            f"Finding {number} on the table dwd_trade_order_di, which is described in a sentence.",
            line=number * 10 + 1,
            column=1,
            end_column=20,
            help="Do it in another way, which is described here.",
            fingerprint=f"{number:016x}",
        )
        for number in range(100)
    )
    nodes = [ImpactNode("0", "dws_trade_user_1d", OPERATOR, PROJECT_ID, "node", 0, is_changed=True)]
    nodes += [
        ImpactNode(str(number), f"ads_node_{number}", str(number % 40), number % 3, "node", number % 6 + 1)
        for number in range(1, MAX_NODES)
    ]
    nodes[5:9] = [replace(node, baseline="Trade data", priority=8, due="07:30") for node in nodes[5:9]]
    edges = tuple(ImpactEdge(str(number // 3), str(number)) for number in range(1, MAX_NODES))
    outcomes = {
        "code-review": Outcome.of(findings),
        "change-impact": Outcome(OutcomeKind.PASSED, evidence=ImpactGraph(tuple(nodes), edges)),
    }
    checks = tuple(PlannedCheck(name, Mode.ENFORCE, Result.FAIL, Result.FAIL) for name in outcomes)
    file = FileSnapshot(501234401, "dws_trade_user_1d", 10, sql(100_000, 1), 700123401, "UPDATE")
    ledger.admit(event, event.received_at + 60, event.received_at + 48)
    plan = Plan(checks, Result.OK, Language.ENGLISH, "bench")
    ledger.save_plan(event.message_id, 1, plan, Snapshot(file=file).to_json(), outcomes)
    ledger.acquire_report_lease(event.message_id, OWNER, 60)
    verdict = Verdict(Result.FAIL, "FAIL: blocked by 20 findings.", Reason.COMPLETE, time.time())
    ledger.freeze_verdict(event.message_id, OWNER, verdict)
    ledger.mark_reported(event.message_id, OWNER, "bench", verdict)
    return event.message_id


def measure(console: str, name: str, path: str, count: int, target: float) -> bool:
    """Request a page one by one, print its times, and return whether the target is met."""
    seconds = []
    with httpx.Client(trust_env=False) as client:
        size = len(client.get(f"{console}{path}").content)
        for _ in range(count):
            begin = time.perf_counter()
            client.get(f"{console}{path}").raise_for_status()
            seconds.append(time.perf_counter() - begin)
    times = [quantile(seconds, share) * 1000 for share in (0.5, 0.95, 0.99)]
    shown = " / ".join(f"{each:.0f}" for each in times)
    print(f"{name:>20} {size / 1000:6.0f} KB  p50 / p95 / p99 {shown} ms", flush=True)
    return times[1] <= target


def verdict_seconds(gate: RunningDwgate, seconds: float, rate: float) -> list[float]:
    """Send events at a rate, and return the seconds from the receipt to the accepted verdict of each."""
    sent = []
    begin = time.monotonic()
    while (late := time.monotonic() - begin) < seconds:
        sent.append(gate.send("commit-file-bad"))
        time.sleep(max(len(sent) / rate - late, 0))
    waits = [wait_for(lambda each=each: _answer_seconds(gate, each), 60) for each in sent]  # type: ignore[misc]
    return [seconds for seconds in waits if seconds is not None]


def _answer_seconds(gate: RunningDwgate, message_id: str) -> float | None:
    record = gate.ledger.get(message_id)
    if record is None or record.reported_at is None:
        return None
    return record.reported_at - record.event.received_at


def print_latency(name: str, seconds: list[float]) -> None:
    """Print the verdict latency."""
    times = " / ".join(f"{quantile(seconds, share):.2f}" for share in (0.5, 0.95, 0.99))
    print(f"{name:>14} {len(seconds):6} verdicts  p50 / p95 / p99 {times} s")


@contextmanager
def viewers(console: str, path: str, count: int) -> Iterator[None]:
    """Let `count` viewers load a page, and ask every two seconds whether it has changed."""
    parts = urlsplit(console)
    first = [load.get_request(path, parts.netloc)] * count
    load.run(str(parts.hostname), int(parts.port or 80), first, connections=count)
    answered = _SPAWN.Value("i", 0)
    process = _SPAWN.Process(target=_ask, args=(console, path, count, answered))
    process.start()
    try:
        wait_for(lambda: answered.value > 0, 60)
        before, begin = answered.value, time.monotonic()
        yield
        rate = (answered.value - before) / (time.monotonic() - begin)
        print(f"{count} viewers: {rate:.0f} answers a second", flush=True)
    finally:
        process.terminate()
        process.join()


def _ask(console: str, path: str, count: int, answered: Synchronized[int]) -> None:
    """Ask whether an event has changed, in a process of low priority: browsers run elsewhere."""
    os.nice(BROWSER_NICENESS)
    parts = urlsplit(console)
    etag = httpx.get(f"{console}{path}/progress", trust_env=False).headers["etag"]
    head = f"GET {path}/progress HTTP/1.1\r\nhost: {parts.netloc}\r\nif-none-match: {etag}\r\n\r\n"
    asked = [head.encode()] * (count * ASKED_PER_CONNECTION)
    while True:
        rate = count / POLL_SECONDS
        tally = load.run(str(parts.hostname), int(parts.port or 80), asked, connections=count, rate=rate)
        answered.value += tally.statuses[204]


if __name__ == "__main__":
    main()
