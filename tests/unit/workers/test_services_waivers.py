"""Waivers in a worker: read from the file that a setting names, and put to what a check says."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from celery import Celery

from common.config_files.errors import ConfigError
from common.events import Event
from common.plan import Mode, PlannedCheck
from common.settings import SettingsError, load_settings
from common.text.i18n import Language
from common.verdicts import AppliedWaiver, Outcome, Result
from workers import metrics
from workers.check_execution import note_outcome
from workers.checks import registry
from workers.policy import policy
from workers.services import Services
from workers.settings import WorkerSettings

BASE = {
    "DWGATE_BROKER_URL": "redis://127.0.0.1:1/0",
    "DWGATE_REDIS_URL": "redis://127.0.0.1:1/0",
    "DWGATE_EXTENSION_CODE": "ext",
    "DWGATE_REGION": "cn-shanghai",
}
EVENT = Event("e-1", "commit-file", 93124, "1923", True, {"fileId": 501}, time.time())
CLOSED = PlannedCheck("release-window", Mode.ENFORCE, Result.WARN, Result.WARN, {"closed": [{}]})


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "waivers.yaml"
    for name, value in {**BASE, "DWGATE_WAIVERS_FILE": str(path)}.items():
        monkeypatch.setenv(name, value)
    return path


def services() -> Services:
    return Services(load_settings(WorkerSettings), Celery(set_as_current=False))


def write(path: Path, ends: float) -> None:
    moment = datetime.fromtimestamp(ends, UTC).isoformat()
    item = f"{{id: W-1, check: release-*, reason: hotfix, owner: a, approver: b, expires_at: {moment}}}"
    path.write_text(f"version: 1\nwaivers: [{item}]\n")


def ask(parts: Services) -> Outcome:
    runner = parts.check_runner(EVENT, None, Language.ENGLISH, 0)
    outcome = runner.run(parts.checks["release-window"], CLOSED)
    note_outcome(CLOSED, outcome, parts.checks["release-window"])
    return outcome


@pytest.mark.parametrize(("ahead", "result"), [(3600, Result.OK), (-1, Result.FAIL)])
def test_what_a_check_says_is_waived_until_the_end(file: Path, ahead: float, result: Result) -> None:
    end = time.time() + ahead
    write(file, end)
    before = metrics.WAIVED.labels("release-window")._value.get()
    outcome = ask(services())
    assert CLOSED.effective_result(outcome) is result
    (finding,) = outcome.findings
    expected = AppliedWaiver("W-1", "hotfix", round(end, 6))
    assert finding.waived == (expected if ahead > 0 else None)
    assert finding.fingerprint
    assert metrics.WAIVED.labels("release-window")._value.get() - before == (ahead > 0)


def test_without_a_file_nothing_is_waived(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.delenv("DWGATE_WAIVERS_FILE")
    assert not file.exists()
    assert CLOSED.effective_result(ask(services())) is Result.FAIL


def test_a_file_broken_from_the_start_waives_nothing_and_says_so(file: Path) -> None:
    file.write_text("version: 1\nwaivers: 3\n")
    parts = services()
    with structlog.testing.capture_logs() as logs:
        assert not parts.waivers.items
    (refused,) = (log for log in logs if log["event"] == "config_file_invalid")
    assert refused["log_level"] == "error"
    assert "waivers.yaml:2:10: waivers: expected a list" in refused["reason"]
    write(file, time.time() + 60)
    assert [item.id for item in parts.waivers.items] == ["W-1"]


def test_the_policy_says_what_is_allowed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = file.with_name("policy.yaml")
    rules.write_text("version: 1\nwaivers: {max_days: 10, announce_days: 2}\n")
    monkeypatch.setenv("DWGATE_POLICY_FILE", str(rules))
    write(file, time.time() + 11 * 86400)
    assert services().waivers.items == ()
    write(file, time.time() + 9 * 86400)
    assert [item.id for item in services().waivers.items] == ["W-1"]
    assert services().waivers.rules.announce_days == 2


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (
            "longest: 3",
            (
                "2:11: waivers.longest: unknown key; expected one of max_days, announce_days, approvers,"
                " separate_approver"
            ),
        ),
        ("max_days: 0", "2:21: waivers.max_days: expected a number of at least 1"),
    ],
)
def test_a_mistake_in_the_policy_has_its_line(key: str, line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        policy.parse_policy("p.yaml", f"version: 1\nwaivers: {{{key}}}\n".encode(), registry.load_checks())
    assert str(refused.value) == f"p.yaml:{line}"


@pytest.mark.parametrize(
    "value",
    [
        "https://x.example/",
        "ftp://x/{message_id}",
        "https://x/{message_id}/{other}",
        f"https://{'x' * 200}/{{message_id}}",
    ],
)
def test_a_details_url_names_the_event(file: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DWGATE_DETAILS_URL", value)
    with pytest.raises(SettingsError, match=r"^DWGATE_DETAILS_URL: not an http or https URL"):
        load_settings(WorkerSettings)
    assert file
    monkeypatch.setenv("DWGATE_DETAILS_URL", "https://gate.example.com:8443/e/{message_id}?tab=1")
    assert load_settings(WorkerSettings).details_url
