"""Attack a real ingest process: `python -m tests.fuzz.fuzz_ingest --requests 20000 [--seed 1]`.

Ingest runs with Valkey as broker and ledger. Nothing may be queued without a covering signature, everything
that has one must be, no answer may be a server error, no connection may hang, and memory stays bounded.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil

from common.ledger import connect
from tests.fuzz.http_attempts import Attempt, random_attempt
from tests.support.engines import Valkey
from tests.support.ingest_process import Ingest
from tests.support.queues import TOPOLOGY

CONNECTIONS = 32
HANG_SECONDS = 40.0
"""Above every time limit of ingest, also on a busy machine."""

MAX_GROWTH = 100 << 20
"""Bytes by which the memory of ingest may grow."""


@dataclass(slots=True)
class Result:
    """What a run found: numbers of attempts and answers, and the failures."""

    attempts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    queued: int = 0
    grown: int = 0
    failures: list[str] = field(default_factory=list)


def attack(directory: Path, redis_url: str, count: int, seed: int) -> Result:
    """Send `count` attempts to an ingest process of its own, on an empty Valkey."""
    result = Result()
    may: dict[str, bytes] = {}
    must: dict[str, str] = {}
    with _ingest(directory, redis_url) as ingest:
        url = httpx.URL(ingest.url())
        process = psutil.Process(ingest.process.pid)
        before = process.memory_info().rss
        rng = random.Random(seed)  # noqa: S311 - no secret

        def attempts() -> Iterator[Attempt]:
            for _ in range(count):
                attempt = random_attempt(rng)
                may.update(attempt.may)
                must.update(dict.fromkeys(attempt.must, attempt.kind))
                yield attempt

        asyncio.run(_send_all(url.host, url.port or 0, attempts(), result))
        result.grown = process.memory_info().rss - before
        if result.grown > MAX_GROWTH:
            result.failures.append(f"memory grew by {result.grown >> 20} MiB")
        if httpx.get(url.join("/readyz"), trust_env=False).status_code != httpx.codes.OK:
            result.failures.append("ingest is not ready after the attack")
        logged = {line["event"] for line in ingest.lines() if line["level"] in ("error", "critical")}
        result.failures += [f"logged {event}" for event in sorted(logged)]
    _check_queue(redis_url, may, must, result)
    return result


@contextmanager
def _ingest(directory: Path, redis_url: str) -> Iterator[Ingest]:
    ingest = Ingest(directory, redis_url, redis_url)
    try:
        ingest.wait_until_ready()
        yield ingest
    finally:
        ingest.kill()


async def _send_all(host: str, port: int, attempts: Iterator[Attempt], result: Result) -> None:
    async def work() -> None:
        for attempt in attempts:
            result.attempts[attempt.kind] += 1
            try:
                async with asyncio.timeout(HANG_SECONDS):
                    answer = await _send(host, port, attempt)
            except TimeoutError:
                result.failures.append(f"{attempt.kind}: no answer within {HANG_SECONDS:.0f} s")
                continue
            statuses = [int(code) for code in re.findall(rb"(?m)^HTTP/1\.1 (\d{3}) ", answer)]
            result.statuses.update(statuses)
            result.failures += [f"{attempt.kind}: status {code}" for code in statuses if code >= 500]

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))


async def _send(host: str, port: int, attempt: Attempt) -> bytes:
    """Make one attempt; return what came back until the expected responses are there, or the server
    closed."""
    reader, writer = await asyncio.open_connection(host, port)
    received = b""
    with suppress(OSError):  # the server may close at any time
        for number, piece in enumerate(attempt.pieces):
            writer.write(piece)
            await writer.drain()
            if number < 3:
                await asyncio.sleep(0.0005)
        if attempt.is_abandoned:
            writer.write_eof()
        while received.count(b"HTTP/1.1 ") - received.count(b"HTTP/1.1 100") < attempt.responses:
            data = await reader.read(65536)
            if not data:
                break
            received += data
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return received


def _check_queue(redis_url: str, may: dict[str, bytes], must: dict[str, str], result: Result) -> None:
    client = connect(redis_url, response_seconds=10)
    messages: list[bytes] = client.zrange(TOPOLOGY.parked, 0, -1)  # type: ignore[assignment]
    client.close()
    queued: dict[str, dict[str, Any]] = {}
    for message in messages:
        for event in orjson.loads(message)[0]:
            queued[event["message_id"]] = event
    result.queued = len(queued)
    for message_id, event in queued.items():
        signed = may.get(message_id)
        if signed is None:
            result.failures.append(f"queued without a covering signature: {message_id!r}")
        elif event["data"] != orjson.loads(signed).get("data"):
            result.failures.append(f"queued with other data than was signed: {message_id!r}")
    result.failures += [
        f"{kind}: {message_id} is not queued" for message_id, kind in must.items() if message_id not in queued
    ]


def main() -> int:
    """Return 0 if nothing failed."""
    parser = argparse.ArgumentParser(description="Attack ingest.")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-ingest-") as folder:
        directory = Path(folder)
        (directory / "valkey").mkdir()
        valkey = Valkey(directory / "valkey")
        try:
            valkey.start()
            result = attack(directory, valkey.url, chosen.requests, chosen.seed)
        finally:
            valkey.close()
    for kind, count in sorted(result.attempts.items()):
        sys.stdout.write(f"{kind:22} {count}\n")
    for failure in result.failures[:50]:
        sys.stdout.write(f"FAILED {failure}\n")
    statuses = " ".join(f"{code}:{count}" for code, count in sorted(result.statuses.items()))
    sys.stdout.write(
        f"seed {chosen.seed}: {result.attempts.total()} attempts, {statuses}, {result.queued} queued,"
        f" memory +{result.grown >> 20} MiB, {len(result.failures)} failures\n"
    )
    return int(bool(result.failures))


if __name__ == "__main__":
    sys.exit(main())
