"""Measure the search of the ledger with many events: each filter alone and together, and late pages.

    python -m bench.search [--events 100000] [--runs 20]

The events are of 20 workspaces, 300 people and 5,000 files, and each tenth has a name of its own, as a
backfill has; 4 % are blocked. CPU is that of the search and of Redis together, which other work on the
machine changes least. The longest command is what the search makes all other clients of Redis wait.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import orjson

from bench.quantiles import quantile
from common.events import Event
from common.ledger import Cursor, EventQuery, EventRecord, Ledger, State, connect
from common.ledger.queries import facets
from common.plan import Mode, Plan, PlannedCheck
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, OutcomeKind, Reason, Result, Severity, Verdict
from tests.support.engines import Valkey

CHECKS = ("code-review", "change-impact", "declared-inputs", "table-change")
RULES = ("MC-P01", "MC-S02", "MC-C14", "MC-N05")
LIMIT = 50
DAYS = 7

QUERIES = {
    "no filter": EventQuery(),
    "state reported": EventQuery(states=(State.REPORTED,)),
    "blocked": EventQuery(results=(Result.FAIL,)),
    "workspace": EventQuery(projects=(7,)),
    "workspace, blocked, rule": EventQuery(projects=(7,), results=(Result.FAIL,), rule="MC-S02"),
    "passed and a rule (nothing)": EventQuery(results=(Result.OK,), rule="MC-S02"),
    "person": EventQuery(operator="19234567890123017"),
    "name, common": EventQuery(name="trade"),
    "name, one file": EventQuery(name="dws_trade_4321"),
    "name, one event": EventQuery(name="backfill_54320_"),
    "name, 500 files": EventQuery(name="trade_43"),
    "name, one file, blocked": EventQuery(name="dws_trade_4321", results=(Result.FAIL,)),
    "name, nothing": EventQuery(name="no-such-file"),
    "name, common, and a rule (nothing)": EventQuery(name="trade", rule="MC-S02", results=(Result.OK,)),
    "all filters (nothing)": EventQuery(
        states=(State.REPORTED,), results=(Result.OK,), check=CHECKS[0], projects=(7,), name="trade"
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=20, help="runs of each query")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        valkey = Valkey(Path(folder))
        try:
            valkey.start()
            ledger = Ledger(connect(valkey.url), "bench")
            before = ledger.client.info("memory")["used_memory"]
            fill(ledger, options.events)
            used = ledger.client.info("memory")["used_memory"] - before
            print(f"{options.events} events, {used / options.events:.0f} bytes each")
            measure(ledger, options.runs)
        finally:
            valkey.close()


def fill(ledger: Ledger, count: int) -> None:
    """Store events as the scripts of the ledger do, with their indexes."""
    picks = random.Random(1)  # noqa: S311 - made-up events
    now = time.time()
    step = DAYS * 86400 * 0.99 / count
    for first in range(0, count, 500):
        pipe = ledger.client.pipeline(transaction=False)
        for number in range(first, min(first + 500, count)):
            _add(ledger, pipe, number, now - (count - number) * step, picks)
        pipe.execute()
    print("bytes by index:", _index_bytes(ledger, count))


def _add(ledger: Ledger, pipe: object, number: int, at: float, picks: random.Random) -> None:
    message_id, project = str(uuid.UUID(int=picks.getrandbits(128))), picks.randrange(20)
    operator = f"19234567890123{picks.randrange(300):03}"
    event = Event(message_id, "commit-file", project, operator, True, {"fileId": number}, at)
    draw = picks.random()
    severity = Severity.BLOCK if draw < 0.04 else Severity.WARN if draw < 0.2 else None
    found = (
        [Finding(picks.choice(RULES), severity, "SELECT * reads columns that may change.", 3)]
        if severity
        else []
    )
    outcomes = {name: Outcome(OutcomeKind.PASSED) for name in CHECKS} | {CHECKS[0]: Outcome.of(found)}
    checks = tuple(PlannedCheck(name, Mode.ENFORCE, Result.FAIL, Result.FAIL) for name in CHECKS)
    plan = Plan(checks, Result.OK, Language.ENGLISH, "a91c")
    result = Result.FAIL if severity is Severity.BLOCK else Result.WARN if severity else Result.OK
    verdict = orjson.dumps(Verdict(result, "tip " * 60, Reason.COMPLETE, at).to_json())
    milliseconds = int(at * 1000)
    fields = {
        "event": orjson.dumps(event.to_json()),
        "state": "reported",
        "run": 1,
        "admitted": milliseconds,
        "deadline": milliseconds + 60000,
        "watch": milliseconds + 48000,
        "plan": orjson.dumps(plan.to_json()),
        "verdict": verdict,
        "taken": verdict,
        "reported": milliseconds,
        "taken_how": "posted",
        "timeline": f"{milliseconds} admitted \n",
        **{f"o:{name}": orjson.dumps(outcome.to_json()) for name, outcome in outcomes.items()},
    }
    file = picks.randrange(5000)
    names = f"dws_trade_{file}\n{500000000 + file}" if number % 10 else f"backfill_{number}_0101"
    pipe.hset(ledger.key(f"event:{message_id}"), mapping={**fields, "names": names})  # type: ignore[attr-defined]
    indexes = [*facets.arrival_indexes(event), "all", "state:reported", facets.subject_key(names)]
    indexes.append(facets.index_key(facets.Facet.RESULT, result.value))
    if found:
        indexes += [
            facets.index_key(facets.Facet.CHECK, CHECKS[0]),
            facets.index_key(facets.Facet.RULE, found[0].rule),
        ]
    for index in indexes:
        pipe.zadd(ledger.key(index), {message_id: milliseconds})  # type: ignore[attr-defined]
    pipe.zadd(ledger.key(facets.SUBJECTS_KEY), {names: milliseconds}, gt=True)  # type: ignore[attr-defined]


def _index_bytes(ledger: Ledger, count: int) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for key in ledger.client.scan_iter(ledger.key("*"), count=10_000):
        name = key.decode().removeprefix(ledger.key("")).split(":")
        kind = ":".join(name[:2]) if name[0] == "index" else name[0]
        if kind != "event":
            sizes[kind] = sizes.get(kind, 0) + (ledger.client.memory_usage(key, samples=0) or 0)
    return {kind: round(size / count) for kind, size in sorted(sizes.items())}


def measure(ledger: Ledger, runs: int) -> None:
    """Print the times of each query, and the longest command of Redis meanwhile."""
    ledger.client.config_set("slowlog-log-slower-than", 1000)
    ledger.client.config_set("slowlog-max-len", 1000)
    print(f"{'query':36} {'events':>6} {'p50 ms':>8} {'p95 ms':>8} {'CPU ms':>8} {'command ms':>10}")
    for name, query in QUERIES.items():
        _print(ledger, name, runs, partial(_records, ledger, query))
    warned = EventQuery(results=(Result.WARN,))
    last = ledger.first(warned, 160 * LIMIT)[-1].event
    cursor = Cursor(int(last.received_at * 1000), last.message_id)
    _print(ledger, "page 161 of warned", runs, partial(_records, ledger, warned, cursor))


def _records(ledger: Ledger, query: EventQuery, before: Cursor | None = None) -> Sequence[EventRecord]:
    return ledger.search(query, limit=LIMIT, before=before).records


def _print(ledger: Ledger, name: str, runs: int, search: Callable[[], Sequence[EventRecord]]) -> None:
    ledger.client.slowlog_reset()
    times: list[float] = []
    found = search()
    cpu = _cpu_seconds(ledger)
    for _ in range(runs):
        start = time.perf_counter()
        search()
        times.append((time.perf_counter() - start) * 1000)
    each = (_cpu_seconds(ledger) - cpu) * 1000 / runs
    slowest = max((entry["duration"] for entry in ledger.client.slowlog_get(1000)), default=0) / 1000
    shown = " ".join(f"{value:8.1f}" for value in (quantile(times, 0.5), quantile(times, 0.95), each))
    print(f"{name:36} {len(found):>6} {shown} {slowest:10.1f}", flush=True)


def _cpu_seconds(ledger: Ledger) -> float:
    used = ledger.client.info("cpu")
    return time.process_time() + float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


if __name__ == "__main__":
    main()
