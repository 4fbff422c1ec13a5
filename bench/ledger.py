"""Measure the Redis memory of an event in each state, by the size of its code, and what its steps cost.

    python -m bench.ledger [--events 1000]

The event is a commit-file event with the checks of the built-in policy and one finding; 20 events are of
the same file. The code consists of statements with distinct names, which compress about as well as real code.
Keys are measured with MEMORY USAGE; all keys of several events are divided by the number of events. Commands
and CPU are those of Redis for the step to the state; a script is one call and the commands in it.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from common.events import Event
from common.ledger import Ledger, State, connect
from common.plan import Plan
from common.snapshot import FileSnapshot, Snapshot
from common.subjects.event_subject import items_of
from common.verdicts import Finding, Outcome, Severity, Verdict
from emulator.eventbridge import event_bodies
from tests.support.emulator_process import EXTENSION_CODE, OPERATOR, PROJECT_ID
from tests.support.engines import Valkey
from workers.checks import registry
from workers.pipeline import planner
from workers.pipeline.decision import decide_verdict
from workers.policy import policy

CODE = "commit-file"
SIZES = (1, 10, 100)
OWNER = "bench"
EVENTS_OF_A_FILE = 20


@dataclass(frozen=True, slots=True)
class Case:
    """The data of each event of a size: its plan, snapshot and outcomes."""

    plan: Plan
    snapshot: Snapshot
    outcomes: dict[str, Outcome]


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes of Redis memory per event, by kind of key."""

    event: float
    code: float
    indexes: float

    @property
    def total(self) -> float:
        """The sum."""
        return self.event + self.code + self.indexes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=1000, help="events of each size")
    options = parser.parse_args()
    columns = ("event", "code", "indexes", "total", "calls", "commands", "CPU µs")
    print(f"{'KB of code':>10} {'state':10}", *(f"{column:>8}" for column in columns))
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
            valkey = Valkey(Path(folder))
            try:
                valkey.start()
                walk(Ledger(connect(valkey.url), EXTENSION_CODE), size, options.events)
            finally:
                valkey.close()


def walk(ledger: Ledger, size: int, count: int) -> None:
    """Move events with `size` KB of code through all states, and print their memory in each."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    cases = [_case(size, number) for number in range(count)]
    for state, step in STEPS.items():
        ledger.client.config_resetstat()
        for message_id, case in zip(ids, cases, strict=True):
            step(ledger, message_id, case)
        cost = measure_cost(ledger, count)
        found = measure(ledger, ids)
        numbers = (found.event, found.code, found.indexes, found.total, *cost)
        print(f"{size:>10} {state:10}", *(f"{number:>8.0f}" for number in numbers), flush=True)


def measure_cost(ledger: Ledger, count: int) -> tuple[float, float, float]:
    """Return the calls, commands and microseconds of Redis per event since the statistics were reset."""
    stats = ledger.client.info("commandstats")
    calls = {name: each["calls"] for name, each in stats.items()}
    spent = sum(each["usec"] for name, each in stats.items() if name in ("cmdstat_evalsha", "cmdstat_eval"))
    scripts = calls.get("cmdstat_evalsha", 0)
    return scripts / count, sum(calls.values()) / count, spent / count


@cache
def built_in_plan() -> Plan:
    """Return the plan of the event by the built-in policy."""
    checks = registry.load_checks()
    return planner.build_plan(_event("-"), policy.load_policy(None, checks), checks)


def _case(size: int, seed: int) -> Case:
    planned = built_in_plan()
    finding = Finding("MC-C01", Severity.WARN, "SELECT * reads columns that may change.", 3, 1, "Name them.")
    outcomes = {item.name: Outcome.of([finding] if "review" in item.name else []) for item in planned.checks}
    number = seed // EVENTS_OF_A_FILE
    file = FileSnapshot(
        501234401 + number,
        f"dws_trade_user_{number}_1d",
        10,
        sql(size * 1000, seed),
        700123401 + number,
        "UPDATE",
    )
    return Case(planned, Snapshot(file=file), outcomes)


def sql(length: int, seed: int) -> str:
    """Return SQL of `length` characters, the same for the same seed."""
    names = random.Random(seed)  # noqa: S311 - generated code, not for secrets
    lines: list[str] = []
    while sum(map(len, lines)) < length:
        table, column, other = (f"{names.choice(WORDS)}_{names.randrange(1000)}" for _ in range(3))
        lines.append(
            f"INSERT OVERWRITE TABLE {table} PARTITION (ds = '${{bizdate}}')\n"
            f"SELECT {column}, COUNT({other}) AS {other}_cnt\nFROM dwd_{table}\n"
            f"WHERE ds = '${{bizdate}}' AND {column} > {names.randrange(10**6)}\nGROUP BY {column};\n"
        )
    return "".join(lines)[:length]


WORDS = ("order", "payment", "buyer", "seller", "refund", "parcel", "stock", "price", "visit", "coupon")


def _event(message_id: str) -> Event:
    now = time.time()
    return Event(message_id, CODE, PROJECT_ID, OPERATOR, True, event_bodies.event_body(CODE), now)


def _receive(ledger: Ledger, message_id: str, _: Case) -> None:
    event = _event(message_id)
    ledger.admit(event, event.received_at + 60, event.received_at + 48)


def _plan(ledger: Ledger, message_id: str, case: Case) -> None:
    subjects = items_of(Event(message_id, CODE, PROJECT_ID, OPERATOR, True, {}, 0), case.snapshot)
    ledger.save_plan(message_id, 1, case.plan, case.snapshot.to_json(), {}, subjects=subjects)
    ledger.start_attempts(message_id, 1, case.outcomes)
    ledger.record_outcomes(message_id, 1, case.outcomes)


def _decide(ledger: Ledger, message_id: str, case: Case) -> None:
    ledger.acquire_report_lease(message_id, OWNER, 60)
    ledger.freeze_verdict(message_id, OWNER, _verdict(message_id, case))


def _report(ledger: Ledger, message_id: str, case: Case) -> None:
    ledger.mark_reported(message_id, OWNER, "posted", _verdict(message_id, case), ledger.get(message_id))


def _verdict(message_id: str, case: Case) -> Verdict:
    return decide_verdict(case.plan, case.outcomes, message_id=message_id, now=time.time())


STEPS: dict[State, Callable[[Ledger, str, Case], None]] = {
    State.RECEIVED: _receive,
    State.CHECKING: _plan,
    State.DECIDED: _decide,
    State.REPORTED: _report,
}


def measure(ledger: Ledger, ids: list[str]) -> Bytes:
    """Return the average memory of the events."""
    own = {ledger.key(f"{kind}:{message_id}") for kind in ("event", "code") for message_id in ids}
    shared = [
        name for key in ledger.client.scan_iter(ledger.key("*"), 1000) if (name := key.decode()) not in own
    ]
    return Bytes(
        event=_usage(ledger, [ledger.key(f"event:{message_id}") for message_id in ids]) / len(ids),
        code=_usage(ledger, [ledger.key(f"code:{message_id}") for message_id in ids]) / len(ids),
        indexes=_usage(ledger, shared) / len(ids),
    )


def _usage(ledger: Ledger, keys: list[str]) -> int:
    pipe = ledger.client.pipeline(transaction=False)
    for key in keys:
        pipe.memory_usage(key, samples=0)
    sizes = cast("list[int | None]", pipe.execute())
    return sum(size or 0 for size in sizes)


if __name__ == "__main__":
    main()
