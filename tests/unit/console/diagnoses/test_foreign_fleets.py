"""Which consumers and processes are not of this fleet."""

from __future__ import annotations

from common.topology import QueueName
from console.diagnoses.doctor_findings import Health
from console.diagnoses.foreign_fleets import check_consumers, check_names

WORKERS = ["checks-1@a", "slow-1@a", "io-1@a", "reporter-1@a", "watchdog-1@a", "recovery-1@a", "io-2@b"]
CONSUMERS = {
    QueueName.INTAKE: 2,
    QueueName.CHECKS_IO: 1,
    QueueName.CHECKS_CPU: 1,
    QueueName.CHECKS_SLOW: 1,
    QueueName.REPORTS: 1,
    QueueName.DUE: 1,
    QueueName.DEAD: 1,
    QueueName.ARRIVALS: 0,
    QueueName.BACKSTOP: 0,
}


def test_the_consumers_of_this_fleet_are_none_of_another_one() -> None:
    assert check_consumers(CONSUMERS, WORKERS).health is Health.GOOD
    assert check_consumers({}, []).health is Health.GOOD


def test_a_consumer_too_many_is_one_of_another_fleet() -> None:
    for queue in CONSUMERS:
        found = check_consumers({**CONSUMERS, queue: 3}, WORKERS)
        assert found.health is Health.WRONG
        assert queue in found.detail
        assert "DWGATE_NAMESPACE" in found.detail


def test_a_process_without_a_heartbeat_here_is_one_of_another_fleet() -> None:
    assert check_names(["io-1@a"], WORKERS).health is Health.GOOD
    found = check_names(["io-1@a", "io-9@z"], WORKERS)
    assert found.health is Health.WRONG
    assert "io-9@z" in found.detail
