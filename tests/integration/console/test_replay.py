"""`dwgate replay` with a real ledger and an emulated DataWorks, of which it changes neither."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_credentials.utils import auth_util

from common.events import Event
from common.ledger import Ledger, connect
from common.snapshot import FileSnapshot, Snapshot
from common.verdicts import Finding, Outcome, Reason, Result, Severity, Verdict
from console import errors
from console.commands import replay
from console.exit_codes import UsageError
from tests.support.emulator_process import EXTENSION_CODE, Emulator, running
from workers.checks import registry
from workers.pipeline import planner
from workers.policy import policy

PROJECT = 93124
CHECKS = registry.load_checks()
BUILT_IN = policy.load_policy(None, CHECKS)
DELETE = Finding("MC-S02", Severity.BLOCK, "DELETE without WHERE", fingerprint="f1")
LOOKUP_KEYS = (b":lookup:", b":quota:", b":flight:")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def ledger(
    clean_redis_url: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Ledger]:
    settings = {
        "BROKER_URL": clean_redis_url,
        "REDIS_URL": clean_redis_url,
        "EXTENSION_CODE": EXTENSION_CODE,
        "REGION": "cn-shanghai",
        "OPENAPI_ENDPOINT": emulator.host_port,
        "OPENAPI_PROTOCOL": "http",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"DWGATE_{name}", value)
    monkeypatch.chdir(tmp_path)
    # The SDK reads the environment when it is imported, which may have been in another test.
    monkeypatch.setattr(auth_util, "environment_access_key_id", emulator.key_id)
    monkeypatch.setattr(auth_util, "environment_access_key_secret", emulator.key_secret)
    client = connect(clean_redis_url)
    yield Ledger(client, EXTENSION_CODE)
    client.close()


def answered(
    ledger: Ledger,
    message_id: str,
    code: str,
    data: dict[str, Any],
    result: Result,
    outcomes: dict[str, Outcome],
    content: str | None = None,
) -> None:
    """Store an event with `result` under the built-in policy."""
    now = time.time()
    event = Event(message_id, code, PROJECT, "1923", True, data, now)
    ledger.admit(event, now + 60, now + 50)
    file = Snapshot(file=FileSnapshot(1, "f", 10, content)) if content else None
    plan = planner.build_plan(event, BUILT_IN, CHECKS)
    passed = {item.name: Outcome.of([]) for item in plan.checks}
    ledger.save_plan(message_id, 1, plan, asdict(file) if file else None, passed | outcomes)
    assert ledger.acquire_report_lease(message_id, "me", 10).record
    verdict = Verdict(result, "the tip", Reason.COMPLETE, now)
    assert ledger.freeze_verdict(message_id, "me", verdict)
    ledger.mark_reported(message_id, "me", "posted", verdict)


@pytest.fixture
def history(ledger: Ledger) -> Ledger:
    found = {"code-review": Outcome.of([DELETE])}
    answered(ledger, "kept", "commit-file", {}, Result.FAIL, found, "DELETE FROM shop.t;")
    answered(ledger, "gone", "commit-file", {}, Result.FAIL, found)
    answered(ledger, "frozen", "freeze-node", {"nodeIds": [1]}, Result.OK, {})
    now = time.time()
    ledger.admit(Event("new", "commit-file", PROJECT, "1", True, {}, now), now + 60, now + 50)
    return ledger


def everything(ledger: Ledger) -> dict[bytes, bytes | None]:
    """Return every key of the ledger with its value; keys of lookups are not the ledger's."""
    keys = [key for key in ledger.client.scan_iter() if not any(part in key for part in LOOKUP_KEYS)]
    return {key: ledger.client.dump(key) for key in keys}


def policy_file(folder: Path, points: dict[str, Any]) -> Path:
    file = folder / "new.yaml"
    file.write_text(json.dumps({"version": 1, "points": points}))
    return file


SOFTER = {
    "commit-file": {"checks": {"code-review": {"mode": "warn"}}},
    "freeze-node": {"checks": {"release-window": {"options": {"closed": [{"from": "00:00"}]}}}},
}


def changes(printed: str) -> dict[str, tuple[str, str, str]]:
    return {
        item["message_id"]: (item["previous"], item["new"], item["change"])
        for item in json.loads(printed)["events"]
    }


@pytest.mark.parametrize("lookups", [False, True])
def test_it_shows_what_would_change_and_changes_nothing(
    history: Ledger, emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, lookups: bool
) -> None:
    before, posts = everything(history), emulator.verdicts()
    calls = emulator.state()["calls"] if lookups else None
    filter_ = replay.ReplayFilter(time.time() - 60, policy_file(tmp_path, SOFTER), lookups=lookups)
    assert replay.run(filter_, json=True) == 0
    assert changes(capsys.readouterr().out) == {
        "kept": ("FAIL", "WARN", "newly passed"),
        "gone": ("FAIL", "WARN", "newly passed"),
        "frozen": ("OK", "FAIL", "newly blocked"),
    }
    assert everything(history) == before
    assert emulator.verdicts() == posts
    if calls is not None:
        made = {name for name, count in emulator.state()["calls"].items() if count != calls.get(name)}
        assert not {name for name in made if not name.startswith(("Get", "List"))}
    else:
        assert set(history.client.scan_iter()) == set(before)


def test_stored_code_is_run_with_lookups_and_the_rest_is_reweighed(
    history: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert history
    new = policy_file(tmp_path, SOFTER)
    replay.run(replay.ReplayFilter(time.time() - 60, new, lookups=True), json=True)
    printed = {item["message_id"]: item for item in json.loads(capsys.readouterr().out)["events"]}
    assert printed["kept"]["reweighed"] == {}
    assert printed["kept"]["unknown"] == {}
    assert printed["gone"]["reweighed"] == {"code-review": "code or table no longer stored"}
    replay.run(replay.ReplayFilter(time.time() - 60, new), json=True)
    printed = {item["message_id"]: item for item in json.loads(capsys.readouterr().out)["events"]}
    assert printed["kept"]["reweighed"] == {"code-review": "needs lookups"}


def test_filters(history: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert history
    new = policy_file(tmp_path, SOFTER)
    long_ago = time.time() - 60
    for filter_, ids in (
        (replay.ReplayFilter(long_ago, new, check="release-window"), {"kept", "gone", "frozen"}),
        (replay.ReplayFilter(long_ago, new, check="code-review"), {"kept", "gone"}),
        (replay.ReplayFilter(long_ago, new, project=PROJECT + 1), set()),
        (replay.ReplayFilter(time.time() + 60, new), set()),
    ):
        assert replay.run(filter_, json=True) == 0
        assert set(changes(capsys.readouterr().out)) == ids


def test_text_output(history: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert history
    replay.run(replay.ReplayFilter(time.time() - 60, policy_file(tmp_path, SOFTER)), json=False)
    printed = capsys.readouterr().out
    assert "3 events under " in printed
    assert "1 run, 2 reweighed, 0 partly evaluated" in printed
    assert "1 newly blocked" in printed
    assert "2 newly passed" in printed
    assert "FAIL → WARN" in printed
    assert "\n    code-review: MC-S02: DELETE without WHERE" in printed
    assert "by author" in printed
    assert "code-review: 1 reweighed from recorded findings: code or table no longer stored" in printed


def test_an_unknown_check_is_rejected(history: Ledger, tmp_path: Path) -> None:
    assert history
    with pytest.raises(UsageError, match="unknown check"):
        replay.run(replay.ReplayFilter(0, policy_file(tmp_path, {}), check="code-revue"), json=False)


def test_lookups_are_not_started_if_dataworks_rejects_the_call(
    history: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert history
    monkeypatch.setattr(auth_util, "environment_access_key_id", "nobody")
    filter_ = replay.ReplayFilter(time.time() - 60, policy_file(tmp_path, SOFTER), lookups=True)
    with pytest.raises(
        errors.CommandFailed, match="--lookups: DataWorks cannot be queried: ListCheckProcesses"
    ):
        replay.run(filter_, json=True)
