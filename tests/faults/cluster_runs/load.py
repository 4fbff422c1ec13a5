"""Sends events at a constant rate, as EventBridge does, and observes what came of each."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import httpx
import redis

from bench.quantiles import quantile
from common.verdicts import Result
from tests.faults.random_mix.promises import Observation, broken_promises
from tests.faults.random_mix.runner import checks_not_run
from tests.support.running_dwgate import SAMPLES, RunningDwgate

SENDERS = 200
"""Events that may wait at a time for being accepted."""
RETRY_SECONDS = 0.5
"""Seconds until an event that ingest did not accept is sent again."""

ACCEPT_SECONDS = 120.0
"""How long an event is sent again; no fault of a run lasts that long."""

SETTLE_SECONDS = 100.0
"""How long a run waits for verdicts after the last event: longer than any deadline of the built-in policy."""

_ACCEPTED = 200


@dataclass(frozen=True, slots=True)
class _Sent:
    message_id: str
    sample: str
    due_at: float
    accepted_at: float | None


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run.

    Attributes:
        observations: of each event.
        answers: number of responses of ingest by status; 0 for none.
        posted_again: events whose verdict was posted more than once with the same result, without effect.
        late: events whose verdict came after their deadline.
        seconds: from the time at which an event was due to be sent to its verdict, of each with one.
    """

    observations: tuple[Observation, ...]
    answers: Counter[int]
    posted_again: int
    late: int
    seconds: list[float] = field(repr=False)

    @property
    def lost(self) -> int:
        """Accepted events without a verdict, and events that were never accepted."""
        return sum(not item.results for item in self.observations)

    @property
    def different(self) -> int:
        """Events with two different results."""
        return sum(len(set(item.results)) > 1 for item in self.observations)

    @property
    def incomplete(self) -> int:
        """Events decided without all their checks, as the policy says."""
        return sum(item.is_incomplete for item in self.observations)

    @property
    def broken(self) -> list[str]:
        """The promises that are broken, but for lateness, which is reported."""
        return [str(item) for item in broken_promises(self.observations) if item.promise != "P3"]

    def __str__(self) -> str:
        answers = ", ".join(f"{count} × {status}" for status, count in sorted(self.answers.items()))
        times = " / ".join(f"{quantile(self.seconds, share):.2f}" for share in (0.5, 0.99, 1.0))
        return (
            f"{len(self.observations)} events; ingest answered {answers}; lost {self.lost},"
            f" doubled {self.posted_again}, different {self.different}; decided without all checks"
            f" {self.incomplete}; after the deadline {self.late}; from sending to verdict p50 / p99 / max"
            f" {times} s; broken promises: {len(self.broken) or 'none'}"
        )


class Load:
    """Sends events to a fleet until it is stopped.

    Args:
        gate: the fleet.
        rate: events per second.
        names: the samples that are sent in turn; by default all.
    """

    def __init__(
        self, gate: RunningDwgate, rate: float, names: Sequence[str] = tuple(sorted(SAMPLES))
    ) -> None:
        self._gate = gate
        self._rate = rate
        self._names = names
        self._answers = Counter[int]()
        self._lock = threading.Lock()
        self._sent: list[_Sent] = []

    @property
    def accepted(self) -> int:
        """Number of events that were accepted so far."""
        with self._lock:
            return self._answers[_ACCEPTED]

    @contextmanager
    def run(self) -> Iterator[None]:
        """Send events meanwhile; at the end wait until each of them is accepted."""
        end = threading.Event()
        with ThreadPoolExecutor(SENDERS + 1) as pool:
            sender = pool.submit(self._send_all, pool, end)
            try:
                yield
            finally:
                end.set()
                jobs = sender.result()
        self._sent = [job.result() for job in jobs]

    def result(self) -> RunResult:
        """Wait for the verdicts, and return what came of the events."""
        self._settle()
        posts = _by_event(self._gate.emulator.verdicts())
        pairs = [self._observe(item, posts.get(item.message_id, [])) for item in self._sent]
        seen = [item for item, _ in pairs]
        return RunResult(
            observations=tuple(seen),
            answers=self._answers,
            posted_again=sum(len(item.results) > 1 and len(set(item.results)) == 1 for item in seen),
            late=sum(bool(item.posted_at and item.posted_at > item.deadline_at) for item in seen),
            seconds=[seconds for _, seconds in pairs if seconds is not None],
        )

    def _send_all(self, pool: ThreadPoolExecutor, end: threading.Event) -> list[Future[_Sent]]:
        start = time.monotonic()
        jobs: list[Future[_Sent]] = []
        for name in cycle(self._names):
            due_at = time.time()
            message_id, event, sample = self._gate.sample(name)
            self._gate.start_process(message_id, sample)
            jobs.append(pool.submit(self._deliver, message_id, event, sample.name, due_at))
            if end.wait(max(0.0, start + len(jobs) / self._rate - time.monotonic())):
                return jobs
        raise AssertionError("no sample")

    def _deliver(self, message_id: str, event: dict[str, Any], name: str, due_at: float) -> _Sent:
        limit = time.monotonic() + ACCEPT_SECONDS
        while time.monotonic() < limit:
            if self._post(event):
                return _Sent(message_id, name, due_at, time.time())
            time.sleep(RETRY_SECONDS)
        return _Sent(message_id, name, due_at, None)

    def _post(self, event: dict[str, Any]) -> bool:
        try:
            status = self._gate.post(event).status_code
        except httpx.HTTPError:
            status = 0
        with self._lock:
            self._answers[status] += 1
        return status == _ACCEPTED

    def _settle(self) -> None:
        limit = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < limit:
            if not self._gate.emulator.state()["processes"].get("CHECKING") and self._is_final():
                return
            time.sleep(1.0)

    def _is_final(self) -> bool:
        """Whether the ledger knows the end of each accepted event."""
        try:
            records = [self._gate.ledger.get(item.message_id) for item in self._sent if item.accepted_at]
        except redis.RedisError:
            return False
        return all(record is not None and record.state.is_final for record in records)

    def _observe(self, item: _Sent, posts: list[dict[str, Any]]) -> tuple[Observation, float | None]:
        record = self._gate.ledger.get(item.message_id)
        posted_at = float(posts[0]["at"]) if posts else None
        observation = Observation(
            message_id=item.message_id,
            sample=item.sample,
            expected=SAMPLES[item.sample].expected,
            accepted_at=item.accepted_at,
            deadline_at=record.deadline_at if record else 0.0,
            results=tuple(Result(post["result"]) for post in posts),
            posted_at=posted_at,
            state=record.state if record else None,
            not_run=checks_not_run(record) if record else (),
        )
        return observation, posted_at - item.due_at if posted_at else None


def _by_event(posts: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for post in posts:
        if post["status"] in ("first", "late"):
            found.setdefault(post["message_id"], []).append(post)
    return found
