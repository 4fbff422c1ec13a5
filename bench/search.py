"""Measure the search of the ledger with many events: each filter alone and together, and late pages.

    python -m bench.search [--events 100000] [--runs 20]

`bench.ledger_filling` says what the events are like. CPU is that of the search and of Redis together, which
other work on the machine changes least. The longest command is what the search makes all other clients of
Redis wait.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.ledger_filling import EVENT_SECONDS, REVIEW, fill
from bench.quantiles import quantile
from common.ledger import Cursor, EventQuery, EventRecord, Ledger, State, connect
from common.verdicts import Result
from tests.support.engines import Valkey

LIMIT = 50

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
        states=(State.REPORTED,), results=(Result.OK,), check=REVIEW, projects=(7,), name="trade"
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
            ledger = Ledger(connect(valkey.url), "bench", event_seconds=EVENT_SECONDS)
            before = ledger.client.info("memory")["used_memory"]
            fill(ledger, options.events)
            used = ledger.client.info("memory")["used_memory"] - before
            print("bytes by index:", _index_bytes(ledger, options.events))
            print(f"{options.events} events, {used / options.events:.0f} bytes each")
            measure(ledger, options.runs)
        finally:
            valkey.close()


def _index_bytes(ledger: Ledger, count: int) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for key in ledger.client.scan_iter(ledger.key("*"), count=10_000):
        name = key.decode().removeprefix(ledger.key("")).split(":")
        kind = ":".join(name[:2]) if name[0] == "index" else name[0]
        if kind not in ("event", "code"):
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
