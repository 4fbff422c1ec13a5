"""Send 1,000 events to workers that are killed one after another, and count the verdicts.

    python -m bench.fleet [--events 1000] [--rate 50] [--workers 2] [--kill-every 5]
    python -m bench.fleet --overload 3 --seconds 120 --kill-every 20

Ingest, the workers, the emulator, RabbitMQ (its own, or DWGATE_TEST_BROKER_URL) and Valkey run as real
processes. Signed events (the good and the bad sample of each extension point, in turn) are sent at a fixed
rate. Every few seconds one worker is killed with SIGKILL, with all its processes, and another is started in
its place, until the last verdict has been posted. The target: every event gets one verdict, posted once,
before its deadline. Exit 1 if it is missed.

With `--overload`, the events that the workers answer per second are measured first, without kills; then as
many times this rate is sent. What is not checked in time is decided by the policy.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson

from bench.engines import engines
from bench.quantiles import quantile
from common.ledger import EventRecord, State
from common.verdicts import Result
from tests.support.running_dwgate import SAMPLES, TARGET, TOKEN, RunningDwgate, fleet

SENDERS = 16
SETTLE_SECONDS = 90.0
"""Time to wait for verdicts after the last event: longer than any deadline of the built-in policy."""

MAX_TIMELINES = 10
"""Maximum number of events of a kind (unanswered, late, wrong) whose steps are shown."""

CAPACITY_EVENTS = 400
"""Events of a burst by which the capacity is measured."""

READ_QPS = WRITE_QPS = 1000
"""The quota, per second: so high that it does not limit."""


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One event: when it was due (seconds since the epoch), ingest's response, and the expected result."""

    message_id: str
    at: float
    status: int
    expected: Result


@dataclass(slots=True)
class Score:
    """The outcome of the events."""

    sent: int
    answers: Counter[int]
    kills: int
    verdicts: int = 0
    posted_once: int = 0
    posted_more_than_once: int = 0
    differing: int = 0
    wrong: int = 0
    late: int = 0
    dead: int = 0
    seconds: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    timelines: dict[str, list[str]] = field(
        default_factory=lambda: {"unanswered": [], "late": [], "wrong": []}
    )

    def is_met(self, *, is_overload: bool) -> bool:
        """Whether every event got one verdict, in time, and without an overload posted once.

        In an overload a slow process is taken over while its post is under way, which repeats its verdict.
        """
        is_answered = self.sent == self.answers[200] == self.verdicts
        is_posted_once = self.posted_once == self.verdicts
        return is_answered and not self.late and not self.differing and (is_posted_once or is_overload)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=1000, help="number of events")
    parser.add_argument("--rate", type=float, default=50, help="events per second")
    parser.add_argument("--workers", type=int, default=2, help="`dwgate worker` processes, all roles each")
    parser.add_argument("--kill-every", type=float, default=5, help="seconds between SIGKILLs; 0 for none")
    parser.add_argument("--overload", type=float, help="rate as a multiple of the measured capacity")
    parser.add_argument("--seconds", type=float, default=120, help="duration, with --overload")
    parser.add_argument("--logs", type=Path, help="directory for dwgate's logs; discarded by default")
    options = parser.parse_args()
    settings = {
        "DWGATE_OPENAPI_READ_QPS": str(READ_QPS),
        "DWGATE_OPENAPI_WRITE_QPS": str(WRITE_QPS),
    }
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        directory = Path(folder)
        logs = options.logs or directory / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (
            engines(directory) as (broker, redis),
            fleet(
                *(broker, redis, logs),
                workers=options.workers,
                settings=settings,
                read_qps=READ_QPS,
                write_qps=WRITE_QPS,
            ) as gate,
        ):
            rate, events = options.rate, options.events
            if options.overload:
                rate = options.overload * measure_capacity(gate)
                events = round(rate * options.seconds)
                print(f"{events} events at {rate:.0f} per second", flush=True)
            with kills(gate, options.kill_every) as killed:
                sent = send(gate, events, rate)
                settle(gate)
            result = score(gate, sent, len(killed))
    is_met = result.is_met(is_overload=options.overload is not None)
    show(result, is_met=is_met)
    sys.exit(not is_met)


def measure_capacity(gate: RunningDwgate) -> float:
    """Return the events per second that the workers answer, without kills."""
    began = time.monotonic()
    send(gate, CAPACITY_EVENTS, CAPACITY_EVENTS)
    settle(gate)
    return CAPACITY_EVENTS / (time.monotonic() - began)


@contextmanager
def kills(gate: RunningDwgate, every: float) -> Iterator[list[float]]:
    """Kill the oldest worker every `every` seconds and start another; yield the times of the kills."""
    stop = threading.Event()
    killed: list[float] = []

    def loop() -> None:
        while not stop.wait(every):
            oldest = next(worker for worker in gate.workers if worker.poll() is None)
            gate.kill(oldest)
            gate.start_worker(ready=False)
            killed.append(time.time())

    thread = threading.Thread(target=loop)
    if every:
        thread.start()
    try:
        yield killed
    finally:
        stop.set()
        if every:
            thread.join()


def send(gate: RunningDwgate, count: int, rate: float) -> list[SentEvent]:
    """Start every operation at the emulator and send its event, at a fixed rate."""
    start = time.time() + 0.5
    names = itertools.islice(itertools.cycle(SAMPLES), count)
    with (
        httpx.Client(base_url=gate.url, trust_env=False, timeout=10) as client,
        ThreadPoolExecutor(SENDERS) as pool,
    ):
        jobs = [
            pool.submit(_send, gate, client, name, start + number / rate) for number, name in enumerate(names)
        ]
        return [job.result() for job in jobs]


def _send(gate: RunningDwgate, client: httpx.Client, name: str, due: float) -> SentEvent:
    message_id, event, sample = gate.sample(name)
    time.sleep(max(0.0, due - time.time()))
    gate.start_process(message_id, sample)
    body, now = orjson.dumps(event), time.time()
    headers = gate.signer.sign(TARGET, body, now, TOKEN)
    try:
        status = client.post("/events", content=body, headers=headers).status_code
    except httpx.TransportError:
        status = 0
    return SentEvent(message_id, now, status, sample.expected)


def settle(gate: RunningDwgate) -> None:
    """Wait until no operation waits for its verdict."""
    limit = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < limit and gate.emulator.state()["processes"].get("CHECKING"):
        time.sleep(0.5)


def score(gate: RunningDwgate, sent: list[SentEvent], killed: int) -> Score:
    """Compare the verdicts that the emulator received with the sent events and the ledger's deadlines."""
    applied: dict[str, list[dict[str, object]]] = {}
    for post in gate.emulator.verdicts():
        if post["status"] in ("first", "late"):
            applied.setdefault(post["message_id"], []).append(post)
    result = Score(len(sent), Counter(event.status for event in sent), killed)
    for event in sent:
        _count(result, gate, event, applied.get(event.message_id, []))
    return result


def _count(result: Score, gate: RunningDwgate, event: SentEvent, posts: list[dict[str, object]]) -> None:
    record = gate.ledger.get(event.message_id)
    result.dead += record is not None and record.state is State.DEAD
    if record and record.verdict:
        result.reasons[record.verdict.reason.value] += 1
    if not posts:
        result.timelines["unanswered"].append(_timeline(event, record))
        return
    first = float(str(posts[0]["at"]))
    result.verdicts += 1
    result.posted_once += len(posts) == 1
    result.posted_more_than_once += len(posts) > 1
    result.differing += len({str(post["result"]) for post in posts}) > 1
    if posts[0]["result"] != event.expected:
        result.wrong += 1
        result.timelines["wrong"].append(_timeline(event, record))
    if record is None or first > record.deadline_at:
        result.late += 1
        result.timelines["late"].append(_timeline(event, record))
    result.seconds.append(first - event.at)


def _timeline(event: SentEvent, record: EventRecord | None) -> str:
    steps = record.timeline if record else ()
    shown = ", ".join(f"{step.at - event.at:.2f} s {step.kind} {step.detail}".strip() for step in steps)
    return f"{event.message_id}: {shown or 'not in the ledger'}"


def show(result: Score, *, is_met: bool) -> None:
    """Print the table."""
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(result.answers.items()))
    reasons = ", ".join(f"{count} × {reason}" for reason, count in sorted(result.reasons.items()))
    times = " / ".join(f"{quantile(result.seconds, share):.2f}" for share in (0.5, 0.99, 1.0))
    rows = {
        "events sent": result.sent,
        "responses of ingest": answers,
        "workers killed": result.kills,
        "verdicts": result.verdicts,
        "posted exactly once": result.posted_once,
        "posted more than once": result.posted_more_than_once,
        "with different results": result.differing,
        "wrong for their sample": result.wrong,
        "after their deadline": result.late,
        "dead": result.dead,
        "decided because": reasons,
        "seconds from POST to verdict, p50 / p99 / max": times,
        "aim": "met" if is_met else "missed",
    }
    for name, value in rows.items():
        print(f"{name:46} {value}", flush=True)
    for what, timelines in result.timelines.items():
        for timeline in timelines[:MAX_TIMELINES]:
            print(what, timeline)


if __name__ == "__main__":
    main()
