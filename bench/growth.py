"""Measure whether the ledger's costs stay the same when it holds more events, and how much memory they take.

    python -m bench.growth [--sizes 1000 100000 1000000]

`bench.ledger_filling` fills a Redis of each size. At each size these are measured:

- the steps of an event, the calls that workers repeat, and pages of the event list: the microseconds for
  which Redis executes the commands of a call (median of the calls), and the milliseconds of the longest
  command, for which all other clients wait;
- CPU of Redis and real time for all steps of an event;
- the first admissions after a time without events, when 30 % of all events have become too old at once;
- `used_memory` per event.

The calls are made in three parts, and the longest command is that of the part whose longest is least: what
the size causes is in all parts, what other work on the machine causes is not. Redis writes no append-only
file here; what a command writes to it does not depend on what Redis holds. The fork for its rewrite does:
its time is shown, but is not the ledger's.

At the largest size a call may cost `MAX_RATIO` times as much as at the smallest: twice, since a sorted set
takes twice the steps to find one of a million entries instead of one of a thousand (O(log N)), and twice
again, since what it reads is not in the caches of the processor, into which 1,000 events fit, and 100,000
do not. A call that walked through the events would cost a hundred or a thousand times as much. An event may
take `MAX_BYTES_RATIO` times the memory, since hash tables grow by doubling. No command may take longer than
`MAX_COMMAND_MS`: the watchdog looks every 100 ms. Exit 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from bench.ledger_filling import EVENT_SECONDS, OWNER, PASSED, STEPS, Filling, Walk, make_event, make_events
from bench.quantiles import quantile
from common import clock
from common.ledger import Cursor, EventQuery, Ledger, State, connect
from common.ledger.memory import LedgerMemory, MemoryUse
from common.ledger.queries import facets
from common.ledger.queries.facets import Facet
from common.verdicts import Subject, SubjectKind
from tests.support.engines import Valkey

SIZES = (1000, 100_000, 1_000_000)
EVENTS = 300
"""Events that take each step."""

CALLS = 60
"""Calls of everything else."""

PAGE = 30
LEASED = 32
EXPIRED = (0.3, 0.6, 0.9)
"""Shares of the events that have become too old, in turn."""

ADMITTED = 30
"""Events admitted after each."""

MAX_RATIO = 4.0
MAX_BYTES_RATIO = 1.25
MAX_COMMAND_MS = 10.0
MIN_MICROSECONDS = 20
"""Below it a ratio is not judged: Redis reports whole microseconds of each command."""

_PARTS = 3
_OWN = (b"SLOWLOG", b"CONFIG")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call costs.

    Attributes:
        amount: microseconds, or what the row says.
        longest_ms: of one command of Redis; None for what is no command.
        max_ratio: the target of the ratio of the largest to the smallest size; None without one.
    """

    amount: float
    longest_ms: float | None = None
    max_ratio: float | None = MAX_RATIO


def main() -> int:
    """Print the costs at each size; return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=SIZES, help="numbers of events, at least 1000"
    )
    sizes = sorted(parser.parse_args().sizes)
    columns = [_measure_size(size) for size in sizes]
    print(f"\n{'':42}", *(f"{size:>10,} events, ms" for size in sizes), f"{'ratio':>8} target")
    missed = 0
    for name, smallest in columns[0].items():
        costs = [column[name] for column in columns]
        ratio = costs[-1].amount / smallest.amount if smallest.amount else 0.0
        is_met = (
            smallest.max_ratio is None or ratio <= smallest.max_ratio or costs[-1].amount < MIN_MICROSECONDS
        )
        is_met &= all((cost.longest_ms or 0) <= MAX_COMMAND_MS for cost in costs)
        missed += not is_met
        target = f"{smallest.max_ratio:6.2f}" if smallest.max_ratio else "     -"
        print(f"{name:42}", *map(_shown, costs), f"{ratio:8.2f} {target}", "" if is_met else "MISSED")
    return int(missed > 0)


def _shown(cost: Cost) -> str:
    longest = f"{cost.longest_ms:8.2f}" if cost.longest_ms is not None else " " * 8
    return f"{cost.amount:>12,.1f} {longest}"


def _measure_size(size: int) -> dict[str, Cost]:
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        valkey = Valkey(Path(folder), appendonly="no")
        try:
            valkey.start()
            client = connect(valkey.url)
            ledger = Ledger(client, "bench", event_seconds=EVENT_SECONDS)
            filling = Filling(client)
            if differences := filling.find_differences(client):
                sys.exit("the filling writes something else than the ledger:\n" + "\n".join(differences))
            before = client.info("memory")["used_memory"]
            start = time.monotonic()
            filling.write(ledger, make_events(size, clock.now()))
            used = client.info("memory")["used_memory"] - before
            seconds = time.monotonic() - start
            print(f"{size:,} events: {used / 1e6:,.0f} MB, filled in {seconds:.0f} s", flush=True)
            client.config_set("slowlog-max-len", 10_000)
            costs = {**_steps(ledger), **_event(ledger), **_periodic(ledger), **_pages(ledger, size)}
            costs |= _expiry(ledger)
            costs["bytes per event"] = Cost(used / size, None, MAX_BYTES_RATIO)
            client.bgsave()
            costs["fork, µs"] = Cost(client.info("stats")["latest_fork_usec"], None, None)
        finally:
            valkey.close()
    return costs


def _steps(ledger: Ledger) -> dict[str, Cost]:
    walks = _new_walks(ledger, EVENTS, seed=3)
    return {step.__name__: measure(ledger, [partial(step, walk) for walk in walks]) for step in STEPS}


def _event(ledger: Ledger) -> dict[str, Cost]:
    ledger.client.config_set("slowlog-log-slower-than", -1)
    times: list[float] = []
    cpu = _cpu_seconds(ledger)
    for walk in _new_walks(ledger, EVENTS, seed=4):
        start = time.perf_counter()
        for step in STEPS:
            step(walk)
        times.append((time.perf_counter() - start) * 1e6)
    cpu = (_cpu_seconds(ledger) - cpu) * 1e6 / EVENTS
    return {"all steps: CPU of Redis": Cost(cpu), "all steps: real time": Cost(quantile(times, 0.5))}


def _new_walks(ledger: Ledger, count: int, *, seed: int) -> list[Walk]:
    """Return the walks of events that have just arrived."""
    picks = random.Random(seed)  # noqa: S311 - made-up events
    now = int(clock.now() * 1000)
    return [
        Walk(
            ledger,
            make_event(picks, now, PASSED, Subject(SubjectKind.FILE, str(number), f"dws_new_{number}")),
        )
        for number in range(count)
    ]


def _periodic(ledger: Ledger) -> dict[str, Cost]:
    client, memory = ledger.client, LedgerMemory(ledger)
    deadlines = ledger.key("deadlines")
    in_flight = dict(_entries(client.zrange(deadlines, 0, LEASED - 1, withscores=True)))

    def make_due() -> None:
        client.zadd(deadlines, dict.fromkeys(in_flight, 1))

    edges = [clock.now() - hour * 3600 for hour in range(24, -1, -1)]
    everything = ["all", facets.index_key(Facet.RESULT, "FAIL")]
    limited = MemoryUse(memory.use().used, 8 * 10**9)
    costs = {
        "lease_due, nothing due": _repeated(ledger, partial(ledger.lease_due, 1)),
        f"lease_due, {LEASED} due": _repeated(ledger, partial(ledger.lease_due, 1, LEASED), before=make_due),
    }
    client.zadd(deadlines, in_flight)
    return costs | {
        # It reads no event: its ratio is that of the speed of the machine.
        "heartbeat": replace(_repeated(ledger, partial(ledger.membership.heartbeat, OWNER)), max_ratio=None),
        "unplanned": _repeated(ledger, partial(ledger.unplanned, 500)),
        "oldest_unplanned": _repeated(ledger, ledger.oldest_unplanned),
        "counts by state": _repeated(ledger, ledger.counts),
        "days that fit into memory": _repeated(ledger, partial(memory.days_that_fit, limited)),
        "arrivals by hour, two charts": _repeated(ledger, partial(ledger.arrivals, everything, edges)),
        "backlog of reports": _repeated(
            ledger, partial(ledger.reports.backlog, idle_seconds=60, issue_seconds=60)
        ),
    }


def _pages(ledger: Ledger, size: int) -> dict[str, Cost]:
    at = size * 9 // 10
    [(member, score)] = _entries(ledger.client.zrevrange(ledger.key("all"), at, at, withscores=True))
    cursor = Cursor(int(score), member.decode())
    queries = {
        "newest": (EventQuery(), None),
        "dead": (EventQuery(states=(State.DEAD,)), None),
        "of a workspace": (EventQuery(projects=(7,)), None),
        "after 90 % of the events": (EventQuery(), cursor),
    }
    costs: dict[str, Cost] = {}
    for name, (query, before) in queries.items():
        page = partial(ledger.search, query, limit=PAGE, before=before)
        if (found := len(page().records)) != PAGE:
            sys.exit(f"the page {name} has {found} events instead of {PAGE}")
        costs[f"page of {PAGE}, {name}"] = _repeated(ledger, page)
    return costs


def _expiry(ledger: Ledger) -> dict[str, Cost]:
    """Admit events after `EXPIRED` of the others have become too old at once."""
    groups: list[list[tuple[float, float]]] = []
    [(_, oldest)] = _entries(ledger.client.zrange(ledger.key("all"), 0, 0, withscores=True))
    start = clock.now()
    for share in EXPIRED:
        # Instead of a week without events, a shorter time for which they are kept.
        kept = (start - oldest / 1000) * (1 - share)
        later = Ledger(ledger.client, ledger.extension_code, event_seconds=kept)
        walks = _new_walks(later, ADMITTED, seed=int(share * 100))
        groups.append(_durations(ledger, [walk.admit for walk in walks]))
    # Of 1,000 events too few are left to remove as many as possible.
    return {"admit, 30 % too old": _cost(groups, max_ratio=None)}


def _repeated(ledger: Ledger, call: Callable[[], object], before: Callable[[], None] | None = None) -> Cost:
    return measure(ledger, [call] * CALLS, before)


def measure(
    ledger: Ledger, calls: Sequence[Callable[[], object]], before: Callable[[], None] | None = None
) -> Cost:
    """Return the median cost of `calls`, each of which follows a call of `before`."""
    size = len(calls) // _PARTS
    parts = [calls[first : first + size] for first in range(0, size * _PARTS, size)]
    return _cost([_durations(ledger, part, before) for part in parts])


def _cost(groups: Sequence[Sequence[tuple[float, float]]], max_ratio: float | None = MAX_RATIO) -> Cost:
    amounts = [total for group in groups for total, _ in group]
    longest = min(max(each for _, each in group) for group in groups)
    return Cost(quantile(amounts, 0.5), longest / 1000, max_ratio)


def _durations(
    ledger: Ledger, calls: Sequence[Callable[[], object]], before: Callable[[], None] | None = None
) -> list[tuple[float, float]]:
    """Return the microseconds that Redis executes the commands of each call, and those of the longest."""
    client = ledger.client
    client.config_set("slowlog-log-slower-than", 0)
    found: list[tuple[float, float]] = []
    for call in calls:
        if before:
            before()
        client.slowlog_reset()
        call()
        entries = client.slowlog_get(10_000)
        # A duration is in whole microseconds: half of one is what is cut off on average.
        spent = [
            entry["duration"] + 0.5 for entry in entries if not entry["command"].upper().startswith(_OWN)
        ]
        found.append((sum(spent), max(spent)))
    return found


def _entries(reply: object) -> list[tuple[bytes, float]]:
    return cast("list[tuple[bytes, float]]", reply)


def _cpu_seconds(ledger: Ledger) -> float:
    used = ledger.client.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


if __name__ == "__main__":
    sys.exit(main())
