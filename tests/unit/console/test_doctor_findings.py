from typing import Any

import pytest

from console import doctor_findings
from console.doctor_findings import Health
from workers.settings import WorkerSettings

BASE: dict[str, Any] = {
    "broker_url": "amqp://u:p@host/",
    "redis_url": "redis://host",
    "extension_code": "x",
    "region": "cn-shanghai",
}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, []),
        ({"broker_url": "redis://host"}, ["DWGATE_BROKER_URL"]),
        ({"broker_topology": "existing"}, ["DWGATE_BROKER_TOPOLOGY"]),
        ({"openapi_protocol": "http"}, ["DWGATE_OPENAPI_PROTOCOL"]),
        ({"openapi_protocol": "http", "openapi_endpoint": "127.0.0.1:99"}, []),
    ],
)
def test_workers(changed: dict[str, Any], names: list[str]) -> None:
    sights = list(doctor_findings.check_workers(WorkerSettings(**{**BASE, **changed})))
    assert [sight.what for sight in sights] == names
    assert all(sight.health is Health.TRADE_OFF for sight in sights)


@pytest.mark.parametrize(
    ("skew", "health"), [(0.0, Health.GOOD), (-1.0, Health.GOOD), (1.1, Health.WRONG), (-9, Health.WRONG)]
)
def test_clock(skew: float, health: Health) -> None:
    assert doctor_findings.check_clock(skew).health is health


def test_engines() -> None:
    assert doctor_findings.check_eviction("noeviction").health is Health.GOOD
    assert doctor_findings.check_eviction("allkeys-lru").health is Health.WRONG
    assert doctor_findings.check_eviction(None).health is Health.WRONG
    assert doctor_findings.check_persistence(keeps=True).health is Health.GOOD
    assert doctor_findings.check_persistence(keeps=False).health is Health.WRONG


def test_running_workers() -> None:
    whole = ["checks-1@h", "slow-6@h", "io-2@h", "reporter-3@h", "watchdog-4@h", "watchdog-5@h"]
    assert doctor_findings.check_running_workers(whole).health is Health.GOOD
    partial = doctor_findings.check_running_workers(whole[:2])
    assert partial.health is Health.WRONG
    assert "reporter, watch" in partial.detail


def test_dead_events() -> None:
    assert doctor_findings.check_dead_events(0).health is Health.GOOD
    assert doctor_findings.check_dead_events(3).health is Health.WRONG
