"""Each alert that an operator must get fires in a fleet that is broken, and none in a healthy one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from common.extension_points import BY_CODE
from common.ledger import State
from tests.conftest import Broker, built_in_policy
from tests.support.engines import Valkey, free_port
from tests.support.prometheus import Prometheus, prometheus
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final

pytestmark = pytest.mark.faults

DEADLINE = 8
HEALTHY_SECONDS = 20.0
DEAD = "run-file-bad"
NOTIFICATIONS = "notifications:\n  routes: [{kinds: [dead-event], to: [unknown]}]\n"
"""A route to a target without an address."""

OTHER_ROLES = ("--role", "checks-cpu", "--role", "checks-io", "--role", "reporter", "--role", "watchdog")


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    """One worker with the role intake, and one with all others."""
    broker, valkey = engines
    folder = tmp_path_factory.mktemp("alerts")
    policy = folder / "policy.yaml"
    policy.write_text(
        built_in_policy().replace("run-file: {deadline: 20", f"run-file: {{deadline: {DEADLINE}")
        + NOTIFICATIONS
    )
    settings = {
        "DWGATE_RECONCILE_SECONDS": "3",
        "DWGATE_POLICY_FILE": str(policy),
        "DWGATE_OPENAPI_WRITE_QPS": "1",
    }
    with fleet(broker.url, valkey.url, folder, workers=0, settings=settings) as running:
        yield running
        running.ledger.client.config_set("maxmemory", 0)


@pytest.fixture(scope="module")
def alerts(gate: RunningDwgate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    ports = free_port(), free_port()
    gate.start_worker("--metrics-port", str(ports[0]), "--role", "intake")
    gate.start_worker("--metrics-port", str(ports[1]), "--processes", "1", *OTHER_ROLES)
    targets = [gate.url.removeprefix("http://"), *(f"127.0.0.1:{port}" for port in ports)]
    wait_for(lambda: "dwgate_sweep_timestamp" in gate.http.get(f"http://{targets[2]}/metrics").text)
    with prometheus(tmp_path_factory.mktemp("prometheus"), targets) as running:
        yield running


@pytest.mark.timeout(240)
def test_alerts(gate: RunningDwgate, alerts: Prometheus, engines: tuple[Broker, Valkey]) -> None:
    fired: set[str] = set()

    def fires(name: str) -> bool:
        fired.update(alerts.firing())
        return name in fired

    for name in ("commit-file-good", "commit-file-bad", "freeze-node-good"):
        assert wait_until_final(gate, gate.send(name), 60).state is State.REPORTED
        time.sleep(2)  # one write per second
    end = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < end:
        assert alerts.firing() == set()
        time.sleep(0.5)
    assert alerts.value('sum(dwgate_verdicts_total{result="FAIL"})') == 1
    assert alerts.value("sum(up)") == 3

    # A verdict that DataWorks does not accept in time, and accepts later.
    operation = BY_CODE[SAMPLES[DEAD].event_code].result_operation.value
    gate.emulator.fault("error", action=operation, times=None, status=403, code="Forbidden.RAM")
    dead = gate.send(DEAD)
    wait_for(lambda: fires("DwgateDeadEvent"), 40)
    wait_for(lambda: fires("DwgateNotificationsFail"), 20)
    gate.emulator.clear_faults()
    wait_for(lambda: wait_until_final(gate, dead).state is State.REPORTED, 40)
    wait_for(lambda: fires("DwgateLateVerdict"), 20)

    # An invalid change of the policy.
    policy = gate.directory / "policy.yaml"
    valid = policy.read_text()
    policy.write_text("version: 1\nponits: {}\n")
    gate.send("freeze-node-good")
    wait_for(lambda: fires("DwgatePolicyRejected"), 30)
    policy.write_text(valid)

    # More verdicts than the quota allows.
    for _ in range(12):
        gate.send("freeze-node-good")
    wait_for(lambda: fires("DwgateQuotaExhausted"), 40)

    # A full Redis: old data is removed.
    memory = gate.ledger.client.info("memory")
    used = int(memory["used_memory"]) - int(memory.get("mem_not_counted_for_evict") or 0)
    gate.ledger.client.config_set("maxmemory", int(used / 0.82))
    wait_for(lambda: fires("DwgateRedisNearlyFull"), 20)
    gate.ledger.client.config_set("maxmemory", 0)

    # DataWorks lists no waiting operations.
    gate.emulator.fault("error", action="ListCheckProcesses", times=None, status=403, code="Forbidden.RAM")
    wait_for(lambda: fires("DwgateSweepStopped"), 60)
    gate.emulator.clear_faults()

    # No worker with the role intake.
    gate.kill(gate.workers[0])
    wait_for(lambda: fires("DwgateRoleMissing"), 40)
    wait_for(lambda: fires("DwgateTargetDown"), 10)

    # A broker that does not respond.
    engines[0].stop_process()
    try:
        gate.send("freeze-node-good", status=503)
        wait_for(lambda: fires("DwgateIngestUnavailable"), 20)
    finally:
        engines[0].resume()
