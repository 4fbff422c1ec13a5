"""Policy reloads and extension settings in a worker, against the emulator."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from common.events import Event
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.engines import Valkey
from tests.support.running_dwgate import SAMPLES
from workers import intake
from workers.celery_app import create_app
from workers.extension_options import source
from workers.process.file_audit import FileAudit
from workers.services import Services
from workers.settings import WorkerSettings

BAD = SAMPLES["backfill-data-bad"]
POLICY = """\
version: 1
points: {backfill-data: {checks: {backfill-limits: {mode: %s}}}}
console: [backfill-limits.mode]
"""
WAIVERS = """\
version: 1
waivers: [{id: %s, rule: r, reason: r, owner: o, approver: a, expires_at: 2026-01-01T00:00:00Z}]
"""
INVALID_POLICY = (
    "version: 1\npoints: {backfill-data: {checks: {backfill-limits: {options: {max_days: 0}}}}}\n"
)


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    write(path, POLICY % "enforce")
    return path


@pytest.fixture
def services(worker_settings: WorkerSettings, policy_file: Path) -> Iterator[Services]:
    settings = worker_settings.model_copy(update={"policy_file": policy_file})
    app = create_app(settings)
    parts = Services(settings, app, is_io_pool=True)
    parts.dataworks.warm_up()  # loading the SDK may take longer than `source.WAIT_SECONDS`
    yield parts
    app.close()
    parts.ledger.client.close()


def write(path: Path, text: str) -> None:
    """Replace a file by rename, like an editor, with a modification time one minute ago."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.utime(new, (time.time() - 60,) * 2)
    new.replace(path)


def verdict(services: Services, emulator: Emulator, message_id: str) -> tuple[str, str]:
    """Process the bad backfill sample; return result and tip of its verdict."""
    emulator.start_process(message_id, BAD.event_code, snapshot=BAD.snapshot)
    event = Event(message_id, BAD.event_code, PROJECT_ID, None, True, BAD.data, time.time())
    assert intake.process_events(services, [event]) == ([], None)
    [post] = emulator.verdicts(message_id)
    return post["result"], post["tip"]


def set_in_console(emulator: Emulator, options: str | None = None, parameters: str = "") -> None:
    """Set the saved options of the workspace and the parameters of the extension."""
    extension: dict[str, Any] = {"ParameterSetting": parameters, "options": {str(PROJECT_ID): options}}
    emulator.add_to_world(extension=extension)


def look_now(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the policy file due for its next check, as if time had passed."""
    monkeypatch.setattr(services._policy, "_next_check_at", 0.0)


def test_a_changed_policy_holds_for_the_next_event_and_a_broken_one_does_not(
    services: Services, emulator: Emulator, policy_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdict(services, emulator, "m-1")[0] == "FAIL"
    write(policy_file, POLICY % "audit")
    look_now(services, monkeypatch)
    assert verdict(services, emulator, "m-2")[0] == "OK"

    write(policy_file, INVALID_POLICY)
    look_now(services, monkeypatch)
    with capture_logs() as logs:
        assert verdict(services, emulator, "m-3")[0] == "OK"
    [refused] = [line for line in logs if line["event"] == "config_file_invalid"]
    assert refused["log_level"] == "error"
    assert "max_days: expected a number of at least 1" in refused["reason"]


def test_checks_end_when_the_policy_of_the_admission_says(
    services: Services, policy_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "version: 1\npoints: {freeze-node: {deadline: %s, checks: {downstream-impact: {}}}}\n"
    write(policy_file, text % 60)
    services.is_io_pool = False
    at = float(int(time.time()))
    event = Event("m-1", "freeze-node", PROJECT_ID, None, True, {"nodeIds": [1]}, at)
    [record] = intake.admit(services, [event])

    write(policy_file, text % 3600)
    look_now(services, monkeypatch)
    sent: list[float] = []
    monkeypatch.setattr(services.dispatch, "send_checks", lambda *arguments: sent.append(arguments[-1]))
    intake.advance(services, record)
    [redelivered] = intake.admit(services, [event])
    intake.advance(services, redelivered)

    assert services.policy.resolve("freeze-node", PROJECT_ID).deadline == 3600
    assert sent == [at + 48] * 2


def test_a_workspace_that_is_switched_off_is_answered_at_once(services: Services, emulator: Emulator) -> None:
    set_in_console(emulator, parameters=f"extension.project.disabled={PROJECT_ID}")
    result, tip = verdict(services, emulator, "m-1")
    assert result == "OK"
    assert f"dwgate is disabled in workspace {PROJECT_ID}" in tip
    record = services.ledger.get("m-1")
    assert record
    assert record.verdict
    assert (record.planned_checks, record.verdict.reason.value) == ((), "default")


def test_what_an_administrator_saved_counts_within_the_policy(
    services: Services, emulator: Emulator, policy_file: Path
) -> None:
    write(policy_file, POLICY % "audit")
    set_in_console(emulator, '{"backfill_limits__mode": "enforce"}')
    assert verdict(services, emulator, "m-1")[0] == "FAIL"


@pytest.mark.parametrize("options", ['{"backfill_limits__mode": "audit"}', "{", '{"enabled": "false"}', None])
def test_what_an_administrator_saved_is_never_milder(
    services: Services, emulator: Emulator, options: str | None
) -> None:
    set_in_console(emulator, options)
    with capture_logs() as logs:
        assert verdict(services, emulator, "m-1")[0] == "FAIL"
    ignored = [line["event"] for line in logs if line["event"] == "console_options_ignored"]
    assert ignored == (["console_options_ignored"] if options else [])


def test_an_event_is_answered_by_the_policy_while_the_console_is_unavailable(
    services: Services, emulator: Emulator
) -> None:
    for action in ("GetExtension", "GetOptionValueForProject"):
        emulator.fault("hang", action=action, times=10)
    started = time.monotonic()
    assert verdict(services, emulator, "m-1")[0] == "FAIL"
    assert time.monotonic() - started < source.WAIT_SECONDS + 3


def test_a_process_that_starts_with_an_invalid_policy_uses_the_last_valid_one(
    services: Services, emulator: Emulator, policy_file: Path
) -> None:
    assert verdict(services, emulator, "m-1")[0] == "FAIL"
    write(policy_file, INVALID_POLICY)
    later = Services(services.settings, services.app, is_io_pool=True)
    assert verdict(later, emulator, "m-2")[0] == "FAIL"
    later.ledger.client.close()


def test_every_other_version_of_the_files_is_recorded_once(
    services: Services, policy_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waivers = tmp_path / "waivers.yaml"
    write(waivers, WAIVERS % "W-1")
    settings = services.settings.model_copy(update={"waivers_file": waivers})
    first = Services(settings, services.app)
    process = FileAudit(first, "io-1@host")
    process.record()
    process.record()
    FileAudit(Services(settings, services.app), "io-2@host").record()

    before = hashlib.sha256(policy_file.read_bytes()).hexdigest()
    write(policy_file, POLICY % "audit")
    write(waivers, WAIVERS % "W-2")
    for file in (first._policy, first._waivers_file):
        monkeypatch.setattr(file, "_next_check_at", 0.0)
    process.record()
    after = hashlib.sha256(policy_file.read_bytes()).hexdigest()

    write(policy_file, INVALID_POLICY)
    monkeypatch.setattr(first._policy, "_next_check_at", 0.0)
    process.record()
    entries = list(first.ledger.audit_trail.entries())
    assert {entry.actor for entry in entries} == {"io-1@host"}
    assert [(entry.action, entry.reason) for entry in entries] == [
        ("policy-changed", ""),
        ("waivers-changed", "added W-1"),
        ("policy-changed", ""),
        ("waivers-changed", "added W-2; removed W-1"),
    ]
    assert [(entry.old, entry.new) for entry in entries if entry.subject == "policy"] == [
        ("", before),
        (before, after),
    ]


def test_a_change_while_redis_is_down_is_recorded_later(services: Services, valkey: Valkey) -> None:
    process, stop = FileAudit(services, "io-1@host"), threading.Event()
    assert services.policy
    valkey.kill()
    stop.set()
    with capture_logs() as logs:
        process.run(stop)
    assert [line["event"] for line in logs] == ["file_audit_failed"]
    valkey.start()
    process.run(stop)
    assert [entry.action for entry in services.ledger.audit_trail.entries()] == ["policy-changed"]
