"""Runs mixes against a fleet, one after the other, and observes their events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import redis

from common.ledger import EventRecord
from common.verdicts import OutcomeKind, Result
from tests.faults.random_mix.actions import Saboteur
from tests.faults.random_mix.plan import DEADLINE_SECONDS, Mix, PlannedEvent, PlannedFault
from tests.faults.random_mix.promises import BrokenPromise, Observation, broken_promises
from tests.support.emulator_process import KEY_SECRET
from tests.support.engines import RabbitMQ, Valkey
from tests.support.running_dwgate import TOKEN, RunningDwgate, fleet
from tests.support.source_queue import SourceQueue

SETTLE_SECONDS = DEADLINE_SECONDS + 10.0
"""How long a runner waits for the verdicts after the last event."""

RETRY_SECONDS = 0.3
PLAN = "plan"
"""In place of the checks of an event for which they were not determined."""

_CANARY = "canary_of_the_random_mix"
"""In the code of each event; no log may contain it."""


@dataclass(frozen=True, slots=True)
class MixResult:
    """What came of a mix.

    Attributes:
        mix: the mix.
        observations: of its events.
        broken: the promises it broke.
        seconds: how long it took.
    """

    mix: Mix
    observations: tuple[Observation, ...]
    broken: tuple[BrokenPromise, ...]
    seconds: float

    def __str__(self) -> str:
        incomplete = sum(item.is_incomplete for item in self.observations)
        end = "ok" if not self.broken else f"{len(self.broken)} broken promises"
        return (
            f"seed {self.mix.seed}: {len(self.observations)} events, {len(self.mix.faults)} faults,"
            f" {incomplete} decided without all checks, {self.seconds:.0f} s: {end}"
        )


class Runner:
    """Runs mixes against one fleet."""

    def __init__(self, gate: RunningDwgate, saboteur: Saboteur) -> None:
        self._gate = gate
        self._saboteur = saboteur

    def run(self, mix: Mix) -> MixResult:
        """Run a mix until each of its events has a verdict, or SETTLE_SECONDS have passed."""
        began = time.monotonic()
        with ThreadPoolExecutor(len(mix.events) + len(mix.faults) or 1) as pool:
            faults = [pool.submit(self._inflict, fault, began) for fault in mix.faults]
            events = [pool.submit(self._deliver, event, began) for event in mix.events]
            sent = [event.result() for event in events]
            for fault in faults:
                fault.result()
        self._gate.emulator.clear_faults()
        self._wait_until_answered([item for item in sent if item.accepted_at])
        seen = tuple(self._observe(item) for item in sent)
        return MixResult(mix, seen, tuple(broken_promises(seen)), time.monotonic() - began)

    def leaked(self) -> list[str]:
        """Return the secrets, and the code of nodes, that a log contains."""
        logs = self._gate.logs()
        return [text for text in (_CANARY, TOKEN, KEY_SECRET) if text in logs]

    def _inflict(self, fault: PlannedFault, began: float) -> None:
        _sleep_until(began + fault.at)
        self._saboteur.inflict(fault)

    def _deliver(self, planned: PlannedEvent, began: float) -> _Sent:
        """Send an event as EventBridge does: again until it is accepted, and sometimes more than once."""
        _sleep_until(began + planned.at)
        message_id, event, sample = self._gate.sample(planned.sample)
        snapshot = _with_canary(sample.snapshot)
        self._gate.emulator.start_process(
            message_id, sample.event_code, project_id=event["data"].get("projectId"), snapshot=snapshot
        )
        accepted_at = None
        limit = time.monotonic() + SETTLE_SECONDS
        while accepted_at is None and time.monotonic() < limit:
            if self._post(event):
                accepted_at = time.time()
            else:
                time.sleep(RETRY_SECONDS)
        accepted = time.monotonic()
        for repeat in planned.repeats:
            _sleep_until(accepted + repeat)
            self._post(event)
        return _Sent(message_id, planned.sample, sample.expected, accepted_at)

    def _post(self, event: dict[str, Any]) -> bool:
        try:
            return self._gate.deliver(event)
        except httpx.HTTPError:
            return False

    def _wait_until_answered(self, sent: list[_Sent]) -> None:
        limit = time.monotonic() + SETTLE_SECONDS
        waiting = {item.message_id for item in sent}
        while waiting and time.monotonic() < limit:
            waiting = {item for item in waiting if not self._is_answered(item)}
            time.sleep(0.2)

    def _is_answered(self, message_id: str) -> bool:
        record = _patient(lambda: self._gate.ledger.get(message_id))
        return bool(record and record.state.is_final and self._gate.posts(message_id))

    def _observe(self, item: _Sent) -> Observation:
        record = _patient(lambda: self._gate.ledger.get(item.message_id))
        posts = self._gate.posts(item.message_id)
        return Observation(
            message_id=item.message_id,
            sample=item.sample,
            expected=item.expected,
            accepted_at=item.accepted_at,
            deadline_at=(item.accepted_at or 0) + DEADLINE_SECONDS,
            results=tuple(Result(post["result"]) for post in posts),
            posted_at=posts[0]["at"] if posts else None,
            state=record.state if record else None,
            not_run=checks_not_run(record) if record else (),
        )


@dataclass(frozen=True, slots=True)
class _Sent:
    message_id: str
    sample: str
    expected: Result
    accepted_at: float | None


def checks_not_run(record: EventRecord) -> tuple[str, ...]:
    """Return the checks of an event that have no result, or failed; PLAN if it was decided without a plan."""
    if record.plan is None:
        return (PLAN,)
    not_run = {OutcomeKind.ERROR, OutcomeKind.TIMED_OUT}
    failed = [name for name, outcome in record.outcomes.items() if outcome.kind in not_run]
    return (*failed, *record.pending_checks)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _patient(ask: Callable[[], Any]) -> Any:
    """Return what `ask` returns, once Redis answers."""
    for _ in range(50):
        try:
            return ask()
        except redis.RedisError:
            time.sleep(0.2)
    return ask()


def _with_canary(snapshot: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the snapshot of an operation with the canary at the end of its code."""
    file = snapshot.get("CommittedFile") if snapshot else None
    if snapshot is None or not isinstance(file, dict) or not file.get("Content"):
        return snapshot
    return {**snapshot, "CommittedFile": {**file, "Content": f"{file['Content']}\n-- {_CANARY}"}}


@contextmanager
def running(
    valkey: Valkey,
    rabbitmq: RabbitMQ | None,
    directory: Path,
    policy: str,
    *,
    source: SourceQueue | None = None,
) -> Iterator[Runner]:
    """Run a fleet of ingest, two workers and the emulator.

    Args:
        valkey: the ledger, running and empty.
        rabbitmq: the broker, running; None if Valkey is the broker, too.
        directory: of the logs.
        policy: the built-in policy; its deadlines are replaced by DEADLINE_SECONDS.
        source: the queue from which ingest takes events; None for events over HTTP.
    """
    file = directory / "policy.yaml"
    file.write_text(_with_deadline(policy))
    with fleet(
        rabbitmq.fresh_url() if rabbitmq else valkey.url,
        valkey.url,
        directory,
        workers=2,
        settings={"DWGATE_POLICY_FILE": str(file)},
        source=source,
        read_qps=500,
        write_qps=200,
    ) as gate:
        yield Runner(gate, Saboteur(gate, valkey, rabbitmq))


def _with_deadline(policy: str) -> str:
    return policy.replace("deadline: 60 ", f"deadline: {DEADLINE_SECONDS} ").replace("deadline: 20, ", "")
