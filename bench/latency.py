"""Measure the time to a verdict when each OpenAPI call takes long, next to the limit that the calls set.

    python -m bench.latency [--latency 0.25] [--tail] [--rounds 3] [--workers 2] [--sample NAME]

Ingest, the workers, the emulator, RabbitMQ (its own, or DWGATE_TEST_BROKER_URL) and Valkey run as real
processes, with the built-in policy and the quota of the Enterprise edition. A proxy between the workers and
the emulator delays each call and records it. Each sample is sent alone: cold, with an empty lookup cache, and
then once more, warm.

The limit of a sample is the latency times its longest chain of calls, each of which needs the response of
the one before (`SOURCES`), plus the post of the verdict. The chain is read from the calls of the same run.
The target, of the median of all rounds: at most 1.25 times the limit for every sample, and no sample above
2 seconds at a latency of 250 ms. Exit 1 if it is missed.

With `--tail`, one call in twenty takes four times as long; then nothing is a target.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import ClientSession, web
from yarl import URL

from bench.engines import engines
from common.extension_points import ResultOperation
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_until_final
from workers.dataworks.lookup_cache import COPY_SHARE

READ_QPS, WRITE_QPS = 50, 20
MAX_RATIO = 1.25
MAX_SECONDS_OF_250_MS = 8.0
"""Maximum cold time in multiples of the latency: 2 s at 250 ms."""

TAIL_SHARE, TAIL_FACTOR = 0.05, 4.0
POSTS = frozenset(ResultOperation)
UNRELATED = frozenset({"GetExtension", "GetOptionValueForProject"})
"""Calls that belong to no event: their responses are kept for all of them."""

SNAPSHOT = "GetIDEEventDetail"
LINEAGE = ("GetMetaColumnLineage", "GetMetaTableLineage")
SOURCES = {
    "GetNodeChildren": ("GetNodeChildren", "GetMetaTableProducingTasks"),
    "GetNodeParents": ("GetNodeParents", "ListNodesByOutput"),
    "GetNode": ("GetMetaTableProducingTasks",),
    "ListNodesByOutput": ("ListNodeInputOrOutput",),
    "ListLineage": ("ListNodeInputOrOutput", "GetMetaTableFullInfo"),
    "GetMetaTableLineage": ("ListNodeInputOrOutput", "GetMetaTableFullInfo", "GetMetaTableLineage"),
    "GetMetaColumnLineage": ("GetMetaTableFullInfo", "GetMetaColumnLineage"),
    "GetMetaTableProducingTasks": LINEAGE,
    "GetBaselineConfig": ("GetNode", "GetNodeChildren", "GetNodeParents"),
    "GetFileVersion": ("ListFileVersions",),
}
"""The operations whose responses name what a call of an operation asks for."""

AFTER_ALL = frozenset({"GetBaselineConfig"})
"""Operations whose calls are decided by all responses of their sources: the baselines of highest priority."""

CACHE_SECONDS = 20
"""Lifetime of a lookup in the cache."""

SETTINGS = {
    "DWGATE_LOG_LEVEL": "warning",
    "DWGATE_RECONCILE_SECONDS": "3600",
    "DWGATE_LOOKUP_CACHE_SECONDS": str(CACHE_SECONDS),
}

_VALUE = re.compile(r"[^\s.,:\"'`()=;{}\[\]\\]+")
"""A name or a number in a parameter or a response."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: when it began and ended on the monotonic clock, its values, and those of its response."""

    action: str
    began: float
    ended: float
    values: frozenset[str]
    response: frozenset[str]


@dataclass(slots=True)
class SlowProxy:
    """Forwards requests to the emulator after a delay.

    Attributes:
        target: URL of the emulator.
        latency: seconds of each call.
        has_tail: whether some calls take longer.
        calls: those since the last sample.
    """

    target: str
    latency: float
    has_tail: bool
    calls: list[Call] = field(default_factory=list)
    port: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(20261130))  # noqa: S311
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve until the block ends."""
        ready = threading.Event()
        stopped = asyncio.Event()

        async def serve() -> None:
            async with ClientSession(auto_decompress=False) as session:
                application = web.Application(client_max_size=1 << 26)
                application["session"] = session
                application.router.add_route("*", "/{path:.*}", self._forward)
                runner = web.AppRunner(application, access_log=None)
                await runner.setup()
                site = web.TCPSite(runner, "127.0.0.1", 0)
                await site.start()
                self.port = runner.addresses[0][1]
                ready.set()
                await stopped.wait()
                await runner.cleanup()

        thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        thread.start()
        ready.wait()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(stopped.set)
            thread.join()
            self._loop.close()

    async def _forward(self, request: web.Request) -> web.Response:
        began, body = time.monotonic(), await request.read()
        await asyncio.sleep(self._seconds())
        session: ClientSession = request.app["session"]
        # As they are signed: no header is added, and no character encoded again.
        url, added = (
            URL(self.target + request.raw_path, encoded=True),
            ("Content-Type", "User-Agent", "Accept"),
        )
        async with session.request(
            request.method, url, data=body or None, headers=request.headers, skip_auto_headers=added
        ) as response:
            content = await response.read()
        action = request.headers.get("x-acs-action", "")
        values = _values(request.rel_url.raw_query_string, body.decode())
        ended = time.monotonic()
        self.calls.append(Call(action, began, ended, values, _words(content.decode())))
        return web.Response(status=response.status, body=content, content_type="application/json")

    def _seconds(self) -> float:
        is_slow = self.has_tail and self._random.random() < TAIL_SHARE
        return self.latency * (TAIL_FACTOR if is_slow else 1.0)


@dataclass(frozen=True, slots=True)
class Score:
    """The times of one sample: seconds from the POST to the verdict, and its calls when it was cold."""

    name: str
    cold: list[float]
    warm: float
    reads: int
    chain: int

    @property
    def median(self) -> float:
        """The median of the cold times."""
        return statistics.median(self.cold)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--latency", type=float, default=0.25, help="seconds of each OpenAPI call")
    parser.add_argument("--tail", action="store_true", help="let one call in twenty take four times as long")
    parser.add_argument("--rounds", type=int, default=3, help="times that each sample is sent cold")
    parser.add_argument("--workers", type=int, default=2, help="`dwgate worker` processes")
    parser.add_argument(
        "--sample", action="append", choices=sorted(SAMPLES), help="repeatable; all if not given"
    )
    options = parser.parse_args()
    with running(options.latency, options.workers, has_tail=options.tail) as (gate, proxy):
        names = options.sample or sorted(SAMPLES)
        for name in names:  # opens connections
            measure(gate, proxy, name)
        scores = [score(gate, proxy, name, options.rounds) for name in names]
    show(scores, options.latency)
    sys.exit(not (options.tail or all(is_met(item, options.latency) for item in scores)))


@contextmanager
def running(latency: float, workers: int, *, has_tail: bool) -> Iterator[tuple[RunningDwgate, SlowProxy]]:
    """Run dwgate with a slow OpenAPI."""
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        directory = Path(folder)
        logs = directory / "logs"
        logs.mkdir()
        quota: dict[str, Any] = {"read_qps": READ_QPS, "write_qps": WRITE_QPS}
        with (
            engines(directory) as (broker, redis),
            fleet(broker, redis, logs, workers=0, settings=SETTINGS, **quota) as gate,
        ):
            proxy = SlowProxy(f"http://{gate.emulator.host_port}", latency, has_tail)
            with proxy.serving():
                gate.environment["DWGATE_OPENAPI_ENDPOINT"] = f"127.0.0.1:{proxy.port}"
                for _ in range(workers):
                    gate.start_worker()
                yield gate, proxy


def score(gate: RunningDwgate, proxy: SlowProxy, name: str, rounds: int) -> Score:
    """Send a sample cold several times, then warm."""
    cold, chains, reads = [], [], []
    for _ in range(rounds):
        forget_lookups(gate)
        proxy.calls.clear()
        cold.append(measure(gate, proxy, name))
        calls = [call for call in proxy.calls if call.action not in UNRELATED]
        chains.append(longest_chain(calls))
        reads.append(sum(call.action not in POSTS for call in calls))
    return Score(name, cold, measure(gate, proxy, name), max(reads), max(chains))


def measure(gate: RunningDwgate, proxy: SlowProxy, name: str) -> float:
    """Send a sample; return the seconds until DataWorks had answered the post of its verdict."""
    message_id, event, sample = gate.sample(name)
    gate.start_process(message_id, sample)
    before = len(proxy.calls)
    began = time.monotonic()
    gate.post(event).raise_for_status()
    wait_until_final(gate, message_id)
    return next(call for call in proxy.calls[before:] if call.action in POSTS).ended - began


def forget_lookups(gate: RunningDwgate) -> None:
    """Empty the fleet's cache of lookups, and wait until the copies of the processes have expired."""
    client = gate.ledger.client
    for key in client.scan_iter(match="dwgate:*:lookup:*", count=1000):
        client.delete(key)
    time.sleep(CACHE_SECONDS * COPY_SHARE)


def longest_chain(calls: Sequence[Call]) -> int:
    """Return the number of calls in the longest chain, the post included.

    A call depends on the first response of one of its SOURCES that contains one of its values; one of
    AFTER_ALL on all responses of its sources; and everything on the event's snapshot. What the event or the
    code names is in none of them.
    """
    ordered = sorted((call for call in calls if call.action not in POSTS), key=lambda call: call.ended)
    depths: list[int] = []
    for call in ordered:
        sources = [
            (depths[place], earlier)
            for place, earlier in enumerate(ordered[: len(depths)])
            if earlier.action in SOURCES.get(call.action, ()) and earlier.ended <= call.began
        ]
        if call.action in AFTER_ALL:
            needed = [depth for depth, _ in sources]
        else:
            needed = [
                next((depth for depth, earlier in sources if value in earlier.response), 0)
                for value in call.values
            ]
        snapshot = any(earlier.action == SNAPSHOT for earlier in ordered[: len(depths)])
        depths.append(1 + max([int(snapshot), *needed]))
    return max(depths, default=0) + 1


def _values(query: str, body: str) -> frozenset[str]:
    """Return what the parameters name, without constants of the operation."""
    given = dict([*parse_qsl(query), *parse_qsl(body)])
    constants = {"ProjectEnv", "Direction", "IoType", "EventCode", "ExtensionCode", "MessageId", "ProjectId"}
    named = [
        _VALUE.findall(value)
        for name, value in given.items()
        if name not in constants and not name.startswith("Page") and name != "FileVersion"
    ]
    return frozenset(word.lower() for words in named for word in words)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _VALUE.findall(text))


def is_met(item: Score, latency: float) -> bool:
    """Whether a sample meets the target."""
    return (
        item.median <= MAX_RATIO * item.chain * latency and max(item.cold) <= MAX_SECONDS_OF_250_MS * latency
    )


def show(scores: Sequence[Score], latency: float) -> None:
    """Print the table."""
    for item in scores:
        limit = item.chain * latency
        print(
            f"{item.name:22} cold {item.median:5.2f} s, slowest {max(item.cold):5.2f} s, "
            f"limit {limit:5.2f} s ({item.chain} calls), ratio {item.median / limit:4.2f}, "
            f"warm {item.warm:5.2f} s, {item.reads} reads{'' if is_met(item, latency) else '  missed'}"
        )
    cold, limits = sum(item.median for item in scores), sum(item.chain * latency for item in scores)
    print(f"{'sum':22} cold {cold:5.2f} s, limit {limits:5.2f} s, ratio {cold / limits:4.2f}")
    missed = [item.name for item in scores if not is_met(item, latency)]
    print(f"{'aim':22} {'missed: ' + ', '.join(missed) if missed else 'met'}")


if __name__ == "__main__":
    main()
