"""Let events wait without a worker, then start one: which are answered in time, and how much memory it needs.

    python -m bench.backlog [--events 10000] [--share 0.1]

Ingest, one worker, the emulator, RabbitMQ (its own, or DWGATE_TEST_BROKER_URL) and Valkey run as real
processes. While no worker runs, events with a long deadline arrive, and after them a share of events with a
short one. In order of arrival, the latter would be planned last. The result: how many of each kind are late
or decided without their checks, and the memory (RSS) of the process of intake and of all processes of the
worker, at the start of the backlog and its maximum.

The target: none is late, and the memory of intake grows by less than 64 MiB. Exit 1 if it is missed.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import psutil

from bench.engines import engines
from common.verdicts import Reason
from tests.support.running_dwgate import TARGET, TOKEN, RunningDwgate, fleet

LONG, SHORT = "freeze-node-good", "unfreeze-node-good"
LONG_SECONDS, SHORT_SECONDS = 1800, 120
SENDERS = 16
QPS = 2000
MAX_GROWTH = 64 * 2**20
SETTLE_SECONDS = 1800.0

_POLICY = Path(__file__).parent.parent / "workers" / "policy" / "default.yaml"


@dataclass(slots=True)
class Memory:
    """Resident memory in bytes.

    Attributes:
        intake: of the process of intake: first and highest value.
        worker: of all processes of the worker: first and highest value.
    """

    intake: tuple[int, int] = (0, 0)
    worker: tuple[int, int] = (0, 0)

    def add(self, worker: psutil.Process) -> None:
        """Add a measurement."""
        by_name = _memory_by_name(worker)
        self.intake = _extend(self.intake, by_name.get("dwgate-io", 0))
        self.worker = _extend(self.worker, sum(by_name.values()))


def _extend(known: tuple[int, int], value: int) -> tuple[int, int]:
    return known[0] or value, max(known[1], value)


def _memory_by_name(worker: psutil.Process) -> dict[str, int]:
    found: dict[str, int] = {}
    for process in (worker, *worker.children(recursive=True)):
        try:
            found[process.name()] = found.get(process.name(), 0) + process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=10_000, help="number of events")
    parser.add_argument("--share", type=float, default=0.1, help="share with a short deadline")
    options = parser.parse_args()
    names = [LONG] * int(options.events * (1 - options.share))
    names += [SHORT] * (options.events - len(names))
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        directory = Path(folder)
        policy = directory / "policy.yaml"
        policy.write_text(_policy())
        settings = {
            "DWGATE_POLICY_FILE": str(policy),
            "DWGATE_OPENAPI_READ_QPS": "1000",
            "DWGATE_OPENAPI_WRITE_QPS": "1000",
        }
        with (
            engines(directory) as (broker, redis),
            fleet(
                *(broker, redis, directory), workers=0, settings=settings, read_qps=QPS, write_qps=QPS
            ) as gate,
        ):
            sent = _send(gate, names)
            started = time.time()
            gate.start_worker(ready=False)
            memory = _watch(gate, psutil.Process(gate.workers[0].pid))
            is_met = _show(gate, sent, memory, started)
    sys.exit(not is_met)


def _policy() -> str:
    text = re.sub("deadline: 60", f"deadline: {LONG_SECONDS}", _POLICY.read_text())
    return text.replace("unfreeze-node: {", f"unfreeze-node: {{deadline: {SHORT_SECONDS}, ")


def _send(gate: RunningDwgate, names: Sequence[str]) -> list[tuple[str, str]]:
    """Send an event for each name, in this order; return message ids and names."""
    sent = []
    for name in names:
        message_id, event, sample = gate.sample(name)
        gate.start_process(message_id, sample)
        sent.append((message_id, name, event))
    with (
        httpx.Client(base_url=gate.url, trust_env=False, timeout=10) as client,
        ThreadPoolExecutor(SENDERS) as pool,
    ):

        def post(event: object) -> int:
            body, now = orjson.dumps(event), time.time()
            headers = gate.signer.sign(TARGET, body, now, TOKEN)
            return client.post("/events", content=body, headers=headers).status_code

        statuses = set(pool.map(post, [event for _, _, event in sent]))
    if statuses != {200}:
        raise SystemExit(f"ingest answered {statuses}")
    return [(message_id, name) for message_id, name, _ in sent]


def _watch(gate: RunningDwgate, worker: psutil.Process) -> Memory:
    """Measure the memory from the first admitted event until no operation waits."""
    memory = Memory()
    limit = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < limit and gate.emulator.state()["processes"].get("CHECKING"):
        time.sleep(0.5)
        if sum(gate.ledger.counts().values()):
            memory.add(worker)
    return memory


def _show(gate: RunningDwgate, sent: Sequence[tuple[str, str]], memory: Memory, started: float) -> bool:
    posts = {post["message_id"]: float(post["at"]) for post in gate.emulator.verdicts()}
    total_late = 0
    for name, seconds in ((LONG, LONG_SECONDS), (SHORT, SHORT_SECONDS)):
        late = unchecked = 0
        after = []
        for message_id, sample in sent:
            if sample != name:
                continue
            record = gate.ledger.get(message_id)
            late += record is None or posts.get(message_id, record.deadline_at + 1) > record.deadline_at
            unchecked += bool(record and record.verdict and record.verdict.reason is Reason.DEADLINE)
            after.append(posts.get(message_id, 0.0) - started)
        total_late += late + unchecked
        print(
            f"deadline {seconds} s: {len(after)} events, {late} late, {unchecked} without their checks;"
            f" answered {min(after):.0f} to {max(after):.0f} s after the start of the worker"
        )
    for what, (first, maximum) in (("intake", memory.intake), ("worker", memory.worker)):
        print(f"memory of {what}: {first / 2**20:.0f} MiB at first, at most {maximum / 2**20:.0f} MiB")
    return not total_late and memory.intake[1] - memory.intake[0] < MAX_GROWTH


if __name__ == "__main__":
    main()
