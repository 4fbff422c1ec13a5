"""A worker as real processes: what its supervisor serves, restarts and ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from common.ledger import State
from tests.support import observability
from tests.support.engines import free_port
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final
from workers.process.roles import Role

GROUPS = ("checks", "slow", "io", "reporter", "watchdog", "recovery")


@pytest.fixture
def gate(clean_redis_url: str, tmp_path: Path) -> Iterator[RunningDwgate]:
    settings = {"DWGATE_RECONCILE_SECONDS": "1"}
    with fleet(clean_redis_url, clean_redis_url, tmp_path, workers=0, settings=settings) as running:
        yield running


def start(gate: RunningDwgate, *arguments: str) -> str:
    """Start a worker and return the URL that its supervisor serves."""
    port = free_port()
    gate.start_worker("--processes", "1", "--metrics-port", str(port), *arguments)
    return f"http://127.0.0.1:{port}"


def read_metrics(gate: RunningDwgate, url: str) -> dict[str, float]:
    """Return the metrics of a worker by the text of their series."""
    lines = gate.http.get(f"{url}/metrics").text.splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }


def unserved_selectors(text: str) -> list[str]:
    """Return what alert rules and dashboards select and none of the served series is."""
    series = [
        (sample.name, sample.labels)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    return [
        f"{where}: {selector.name}"
        for where, expression in observability.expressions().items()
        for selector in observability.selectors(expression)
        if selector.name not in observability.OF_PROMETHEUS
        and not any(observability.matches(selector, name, labels) for name, labels in series)
    ]


def children(gate: RunningDwgate) -> dict[str, psutil.Process]:
    """Return the newest worker's main processes by the name of their group."""
    found: dict[str, psutil.Process] = {}
    for process in psutil.Process(gate.workers[-1].pid).children(recursive=True):
        name = process.name().removeprefix("dwgate-")
        if name in GROUPS:
            found.setdefault(name, process)
    return found


def test_a_worker_answers_events_and_serves_its_metrics(gate: RunningDwgate) -> None:
    url = start(gate)
    for name in ("commit-file-bad", "freeze-node-good"):  # one is computed, the other waits for DataWorks
        message_id = gate.send(name)
        assert gate.verdict(message_id)["result"] == SAMPLES[name].expected
        assert wait_until_final(gate, message_id).state is State.REPORTED

    assert gate.http.get(f"{url}/healthz").text == "ok"
    wait_for(lambda: 'dwgate_events{state="reported"} 2.0' in gate.http.get(f"{url}/metrics").text)
    served = read_metrics(gate, url)
    for role in Role:
        assert served[f'dwgate_workers{{role="{role}"}}'] == 1
    assert served['dwgate_events{state="dead"}'] == 0
    assert served['dwgate_dead_total{event_code="commit-file"}'] == 0
    blocking = [served[name] for name in served if name.startswith('dwgate_findings_total{mode="enforce"')]
    assert sum(blocking) >= 1
    assert served['dwgate_check_seconds_count{check="code-review"}'] >= 1
    assert served['dwgate_check_seconds_count{check="downstream-impact"}'] >= 1
    assert served['dwgate_openapi_calls_total{operation="GetIDEEventDetail",result="ok"}'] >= 1
    assert served['dwgate_openapi_calls_total{operation="GetNodeChildren",result="throttled"}'] == 0
    assert served['dwgate_openapi_call_seconds_count{operation="GetIDEEventDetail"}'] >= 1
    assert served['dwgate_quota_wait_seconds_count{kind="write"}'] >= 2
    wait_for(lambda: time.time() - read_metrics(gate, url).get("dwgate_sweep_timestamp_seconds", 0) < 20)
    for group in (*GROUPS, "supervisor"):
        assert served[f'process_cpu_seconds_total{{group="{group}"}}'] > 0
        assert served[f'process_resident_memory_bytes{{group="{group}"}}'] > 0
    wait_for(lambda: "dwgate_messages_waiting{" in gate.http.get(f"{url}/metrics").text)
    families = gate.http.get(f"{url}/metrics").text + gate.http.get(f"{gate.url}/metrics").text
    # Ingest has these if it takes events from a queue.
    of_a_queue = ": dwgate_ingest_source_"
    assert [item for item in unserved_selectors(families) if of_a_queue not in item] == []

    assert gate.http.get(f"{url}/other").status_code == 404
    with pytest.raises(httpx.ConnectError):  # no other address
        gate.http.get(f"{url}/metrics".replace("127.0.0.1", "127.0.0.2"))

    worker = gate.workers[-1]
    processes = psutil.Process(worker.pid).children(recursive=True)
    worker.terminate()
    assert worker.wait(40) == 0
    assert psutil.wait_procs(processes, timeout=20)[1] == []


def test_an_operation_whose_event_never_arrived_is_answered(gate: RunningDwgate) -> None:
    start(gate)
    _, _, sample = gate.sample("freeze-node-good")
    gate.start_process("never-sent", sample)

    assert gate.verdict("never-sent", 60)["result"] == "OK"
    record = wait_until_final(gate, "never-sent")
    assert record.event.recovered


def test_a_process_that_ends_is_started_again(gate: RunningDwgate) -> None:
    url = start(gate)
    killed = wait_for(lambda: children(gate).get("watchdog"))
    assert killed
    wait_for(lambda: gate.http.get(f"{url}/readyz").text == "ok")
    wait_for(lambda: "dwgate_workers{" in gate.http.get(f"{url}/metrics").text)
    killed.kill()
    wait_for(lambda: gate.http.get(f"{url}/readyz").text == "watchdog down")
    # Nothing measures them now.
    wait_for(lambda: "dwgate_workers{" not in gate.http.get(f"{url}/metrics").text)
    assert gate.http.get(f"{url}/healthz").text == "ok", "its supervisor brings it back"

    wait_for(lambda: gate.http.get(f"{url}/readyz").text == "ok")
    assert gate.http.get(f"{url}/healthz").text == "ok"
    again = wait_for(lambda: children(gate).get("watchdog"))
    assert again
    assert again.pid != killed.pid


def test_a_worker_is_not_alive_before_it_is_ready(gate: RunningDwgate) -> None:
    port = free_port()
    gate.start_worker("--processes", "1", "--metrics-port", str(port), ready=False)
    url = f"http://127.0.0.1:{port}/healthz"
    seen: list[str] = []

    def is_ready() -> bool:
        try:
            response = gate.http.get(url)
        except httpx.TransportError:
            return False
        seen.append(response.text)
        assert (response.status_code == 200) is (response.text == "ok")
        return response.text == "ok"

    wait_for(is_ready, 60)
    assert seen[0].startswith(("checks-cpu starting", "checks-cpu down")), "down: not even started"
    # Each sends its first heartbeat once it has connected.
    wait_for(lambda: {name.partition("-")[0] for name in gate.ledger.membership.workers()} == set(GROUPS))


def test_processes_that_are_stopped_are_neither_alive_nor_ready(gate: RunningDwgate) -> None:
    """A health check that asks the process, not its last entry in a database: airflow 26574."""
    url = start(gate, "--role", "intake", "--role", "watchdog")
    wait_for(lambda: gate.http.get(f"{url}/readyz").text == "ok")
    stopped = children(gate)
    for process in stopped.values():
        process.suspend()
    try:
        for path in ("healthz", "readyz"):
            wait_for(lambda: gate.http.get(f"{url}/{path}").text == "intake stalled\nwatchdog stalled", 25)  # noqa: B023
    finally:
        for process in stopped.values():
            process.resume()
    wait_for(lambda: gate.http.get(f"{url}/readyz").text == "ok")


def test_the_processes_end_with_their_supervisor(gate: RunningDwgate) -> None:
    start(gate)
    processes = psutil.Process(gate.workers[-1].pid).children(recursive=True)
    os.kill(gate.workers[-1].pid, signal.SIGKILL)
    assert psutil.wait_procs(processes, timeout=40)[1] == []
