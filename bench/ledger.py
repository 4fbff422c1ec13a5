"""Measure the Redis memory of an event in each state, by the size of its code.

    python -m bench.ledger [--events 200]

The event is a commit-file event with the checks of the built-in policy and one finding. The code consists of
statements with distinct names, which compress about as well as real code. Keys are measured with MEMORY
USAGE; the indexes (all, state, workspace, deadlines) are divided by the number of events in them.
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
    parser.add_argument("--events", type=int, default=200, help="events of each size")
    options = parser.parse_args()
    print(f"{'KB of code':>10} {'state':10} {'event':>8} {'code':>8} {'indexes':>8} {'total':>8}")
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
        for message_id, case in zip(ids, cases, strict=True):
            step(ledger, message_id, case)
        found = measure(ledger, ids)
        sizes = (found.event, found.code, found.indexes, found.total)
        print(f"{size:>10} {state:10}", *(f"{bytes_:>8.0f}" for bytes_ in sizes))


@cache
def _planned() -> Plan:
    checks = registry.load_checks()
    return planner.build_plan(_event("-"), policy.load_policy(None, checks), checks)


def _case(size: int, seed: int) -> Case:
    planned = _planned()
    finding = Finding("MC-C01", Severity.WARN, "SELECT * reads columns that may change.", 3, 1, "Name them.")
    outcomes = {item.name: Outcome.of([finding] if "review" in item.name else []) for item in planned.checks}
    file = FileSnapshot(501234401, "dws_trade_user_1d", 10, sql(size * 1000, seed), 700123401, "UPDATE")
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
    ledger.save_plan(message_id, 1, case.plan, case.snapshot.to_json(), {})
    ledger.start_attempts(message_id, 1, case.outcomes)
    ledger.record_outcomes(message_id, 1, case.outcomes)


def _decide(ledger: Ledger, message_id: str, case: Case) -> None:
    ledger.acquire_report_lease(message_id, OWNER, 60)
    ledger.freeze_verdict(message_id, OWNER, _verdict(message_id, case))


def _report(ledger: Ledger, message_id: str, case: Case) -> None:
    ledger.mark_reported(message_id, OWNER, "posted", _verdict(message_id, case))


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
    indexes = ["all", "deadlines", f"project:{PROJECT_ID}", *(f"state:{state}" for state in State)]
    return Bytes(
        event=_usage(ledger, [f"event:{message_id}" for message_id in ids]) / len(ids),
        code=_usage(ledger, [f"code:{message_id}" for message_id in ids]) / len(ids),
        indexes=_usage(ledger, indexes) / len(ids),
    )


def _usage(ledger: Ledger, names: list[str]) -> int:
    pipe = ledger.client.pipeline(transaction=False)
    for name in names:
        pipe.memory_usage(ledger.key(name), samples=0)
    sizes = cast("list[int | None]", pipe.execute())
    return sum(size or 0 for size in sizes)


if __name__ == "__main__":
    main()
