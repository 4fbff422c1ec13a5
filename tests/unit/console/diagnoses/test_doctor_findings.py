from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.ledger.memory import MemoryUse
from console.diagnoses import doctor_findings
from console.diagnoses.doctor_findings import Health
from ingest.settings import IngestSettings, QueueIngestSettings
from tests.support.eventbridge_signing import ACCOUNT, NOW, TARGET, TOKEN, certificate_pem
from workers.settings import WorkerSettings

BASE: dict[str, Any] = {
    "broker_url": "amqps://u:p@host/",
    "redis_url": "rediss://host",
    "extension_code": "x",
    "region": "cn-shanghai",
}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, []),
        ({"broker_url": "rediss://host"}, ["DWGATE_BROKER_URL"]),
        ({"broker_url": "amqp://u:p@host/"}, ["DWGATE_BROKER_URL"]),
        ({"broker_url": "amqp://u:p@127.0.0.1/", "redis_url": "redis://localhost"}, []),
        ({"redis_url": "redis+sentinel://h,h2/0"}, ["DWGATE_REDIS_URL"]),
        ({"redis_url": "redis+sentinel://localhost,h2/0"}, ["DWGATE_REDIS_URL"]),
        ({"redis_url": "redis+sentinel://localhost,127.0.0.1/0"}, []),
        ({"broker_url": "amqp://u:p@localhost/;amqp://u:p@host/"}, ["DWGATE_BROKER_URL"]),
        ({"broker_url": "rediss+sentinel://h,h2/0"}, ["DWGATE_BROKER_URL"]),
        ({"broker_topology": "imported"}, []),
        ({"broker_topology": "existing"}, ["DWGATE_BROKER_TOPOLOGY"]),
        ({"openapi_protocol": "http"}, ["DWGATE_OPENAPI_PROTOCOL"]),
        ({"openapi_protocol": "http", "openapi_endpoint": "127.0.0.1:99"}, []),
    ],
)
def test_workers(changed: dict[str, Any], names: list[str]) -> None:
    sights = list(doctor_findings.check_workers(WorkerSettings(**{**BASE, **changed})))
    assert [sight.what for sight in sights] == names
    assert all(sight.health is Health.TRADE_OFF for sight in sights)


def ingest_settings(**changes: Any) -> IngestSettings:
    values = {
        **BASE,
        "eventbridge_target_urls": TARGET,
        "eventbridge_tokens": TOKEN,
        "eventbridge_accounts": ACCOUNT,
        **changes,
    }
    return IngestSettings(**values)


def test_ingest() -> None:
    assert list(doctor_findings.check_ingest(ingest_settings(), NOW)) == []
    sent_in_clear = ingest_settings(eventbridge_target_urls="http://gate.example.com/events")
    [sight] = doctor_findings.check_ingest(sent_in_clear, NOW)
    assert (sight.what, sight.health) == ("DWGATE_EVENTBRIDGE_TARGET_URLS", Health.TRADE_OFF)


@pytest.mark.parametrize(
    ("url", "names"),
    [("amqps://u:p@h/", []), ("amqp://u:p@127.0.0.1/", []), ("amqp://u:p@h/", ["DWGATE_SOURCE_URL"])],
)
def test_ingest_from_a_queue(url: str, names: list[str]) -> None:
    values = {**BASE, "eventbridge_accounts": ACCOUNT, "source_url": url, "source_queue": "q"}
    sights = list(doctor_findings.check_queue_ingest(QueueIngestSettings(**values)))
    assert [sight.what for sight in sights] == names


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        (-1, 100, []),
        (-1, 20, [(Health.TRADE_OFF, "within 30 days")]),
        (-10, 5, [(Health.WRONG, "expired on")]),
        (1, 100, [(Health.WRONG, "not valid before")]),
    ],
)
def test_pinned_certificate(
    tmp_path: Path, start: int, days: int, expected: list[tuple[Health, str]]
) -> None:
    file = tmp_path / "eventbridge.pem"
    file.write_bytes(certificate_pem(datetime.fromtimestamp(NOW, UTC) + timedelta(days=start), days))
    settings = ingest_settings(eventbridge_certificate_file=file)
    pinned, *others = doctor_findings.check_ingest(settings, NOW)
    assert (pinned.what, pinned.health) == ("DWGATE_EVENTBRIDGE_CERTIFICATE_FILE", Health.TRADE_OFF)
    assert [sight.health for sight in others] == [health for health, _ in expected]
    assert all(text in sight.detail for sight, (_, text) in zip(others, expected, strict=True))


def test_pinned_certificate_that_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "eventbridge.pem"
    file.write_bytes(certificate_pem())
    settings = ingest_settings(eventbridge_certificate_file=file)
    file.unlink()
    *_, sight = doctor_findings.check_ingest(settings, NOW)
    assert sight.health is Health.WRONG


@pytest.mark.parametrize(
    ("skew", "health"), [(0.0, Health.GOOD), (-5.0, Health.GOOD), (5.1, Health.WRONG), (-9, Health.WRONG)]
)
def test_clock(skew: float, health: Health) -> None:
    assert doctor_findings.check_clock(skew).health is health


def test_clocks_of_workers() -> None:
    skews = {"io-1@right": 0.2, "io-2@wrong": -600.0, "reporter-3@wrong": -600.1}
    [found] = doctor_findings.check_worker_clocks(skews)
    assert found.health is Health.WRONG
    assert "wrong" in found.what
    assert "-600" in found.detail


@pytest.mark.parametrize(
    ("used", "maximum", "days", "health", "text"),
    [
        (10, 0, None, Health.TRADE_OFF, "maxmemory is not set"),
        (10, 100, None, Health.GOOD, "10%"),
        (10, 100, 30.4, Health.GOOD, "30 days"),
        (10, 100, 2.5, Health.TRADE_OFF, "2.5 days of events fit, DWGATE_EVENT_DAYS is 7"),
        (81, 100, 30, Health.WRONG, "above 80%"),
    ],
)
def test_memory(used: int, maximum: int, days: float | None, health: Health, text: str) -> None:
    found = doctor_findings.check_memory(MemoryUse(used, maximum), days, 7)
    assert found.health is health
    assert text in found.detail


def test_engines() -> None:
    assert doctor_findings.check_eviction("noeviction").health is Health.GOOD
    assert doctor_findings.check_eviction("allkeys-lru").health is Health.WRONG
    assert doctor_findings.check_eviction(None).health is Health.WRONG
    assert doctor_findings.check_persistence(keeps=True).health is Health.GOOD
    assert doctor_findings.check_persistence(keeps=False).health is Health.WRONG


def test_running_workers() -> None:
    whole = ["checks-1@h", "slow-6@h", "io-2@h", "reporter-3@h", "watchdog-4@h", "recovery-5@h"]
    assert doctor_findings.check_running_workers(whole).health is Health.GOOD
    partial = doctor_findings.check_running_workers(whole[:2])
    assert partial.health is Health.WRONG
    assert "recovery, reporter, watch" in partial.detail


def test_events_that_wait_for_intake() -> None:
    assert doctor_findings.check_unplanned_events(0).health is Health.GOOD
    waiting = doctor_findings.check_unplanned_events(42.4)
    assert waiting.health is Health.WRONG
    assert waiting.detail == "an event has waited for 42 s: start dwgate worker --role intake"


def test_dead_events() -> None:
    assert doctor_findings.check_dead_events(0).health is Health.GOOD
    assert doctor_findings.check_dead_events(3).health is Health.WRONG


def test_linters_that_cannot_be_restricted_are_a_trade_off() -> None:
    assert doctor_findings.check_linters([]).health is Health.GOOD
    found = doctor_findings.check_linters(["no network", "no other files"])
    assert found.health is Health.TRADE_OFF
    assert "no network, no other files" in found.detail


def test_a_file_of_settings_that_is_not_read_is_noted() -> None:
    found = doctor_findings.note_unread_settings(Path("/srv/.env"))
    assert found.health is Health.TRADE_OFF
    assert "dwgate --env-file /srv/.env" in found.detail
