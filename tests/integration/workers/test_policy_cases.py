"""The cases of `policy test` through the workers on a real Valkey: the same outcomes, waivers included."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery

from common.ledger import EventRecord
from common.snapshot import Snapshot
from common.verdicts import Outcome
from workers import check_execution, cpu_checks, intake
from workers.checks import registry
from workers.checks.api import Runs
from workers.dataworks.errors import RequestRejected, Transient
from workers.dataworks.models import Extension
from workers.pipeline import planner
from workers.policy import policy
from workers.policy_testing import cases
from workers.policy_testing.cases import Case
from workers.policy_testing.fake_lookups import FakeLookups
from workers.policy_testing.runner import NO_SNAPSHOT, CaseResult, run_case
from workers.services import Services
from workers.settings import WorkerSettings
from workers.waivers import loader
from workers.waivers.matching import Waivers

FOLDER = Path(__file__).parents[2] / "data" / "policy_cases"
CHECKS = registry.load_checks()
BUILT_IN = policy.load_policy(None, CHECKS)
TEN_YEARS = 10 * 366 * 86400.0
WAIVERS = """\
version: 1
waivers:
  - {id: W-1, rule: "*", scope: {projects: [93124]}, reason: known, owner: a, approver: b,
     expires_at: 2026-12-20T00:00:00+08:00}
"""
ALL_WAIVED = loader.parse_waivers("waivers.yaml", WAIVERS.encode(), BUILT_IN.waivers, 1_797_000_000)


@dataclass(frozen=True)
class CaseLookups(FakeLookups):
    """The lookups of a case, with the attribute `faults` that a worker reads."""

    faults: list[Transient] = field(default_factory=list)


@dataclass
class CaseDataWorks:
    """The part of the DataWorks client that intake and checks use, with the data of a case."""

    case: Case

    def extension(self, **_: Any) -> Extension:
        return Extension(None, "")

    def enabled_extensions(self, *_: Any, **__: Any) -> bool:
        return True

    def event_detail(self, *_: Any, **__: Any) -> Snapshot:
        if self.case.snapshot is None:
            raise RequestRejected("GetIDEEventDetail", "NotFound", "no such event")
        return self.case.snapshot

    def lookups(self, *_: Any, **__: Any) -> CaseLookups:
        return CaseLookups(self.case.world, self.case.event.project_id)


class DirectDispatch:
    """Runs dispatched checks inline, like the consumers of their queues."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def send_checks(self, message_id: str, run: int, names: list[str], runs: Runs, deadline: float) -> None:
        execute = cpu_checks.execute_fast if runs is Runs.CPU else check_execution.execute
        execute(self._services, message_id, run, names, deadline)

    def send_slow_checks(
        self, message_id: str, run: int, names: list[str], workspace: str, deadline: float
    ) -> None:
        cpu_checks.execute_slow(self._services, message_id, run, names, deadline, workspace)

    def plan_token(self) -> None:
        # The event of a case is old, so intake takes it for one that had to wait.
        intake.plan_waiting(self._services, "token")

    def report_token(self) -> None:
        """Publish nothing: the test reads the record in the ledger."""


def all_cases() -> Iterator[Any]:
    for file in cases.find_files([FOLDER]):
        for case in cases.load_cases(file, CHECKS):
            yield pytest.param(case, id=f"{file.stem}: {case.name}")


def settings_for(redis_url: str, waivers: Path) -> WorkerSettings:
    return WorkerSettings.model_validate(
        {
            "broker_url": redis_url,
            "redis_url": redis_url,
            "extension_code": "ext",
            "region": "cn-shanghai",
            "waivers_file": waivers,
        }
    )


def through_the_workers(case: Case, settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch) -> EventRecord:
    """Process the event of a case like a worker; return its record in the ledger."""
    services = Services(
        settings,
        Celery("test", set_as_current=False),
        clock=lambda: case.event.received_at,
    )
    for name, part in {
        "_policy": SimpleNamespace(value=case.policy or BUILT_IN),
        "_waivers_file": SimpleNamespace(value=Waivers(case.waivers or ())),
        "dataworks": CaseDataWorks(case),
        "dispatch": DirectDispatch(services),
    }.items():
        monkeypatch.setitem(vars(services), name, part)
    # The event is of another day, but lookups compare their deadline with the real clock.
    ends = time.time() + TEN_YEARS
    monkeypatch.setattr(planner, "deadline_for", lambda *_: (ends, ends))
    try:
        assert intake.process_events(services, [case.event]) == ([], None)
        record = services.ledger.get(case.event.message_id)
    finally:
        services.ledger.client.close()
    assert record
    return record


def comparable(outcomes: Mapping[str, Outcome], trial: CaseResult) -> dict[str, Outcome]:
    """Return outcomes without the reason of a missing snapshot, which differs in wording."""
    return {
        name: replace(outcome, detail=None) if trial.outcomes[name].detail == NO_SNAPSHOT else outcome
        for name, outcome in outcomes.items()
    }


@pytest.mark.parametrize("case", list(all_cases()))
@pytest.mark.parametrize("waived", [False, True], ids=["", "waived"])
def test_policy_test_gives_the_outcomes_of_the_workers(
    case: Case,
    waived: bool,
    clean_redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if waived:
        case = replace(case, waivers=ALL_WAIVED.items)
    settings = settings_for(clean_redis_url, tmp_path / "waivers.yaml")

    record = through_the_workers(case, settings, monkeypatch)
    trial = run_case(case, CHECKS, BUILT_IN)

    assert record.plan == trial.plan
    assert comparable(record.outcomes, trial) == comparable(trial.outcomes, trial)
    if waived and case.event.project_id == 93124:
        assert all(finding.waived or finding.suppressed for finding in trial.findings)
