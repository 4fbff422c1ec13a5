"""Time the verdicts of some workspaces while another one commits the worst input twice a second.

    python -m bench.tenants [--input loop] [--seconds 30] [--rounds 3] [--rate 20] [--processes 2]

Ingest, one worker, the emulator, RabbitMQ (its own, or DWGATE_TEST_BROKER_URL) and Valkey run as real
processes, with the built-in policy. Three workspaces commit good and bad files at a fixed rate, each file
with a text of its own, so that no result is cached. In every round they are timed twice, from when an event
was due to be posted until DataWorks has its verdict: undisturbed, and while a fourth workspace attacks. Each
of its commits is new, too. The inputs:

    loop    a check, installed as a plug-in, computes for ever
    native  the same in C, where no exception can interrupt it: its process is killed each time
    script  128 KB of legal SQL, without a plug-in

The target: with the attack the 99th percentile of the others is at most twice the undisturbed one, over all
rounds, and no verdict differs. Exit 1 if it is missed.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from bench import load
from bench.engines import engines
from bench.quantiles import quantile
from emulator.eventbridge import event_bodies
from tests.support import plain_yaml
from tests.support.running_dwgate import ACCOUNT, SAMPLES, TARGET, TOKEN, RunningDwgate, fleet, wait_for

WORKSPACES = (93124, 93125, 93126)
ATTACKER = 93999
ATTACKS_PER_SECOND = 2.0
MAX_RATIO = 2.0
CONNECTIONS = 32
WARM_UP = 60
QPS = 1000
SETTLE_SECONDS = 150.0
"""Time to wait for the attacker's verdicts: longer than their deadline."""

SCRIPT_BYTES = 128 * 1024

INPUTS = ("loop", "native", "script")
POINT = "commit-file"
NAMES = ("commit-file-good", "commit-file-bad")

_POLICY = Path(__file__).parent.parent / "workers" / "policy" / "default.yaml"
_PLUGIN = '''
"""A check that never ends for the attacker's inputs."""
from collections import deque
from itertools import repeat
from dwgate.checks import Runs, check

@check("endless", points=("commit-file",), runs=Runs.CPU, needs_snapshot=True)
def endless(context):
    """Compute for ever."""
    code = context.snapshot.file.content
    if "-- attack: native" in code:
        deque(repeat(None), maxlen=0)
    while "-- attack: loop" in code:
        pass
    return []
'''


@dataclass(slots=True)
class Phase:
    """Events of one phase: their latencies in seconds, and their results by sample and workspace."""

    seconds: list[float] = field(default_factory=list)
    results: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def add(self, other: Phase) -> None:
        """Add the events of another phase."""
        self.seconds += other.seconds
        for key, found in other.results.items():
            self.results.setdefault(key, set()).update(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--input", choices=INPUTS, default="loop", help="what the attacker commits")
    parser.add_argument("--seconds", type=float, default=30, help="duration of a phase")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of phases")
    parser.add_argument("--rate", type=float, default=20, help="events of the others per second")
    parser.add_argument("--processes", type=int, default=2, help="CPU-bound checks at once")
    parser.add_argument("--logs", type=Path, help="directory for dwgate's logs; discarded by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        directory = Path(folder)
        logs = options.logs or directory / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (
            engines(directory) as (broker, redis),
            fleet(
                *(broker, redis, logs),
                workers=0,
                settings=settings(directory),
                read_qps=QPS,
                write_qps=QPS,
            ) as gate,
        ):
            gate.start_worker("--processes", str(options.processes))
            sys.exit(not compare(gate, options))


def settings(directory: Path) -> dict[str, str]:
    """Install the plug-in in `directory`, and return the settings of dwgate."""
    package = directory / "package"
    info = package / "endless_check-1.0.dist-info"
    info.mkdir(parents=True)
    (package / "endless_check.py").write_text(_PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: endless-check\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dwgate.checks]\nendless = endless_check\n")
    policy = plain_yaml.load(_POLICY.read_text())
    policy["points"][POINT] = copy.deepcopy(policy["points"][POINT])  # other points share it
    policy["points"][POINT]["checks"]["endless"] = {}
    file = directory / "policy.yaml"
    file.write_text(plain_yaml.dump(policy))
    return {
        "DWGATE_POLICY_FILE": str(file),
        "DWGATE_LOG_LEVEL": "warning",
        "DWGATE_OPENAPI_READ_QPS": str(QPS),
        "DWGATE_OPENAPI_WRITE_QPS": str(QPS),
        "DWGATE_RECONCILE_SECONDS": "3600",
        "PYTHONPATH": str(package),
    }


def compare(gate: RunningDwgate, options: argparse.Namespace) -> bool:
    """Run the rounds, print the table, and return whether the target was met."""
    count = int(options.rate * options.seconds)
    run(gate, WARM_UP, options.rate)
    quiet, attacked = Phase(), Phase()
    for number in range(options.rounds):
        before = run(gate, count, options.rate)
        with attack(gate, options.input) as commits:
            during = run(gate, count, options.rate)
        settle(gate)
        show(f"round {number + 1}, {len(commits)} attacks", before, during)
        quiet.add(before)
        attacked.add(during)
    show("all rounds", quiet, attacked)
    changed = {key for key, found in attacked.results.items() if found != quiet.results[key]}
    print(f"verdicts that differ: {len(changed)} of {len(attacked.results)} kinds")
    met = not changed and quantile(attacked.seconds, 0.99) <= MAX_RATIO * quantile(quiet.seconds, 0.99)
    print("aim", "met" if met else "missed")
    return met


def run(gate: RunningDwgate, count: int, rate: float) -> Phase:
    """Push commits of the workspaces at `rate`, and wait for their verdicts.

    Raises:
        RuntimeError: an event was not accepted.
    """
    requests = dict(itertools.islice(commits_of_others(gate), count))
    host, port = gate.url.removeprefix("http://").split(":")
    posts = [post for _, post in requests.values()]
    tally = load.run(host, int(port), posts, connections=CONNECTIONS, rate=rate)
    if tally.statuses != {200: count}:
        raise RuntimeError(f"{tally.statuses} for {count} events")
    verdicts = {message_id: gate.verdict(message_id, SETTLE_SECONDS) for message_id in requests}
    phase = Phase()
    for (message_id, (kind, _)), due in zip(requests.items(), tally.due, strict=True):
        phase.seconds.append(verdicts[message_id]["at"] - due)
        phase.results.setdefault(kind, set()).add(verdicts[message_id]["result"])
    return phase


def commits_of_others(gate: RunningDwgate) -> Iterator[tuple[str, tuple[tuple[str, int], bytes]]]:
    """Start commits at the emulator; yield their message ids, their kinds, and their signed posts."""
    for name, workspace in itertools.cycle(itertools.product(NAMES, WORKSPACES)):
        message_id, body = commit(gate, name, workspace, "-- written for this commit")
        headers = gate.signer.sign(TARGET, body, time.time(), TOKEN)
        headers["content-type"] = "application/json"
        post = load.request("/events", gate.url.removeprefix("http://"), headers, body)
        yield message_id, ((name, workspace), post)


_numbers = itertools.count()


def commit(gate: RunningDwgate, name: str, workspace: int, more_code: str) -> tuple[str, bytes]:
    """Start a commit of a sample with more code at the emulator; return its message id and its event."""
    sample = SAMPLES[name]
    data = {**copy.deepcopy(sample.data), "projectId": workspace}
    event = event_bodies.event_envelope(POINT, data, account_id=ACCOUNT, now=time.time())
    snapshot = copy.deepcopy(sample.snapshot or {})
    snapshot["CommittedFile"]["Content"] += f"\n{more_code}\n-- {next(_numbers)}\n"
    gate.emulator.start_process(event["id"], POINT, project_id=workspace, snapshot=snapshot)
    return event["id"], orjson.dumps(event)


@contextmanager
def attack(gate: RunningDwgate, kind: str) -> Iterator[list[str]]:
    """Commit the worst input of a kind at a fixed rate during the block; yield the message ids."""
    stop = threading.Event()
    sent: list[str] = []
    code = slow_script() if kind == "script" else f"-- attack: {kind}"

    def loop() -> None:
        began = time.monotonic()
        while not stop.wait(max(0.0, began + len(sent) / ATTACKS_PER_SECOND - time.monotonic())):
            message_id, body = commit(gate, NAMES[0], ATTACKER, code)
            headers = gate.signer.sign(TARGET, body, time.time(), TOKEN)
            gate.post_raw(body, headers).raise_for_status()
            sent.append(message_id)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()


def slow_script() -> str:
    """Return legal SQL of SCRIPT_BYTES: joins of subqueries, which the review parses and resolves."""
    statement = (
        "INSERT OVERWRITE TABLE t{0} PARTITION (ds='${{bizdate}}') "
        "SELECT a.id, CASE WHEN b.x > 1 THEN b.y ELSE COALESCE(c.z, 0) END AS v "
        "FROM (SELECT id, k FROM s{0} WHERE ds='${{bizdate}}') a "
        "JOIN (SELECT id, x, y FROM r{0} WHERE ds='${{bizdate}}') b ON a.id = b.id "
        "LEFT JOIN q{0} c ON a.k = c.k AND c.ds='${{bizdate}}';"
    )
    lines: list[str] = []
    size = 0
    while size < SCRIPT_BYTES:
        lines.append(statement.format(len(lines)))
        size += len(lines[-1]) + 1
    return "\n".join(lines)


def settle(gate: RunningDwgate) -> None:
    """Wait until no operation waits for its verdict."""
    wait_for(lambda: not gate.emulator.state()["processes"].get("CHECKING"), SETTLE_SECONDS, every=0.5)


def show(name: str, quiet: Phase, attacked: Phase) -> None:
    """Print the latencies of two phases."""
    cells = []
    for share in (0.5, 0.99, 1.0):
        before, during = quantile(quiet.seconds, share), quantile(attacked.seconds, share)
        cells.append(f"p{100 * share:g} {1000 * before:.0f} → {1000 * during:.0f} ms ({during / before:.2f})")
    print(f"{name}: {', '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
