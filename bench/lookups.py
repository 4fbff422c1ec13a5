"""Count the OpenAPI calls per kind of event, and process a burst of 500 deploys at the Enterprise quota.

    python -m bench.lookups [--events 500] [--workers 4] [--skip-calls] [--skip-burst]

Ingest, the workers, the emulator, RabbitMQ (its own, or DWGATE_TEST_BROKER_URL) and Valkey run as real
processes, with the built-in policy.

Calls: each sample is sent twice to one worker, first with an empty lookup cache (cold), then again (warm).
Counted are the reads that reach the emulator, without the post of the verdict.

Burst: deploys of five workspaces with different deadlines are posted as fast as ingest accepts them. The
emulator allows 50 reads and 20 writes in any second, and answers further calls with 429. The target: every
event has exactly one verdict, no call was answered 429, verdicts are written at 95 % of the quota or more,
and workspaces get them in the order of their deadlines. A verdict counts as overtaken if one with a later
deadline is written although it was decided half a second earlier. Exit 1 if the target is missed.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import orjson

from bench import load
from bench.engines import engines
from common.ledger import EventRecord
from emulator.eventbridge import event_bodies
from tests.support import plain_yaml
from tests.support.emulator_process import PROJECT_ID
from tests.support.running_dwgate import ACCOUNT, SAMPLES, TARGET, TOKEN, RunningDwgate, fleet, wait_for

READ_QPS, WRITE_QPS = 50, 20
UNBOUND_QPS = 1000
SHARE = 0.95
BURST = "deploy-file-good"
DEADLINES = {PROJECT_ID + number: 60 + 30 * number for number in range(5)}
"""Seconds until the deadline of a deploy, by workspace."""

OVERTAKEN_SECONDS = 0.5
ORDER_SECONDS = 1.0
"""Average seconds by which a workspace's verdicts may precede those of an earlier deadline."""

SETTLE_SECONDS = 240.0
CONNECTIONS = 64
WARM_UP = 100
"""Number of deploys before the burst: a worker opens its connections with its first calls."""

DETAIL = "GetIDEEventDetail"
QUIET = {"DWGATE_LOG_LEVEL": "warning", "DWGATE_RECONCILE_SECONDS": "3600"}
"""Settings without periodic reconciliation, whose reads belong to no event."""

_POLICY = Path(__file__).parent.parent / "workers" / "policy" / "default.yaml"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verdict of the burst; all times in seconds since the epoch."""

    decided_at: float
    written_at: float
    deadline_at: float
    project_id: int


@dataclass(frozen=True, slots=True)
class Score:
    """The outcome of the burst.

    Attributes:
        verdicts: in the order in which they were written.
        throttled: number of calls that were answered 429.
        started_at: when the first event was posted, in seconds since the epoch.
    """

    deploys: int
    answers: Counter[int]
    verdicts: list[Verdict]
    reasons: Counter[str]
    throttled: int
    reads: Counter[str]
    started_at: float

    @property
    def late(self) -> int:
        """Number of verdicts after their deadline."""
        return sum(item.written_at > item.deadline_at for item in self.verdicts)

    @property
    def rate(self) -> float:
        """Verdicts written per second, from the first to the last."""
        return (len(self.verdicts) - 1) / (self.verdicts[-1].written_at - self.verdicts[0].written_at)

    @property
    def waits(self) -> list[float]:
        """Average seconds from the burst's start to a verdict, by workspace in the order of deadlines."""
        return [
            mean(item.written_at - self.started_at for item in self.verdicts if item.project_id == project)
            for project in DEADLINES
        ]

    @property
    def overtaken(self) -> int:
        """Number of verdicts that waited while one with a later deadline was written."""
        return sum(self._overtaken(place) for place in range(len(self.verdicts)))

    def _overtaken(self, place: int) -> bool:
        verdict = self.verdicts[place]
        ready = verdict.decided_at + OVERTAKEN_SECONDS
        # Deadlines within one workspace differ by the time between two arrivals.
        later = verdict.deadline_at + OVERTAKEN_SECONDS
        return any(item.written_at > ready and item.deadline_at > later for item in self.verdicts[:place])

    @property
    def is_met(self) -> bool:
        """Whether the target was met."""
        ordered = all(later - sooner >= -ORDER_SECONDS for sooner, later in pairwise(self.waits))
        answered = self.deploys == self.answers[200] == len(self.verdicts) and not self.late
        return answered and ordered and not self.throttled and self.rate >= SHARE * WRITE_QPS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=500, help="deploys of the burst")
    parser.add_argument("--workers", type=int, default=4, help="`dwgate worker` processes of the burst")
    parser.add_argument("--skip-calls", action="store_true", help="leave out the calls of each event")
    parser.add_argument("--skip-burst", action="store_true", help="leave out the burst")
    options = parser.parse_args()
    if not options.skip_calls:
        count_calls()
    sys.exit(not (options.skip_burst or burst(options.events, options.workers)))


def count_calls() -> None:
    """Print the number of reads for each sample, cold and warm."""
    settings = {
        **QUIET,
        "DWGATE_OPENAPI_READ_QPS": str(UNBOUND_QPS),
        "DWGATE_OPENAPI_WRITE_QPS": str(UNBOUND_QPS),
    }
    print(f"{'reads of an event':28} {'cold':>5} {'warm':>5}   cold, by operation")
    with (
        tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder,
        engines(Path(folder)) as (broker, redis),
        fleet(broker, redis, logs(folder), workers=1, settings=settings) as gate,
    ):
        gate.verdict(gate.send("commit-file-good"))
        for name in SAMPLES:
            for key in gate.ledger.client.scan_iter(match="dwgate:*:lookup:*", count=1000):
                gate.ledger.client.delete(key)
            cold, warm = reads(gate, name), reads(gate, name)
            by_operation = ", ".join(f"{count} {action}" for action, count in sorted(cold.items()))
            print(f"{name:28} {cold.total():5} {warm.total():5}   {by_operation}", flush=True)


def reads(gate: RunningDwgate, name: str) -> Counter[str]:
    """Send a sample and return its reads by operation."""
    before = Counter(gate.emulator.state()["calls"])
    message_id = gate.send(name)
    gate.verdict(message_id)
    calls = Counter(gate.emulator.state()["calls"]) - before
    return Counter({action: count for action, count in calls.items() if is_read(action)})


def burst(count: int, workers: int) -> bool:
    """Print the outcome of a burst of deploys; return whether the target was met."""
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        policy = Path(folder) / "policy.yaml"
        policy.write_text(plain_yaml.dump(with_deadlines(plain_yaml.load(_POLICY.read_text()))))
        settings = {
            **QUIET,
            "DWGATE_POLICY_FILE": str(policy),
            "DWGATE_OPENAPI_READ_QPS": str(READ_QPS),
            "DWGATE_OPENAPI_WRITE_QPS": str(WRITE_QPS),
        }
        with (
            engines(Path(folder)) as (broker, redis),
            fleet(
                *(broker, redis, logs(folder)),
                workers=workers,
                settings=settings,
                read_qps=READ_QPS,
                write_qps=WRITE_QPS,
            ) as gate,
        ):
            push_events(gate, WARM_UP)
            result = push_events(gate, count)
    show(result)
    return result.is_met


def push_events(gate: RunningDwgate, count: int) -> Score:
    """Post deploys as fast as ingest accepts them, and wait for their verdicts."""
    requests = dict(itertools.islice(deploys(gate), count))
    before, began = gate.emulator.state(), time.time()
    host, port = gate.url.removeprefix("http://").split(":")
    tally = load.run(host, int(port), [*requests.values()], connections=CONNECTIONS)
    wait_for(lambda: not gate.emulator.state()["processes"]["CHECKING"], SETTLE_SECONDS, every=0.5)
    return score(gate, tally.statuses, list(requests), began, before)


def with_deadlines(policy: dict[str, Any]) -> dict[str, Any]:
    """Return a policy that gives each workspace its own deadline for deploys."""
    workspaces = {
        project: {"points": {"deploy-file": {"deadline": seconds}}} for project, seconds in DEADLINES.items()
    }
    return {**policy, "workspaces": workspaces}


def deploys(gate: RunningDwgate) -> Iterator[tuple[str, bytes]]:
    """Start deploys at the emulator, each workspace in turn; yield their IDs and the signed posts."""
    sample = SAMPLES[BURST]
    for project in itertools.cycle(DEADLINES):
        data = {**copy.deepcopy(sample.data), "projectId": project}
        event = event_bodies.event_envelope(sample.event_code, data, account_id=ACCOUNT, now=time.time())
        gate.emulator.start_process(
            event["id"], sample.event_code, project_id=project, snapshot=sample.snapshot
        )
        body = orjson.dumps(event)
        headers = gate.signer.sign(TARGET, body, time.time(), TOKEN)
        headers["content-type"] = "application/json"
        yield event["id"], load.request("/events", gate.url.removeprefix("http://"), headers, body)


def score(
    gate: RunningDwgate, answers: Counter[int], message_ids: list[str], began: float, before: dict[str, Any]
) -> Score:
    """Compare the verdicts that the emulator received with the ledger."""
    state = gate.emulator.state()
    calls = Counter(state["calls"]) - Counter(before["calls"])
    records = {message_id: gate.ledger.get(message_id) for message_id in message_ids}
    posts = [post for post in gate.emulator.verdicts() if post["status"] in ("first", "late")]
    verdicts = [_verdict(record, post["at"]) for post in posts if (record := records.get(post["message_id"]))]
    return Score(
        deploys=len(message_ids),
        answers=answers,
        verdicts=sorted(verdicts, key=lambda item: item.written_at),
        reasons=Counter(item.verdict.reason.value for item in records.values() if item and item.verdict),
        throttled=state["throttled"] - before["throttled"],
        reads=Counter({name: count for name, count in calls.items() if is_read(name)}),
        started_at=began,
    )


def _verdict(record: EventRecord, written_at: float) -> Verdict:
    decided_at = record.verdict.decided_at if record.verdict else written_at
    return Verdict(decided_at, written_at, record.deadline_at, record.event.project_id or 0)


def show(result: Score) -> None:
    """Print the table of the burst."""
    waits = zip(result.waits, DEADLINES.values(), strict=True)
    rows = {
        "deploys": result.deploys,
        "responses of ingest": counts(result.answers),
        "verdicts": len(result.verdicts),
        "decided because": counts(result.reasons),
        "after their deadline": result.late,
        "seconds to the last verdict": f"{result.verdicts[-1].written_at - result.started_at:.1f}",
        "seconds to a verdict, by deadline": ", ".join(f"{wait:.1f} ({due} s)" for wait, due in waits),
        "overtaken by a later deadline": result.overtaken,
        "answered 429": result.throttled,
        "writes per second": f"{result.rate:.2f}, {100 * result.rate / WRITE_QPS:.1f} % of the quota",
        "reads of all": counts(result.reads),
        "aim": "met" if result.is_met else "missed",
    }
    for name, value in rows.items():
        print(f"{name:34} {value}", flush=True)


def counts(of: Counter[Any]) -> str:
    """Return the counts as one line."""
    return ", ".join(f"{count} × {what}" for what, count in sorted(of.items()))


def is_read(action: str) -> bool:
    """Whether an operation counts as a read."""
    return action.startswith(("Get", "List"))


def logs(folder: str) -> Path:
    """Create and return the directory for the logs of dwgate."""
    directory = Path(folder) / "logs"
    directory.mkdir()
    return directory


if __name__ == "__main__":
    main()
