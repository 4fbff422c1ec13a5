"""Nothing that real processes show or log of a node contains a secret of its code."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from common.ledger import EventRecord
from review.dialects import Dialect
from tests.conftest import Broker
from tests.support.canary_secrets import CANARIES, scripts
from tests.support.emulator_process import EXTENSION_CODE
from tests.support.engines import Valkey, free_port
from tests.support.running_dwgate import RunningDwgate, fleet, wait_for, wait_until_final

NODE_TYPES = {
    Dialect.MAXCOMPUTE: 10,
    Dialect.PYTHON: 221,
    Dialect.SHELL: 6,
    Dialect.HOLOGRES: 1093,
    Dialect.DI: 23,
}
SECRETS = sorted({canary.secret.lower() for canary in CANARIES})


def nodes() -> tuple[list[tuple[Dialect, str]], list[tuple[Dialect, str]]]:
    """Return node codes: of each language one with all secrets, and one with a single secret."""
    by_dialect: dict[Dialect, list[str]] = {}
    for canary in CANARIES:
        for code, dialect in scripts(canary):
            by_dialect.setdefault(dialect, []).append(code)
    joined = [
        (dialect, "\n".join(codes) if dialect is not Dialect.DI else codes[0])
        for dialect, codes in by_dialect.items()
        if dialect in NODE_TYPES
    ]
    single = [(dialect, codes[0]) for dialect, codes in by_dialect.items() if dialect in NODE_TYPES]
    return joined, single


@pytest.fixture(scope="module")
def running(
    engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningDwgate, int]]:
    """Ingest and a worker that serves metrics."""
    broker, valkey = engines
    port = free_port()
    with fleet(broker.url, valkey.url, tmp_path_factory.mktemp("canaries"), workers=0) as gate:
        gate.start_worker("--metrics-port", str(port))
        yield gate, port


def commit(gate: RunningDwgate, dialect: Dialect, code: str) -> str:
    """Commit a node with this code; return the message id."""
    message_id, event, sample = gate.sample("commit-file-good")
    snapshot = copy.deepcopy(sample.snapshot)
    assert snapshot is not None
    snapshot["CommittedFile"] |= {"Content": code, "FileType": NODE_TYPES[dialect]}
    gate.emulator.start_process(
        message_id, sample.event_code, project_id=event_project(event), snapshot=snapshot
    )
    assert gate.post(event).status_code == 200
    return message_id


def event_project(event: dict[str, object]) -> int:
    data = event["data"]
    assert isinstance(data, dict)
    return int(data["projectId"])


def watched(gate: RunningDwgate) -> str:
    """Start Flower, wait until the workers send events, and return the URL of its tasks."""
    tasks = gate.start_flower()

    def has_tasks() -> bool:
        wait_until_final(gate, gate.send("commit-file-good"), 30)
        return bool(gate.http.get(tasks).json())

    wait_for(has_tasks, 60, every=0.5)
    return tasks


def metrics(gate: RunningDwgate, port: int) -> str:
    """Return the metrics of the worker."""
    return gate.http.get(f"http://127.0.0.1:{port}/metrics").text


def kept(gate: RunningDwgate, record: EventRecord) -> Iterator[str]:
    """Yield the tip of one event, and its record."""
    yield str(gate.verdict(record.event.message_id)["tip"])
    yield orjson.dumps(record.to_json(EXTENSION_CODE)).decode()


def printed(gate: RunningDwgate, record: EventRecord) -> Iterator[str]:
    """Yield what `dwgate events show` prints of one event."""
    message_id = record.event.message_id
    for options in ((), ("--json",)):
        yield subprocess.run(
            [sys.executable, "-m", "console.main", "events", "show", message_id, *options],
            env=gate.environment,
            cwd=gate.directory,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


def test_tips_ledger_logs_metrics_and_flower(running: tuple[RunningDwgate, int]) -> None:
    gate, port = running
    tasks = watched(gate)
    joined, single = (
        [wait_until_final(gate, commit(gate, dialect, code), 60) for dialect, code in codes]
        for codes in nodes()
    )
    records = [*joined, *single]
    rules = {
        item.rule for record in records for outcome in record.outcomes.values() for item in outcome.findings
    }
    assert {"MC-S01", "MC-S02", "PY-F601", "SH-SC2086", "DI-002"} <= rules, "the nodes were reviewed"
    outputs = {
        f"{record.event.message_id} {n}": text
        for record in records
        for n, text in enumerate(kept(gate, record))
    }
    outputs |= {
        f"{record.event.message_id} printed {n}": text
        for record in joined
        for n, text in enumerate(printed(gate, record))
    }
    wait_for(lambda: any(records[-1].event.message_id in task for task in gate.http.get(tasks).json()))
    for path in ("/tasks", "/workers"):
        outputs[f"flower {path}"] = gate.http.get(tasks.removesuffix("/tasks") + path).text
    outputs["metrics"] = metrics(gate, port)
    assert 'dwgate_suppressed_total{rule="SH-SC2086"}' in outputs["metrics"]
    outputs["logs"] = gate.logs()
    assert "event_reported" in outputs["logs"]
    leaks = [(name, secret) for name, text in outputs.items() for secret in SECRETS if secret in text.lower()]
    assert leaks == []


def test_the_rules_of_the_policy_hold_for_files_too(
    running: tuple[RunningDwgate, int], tmp_path: Path
) -> None:
    gate, port = running
    code = "DELETE FROM shop.t; -- dwgate:ignore MC-C14 emptied by hand\n"
    node = tmp_path / "node.sql"
    node.write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "console.main", "review", str(node), "--format", "json"],
        env=gate.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    (file,) = orjson.loads(done.stdout)["files"]
    record = wait_until_final(gate, commit(gate, Dialect.MAXCOMPUTE, code), 60)
    ours = [(item.rule, item.suppressed) for item in record.outcomes["code-review"].findings]
    reviewed = [(item["rule"], item["suppressed"]) for item in file["findings"]]
    for found in (ours, reviewed):
        assert {("MC-C14", None), ("DW-I03", None)} <= set(found)
    assert 'dwgate_suppressions_refused_total{rule="MC-C14"} 1.0' in metrics(gate, port)
    assert 'dwgate_suppressions_refused_total{rule="MC-C14"} 1.0' in metrics(gate, port)
