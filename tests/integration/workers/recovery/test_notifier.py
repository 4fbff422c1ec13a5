"""Notifications from what happened to what a target receives, on a real Valkey and real receivers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from pydantic import SecretStr

from common.ledger import EventRecord, State
from common.verdicts import Finding, Outcome, Severity
from tests.support import records
from tests.support.emulator_process import EXTENSION_CODE
from tests.support.running_dwgate import wait_for
from tests.support.webhook import Webhook, webhook
from workers import metrics
from workers.celery_app import create_app
from workers.notifications import outbox, sending
from workers.notifications.notification import blocked_operation, dead_event
from workers.recovery import notifier
from workers.recovery.notifier import Notifier
from workers.services import Services
from workers.settings import WorkerSettings

POLICY = """\
version: 1
notifications:
  people: {"1923456789012735": alice, carol: alice}
  routes:
    - {kinds: [dead-event, policy-rejected, rerun-differs], to: [ops]}
    - {kinds: [blocked-operation], workspaces: [93124], to: [operator], language: zh}
    - {kinds: [waiver-expiring], to: [owner]}
    - {kinds: [weekly-report], workspaces: [93124], to: [team]}
"""
WAIVERS = """\
version: 1
waivers:
  - {id: W-1, rule: MC-P01, reason: for now, owner: carol, approver: dave, expires_at: EXPIRES}
"""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as found:
        yield found


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def services(clean_redis_url: str, policy: Path, hook: Webhook) -> Iterator[Services]:
    """Services whose targets `ops`, `alice` and `team` are paths of the receiver."""
    names = ("ops", "alice", "team")
    targets = "\n".join(f"{name}={hook.target}{name}" for name in names)
    settings = WorkerSettings.model_validate(
        {
            "broker_url": clean_redis_url,
            "redis_url": clean_redis_url,
            "extension_code": EXTENSION_CODE,
            "region": "cn-shanghai",
            "policy_file": policy,
            "notification_targets": SecretStr(targets),
            "details_url": "https://gate.example.com/events/{message_id}",
        }
    )
    services = Services(settings, create_app(settings))
    yield services
    services.ledger.client.close()
    services.app.close()


@pytest.fixture
def step(services: Services) -> Iterator[Callable[[], None]]:
    """A step of the notifier, until the end of what it started; weekly reports are already sent."""
    with ThreadPoolExecutor(notifier.THREADS) as pool:
        found = Notifier(services, pool)
        services.ledger.membership.try_lead("notifications", 3600)

        def run() -> None:
            found.step()
            wait_for(lambda: all(future.done() for future in found._running))

        yield run


def dead(message_id: str = "e-1") -> EventRecord:
    event = replace(records.EVENT, message_id=message_id)
    return records.record(State.DEAD, "code-review", event=event)


def end_count(kind: str, end: str) -> float:
    value: float = metrics.NOTIFICATIONS.labels(kind, end)._value.get()
    return value


def waiting(services: Services) -> int:
    return int(services.ledger.client.zcard(services.ledger.key("notifications:waiting")))


def make_due(services: Services) -> None:
    """Make every entry of the outbox due now."""
    key = services.ledger.key("notifications:waiting")
    for entry in services.ledger.client.zrange(key, 0, -1):
        services.ledger.client.zadd(key, {cast("bytes", entry): 0})


def test_a_dead_event_is_notified_once_with_its_link(
    services: Services, hook: Webhook, step: Callable[[], None]
) -> None:
    for _ in range(3):
        services.notifications.add(dead_event(dead(), "UpdateIDEEventResult Forbidden.Access"))
        step()
    [(path, _)] = hook.received
    assert path == "/ops"
    [text] = hook.messages
    assert "reason: UpdateIDEEventResult Forbidden.Access" in text
    assert "https://gate.example.com/events/e-1" in text
    assert waiting(services) == 0


def test_a_blocked_operation_goes_to_its_operator_in_the_language_of_the_route(
    services: Services, hook: Webhook, step: Callable[[], None]
) -> None:
    blocked = records.record(
        State.REPORTED,
        "code-review",
        outcomes={"code-review": Outcome.of([Finding("MC-P01", Severity.BLOCK, "SELECT secret")])},
    )
    services.notifications.add(blocked_operation(blocked))
    elsewhere = replace(blocked, event=replace(blocked.event, message_id="e-2", project_id=7))
    services.notifications.add(blocked_operation(elsewhere))
    step()
    assert [path for path, _ in hook.received] == ["/alice"]
    assert "阻断的检查项：code-review (MC-P01)" in hook.messages[0]
    assert "secret" not in hook.messages[0]
    assert str(records.EVENT.operator) not in hook.messages[0]


def test_a_target_that_fails_is_tried_again_until_the_end(
    services: Services, hook: Webhook, step: Callable[[], None]
) -> None:
    hook.status, before = 500, end_count("dead-event", "failed")
    services.notifications.add(dead_event(dead(), "x"))
    for attempt in range(1, notifier.MAX_ATTEMPTS + 1):
        step()
        assert len(hook.received) == attempt
        step()  # it is not due before its pause has passed
        assert len(hook.received) == attempt
        make_due(services)
    assert waiting(services) == 0
    assert end_count("dead-event", "failed") == before + 1


def test_a_target_that_works_again_gets_it(
    services: Services, hook: Webhook, step: Callable[[], None]
) -> None:
    hook.status = 500
    services.notifications.add(dead_event(dead(), "x"))
    step()
    hook.status = 200
    make_due(services)
    step()
    assert len(hook.received) == 2
    assert waiting(services) == 0


def test_a_target_with_too_many_learns_how_many_were_left_out(
    services: Services, hook: Webhook, step: Callable[[], None]
) -> None:
    before = end_count("dead-event", "dropped")
    for number in range(outbox.MAX_IN_WINDOW + 5):
        services.notifications.add(dead_event(dead(f"e-{number}"), "x"))
    wait_for(lambda: step() or waiting(services) == 0)  # type: ignore[func-returns-value]
    assert len(hook.received) == outbox.MAX_IN_WINDOW
    assert end_count("dead-event", "dropped") == before + 5
    services.ledger.client.delete(services.ledger.key("notifications:rate:ops"))  # the window has passed
    services.notifications.add(dead_event(dead("e-last"), "x"))
    step()
    assert "5 further notifications to this target were left out" in hook.messages[-1]


def test_a_target_that_hangs_delays_no_other(
    services: Services, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SEND_SECONDS", 2.0)
    services.ledger.membership.try_lead("notifications", 3600)
    hook.answers.clear()
    with ThreadPoolExecutor(notifier.THREADS) as pool:
        found = Notifier(services, pool)
        services.notifications.add(dead_event(dead(), "x"))
        found.step()
        wait_for(lambda: len(hook.received) == 1)
        services.notifications.add(blocked_operation(records.record(State.REPORTED, "code-review")))
        found.step()
        wait_for(lambda: len(hook.received) == 2, 1.5)
        hook.answers.set()


def test_the_outbox_is_bounded(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 2)
    before = end_count("dead-event", "dropped")
    for number in range(4):
        services.notifications.add(dead_event(dead(f"e-{number}"), "x"))
    assert waiting(services) == 2
    assert end_count("dead-event", "dropped") == before + 2


def test_an_entry_that_cannot_be_read_is_removed(
    services: Services, hook: Webhook, step: Callable[[], None]
) -> None:
    services.ledger.client.zadd(services.ledger.key("notifications:waiting"), {b"garbage": 0})
    services.notifications.add(dead_event(dead(), "x"))
    step()
    assert len(hook.received) == 1
    assert waiting(services) == 0


def test_a_target_without_a_url_is_reported_and_dropped(
    services: Services, step: Callable[[], None], policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy.write_text(POLICY.replace("to: [ops]", "to: [gone]"))
    before = end_count("dead-event", "dropped")
    services.notifications.add(dead_event(dead(), "x"))
    step()
    assert end_count("dead-event", "dropped") == before + 1
    assert "notification_targets_missing" in capsys.readouterr().out
    assert waiting(services) == 0


def test_a_policy_that_is_rejected_is_notified_once(
    services: Services, hook: Webhook, step: Callable[[], None], policy: Path
) -> None:
    assert services.policy_fault is None
    policy.write_text(POLICY + "points: {commit-file: {checks: {no-such-check: {}}}}\n")
    wait_for(lambda: step() or hook.received, 20)  # type: ignore[func-returns-value]
    step()
    [text] = hook.messages
    assert "The changed policy is invalid" in text
    assert "unknown check" in text


def test_waivers_and_the_week_are_noticed_by_one_process(
    services: Services, hook: Webhook, tmp_path: Path
) -> None:
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
    (tmp_path / "waivers.yaml").write_text(WAIVERS.replace("EXPIRES", expires))
    update = {"waivers_file": tmp_path / "waivers.yaml"}
    services.settings = services.settings.model_copy(update=update)
    services.ledger.admit(replace(records.EVENT, received_at=time.time()), time.time() + 60, time.time() + 48)
    with ThreadPoolExecutor(notifier.THREADS) as pool:
        pair = [Notifier(services, pool) for _ in range(2)]

        def both() -> bool:
            for each in pair:
                each.step()
            return len(hook.received) == 2

        wait_for(both)
        both()
    by_path = {path: text for (path, _), text in zip(hook.received, hook.messages, strict=True)}
    assert "waiver: W-1" in by_path["/alice"]
    assert "workspace: 93124\nevents: 1\n" in by_path["/team"]


def test_a_fault_of_redis_fails_nothing(services: Services) -> None:
    services.notifications.add(dead_event(dead(), "x"))
    services.ledger.client.close()
    services.outbox._waiting = services.ledger.key("deadlines")
    services.ledger.client.set(services.ledger.key("deadlines"), b"no sorted set")
    before = end_count("dead-event", "dropped")
    services.notifications.add(dead_event(dead("e-2"), "x"))
    assert end_count("dead-event", "dropped") == before + 1
