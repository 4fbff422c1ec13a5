"""The subjects of findings: complete for every check, as waivers and fingerprints require."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from common.events import Event
from common.snapshot import FileSnapshot, Snapshot
from common.subjects.event_subject import EventSubject, subject_of
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, Severity, Subject, SubjectKind
from tests.support.sample_workspace import HOME, Workspace, node, table
from workers.checks import registry
from workers.checks.api import Context
from workers.checks.finding_builders import bound_findings
from workers.dataworks.models import Node, NodeOutput
from workers.policy import policy
from workers.policy_testing import cases
from workers.policy_testing.cases import Case
from workers.policy_testing.runner import run_case
from workers.waivers.matching import Waivers, apply_waivers
from workers.waivers.model import Waiver

CHECKS = registry.load_checks()
BUILT_IN = policy.load_policy(None, CHECKS)
NOW = datetime.fromisoformat("2026-11-20T10:00:00+08:00").timestamp()
FIVE = [700123501, 700123502, 700123503, 700123504, 700123505]
SCOPES = {
    SubjectKind.NODE: ("node_ids", "nodes"),
    SubjectKind.TABLE: ("table_ids", "tables"),
    SubjectKind.FILE: ("file_ids", "files"),
}
IDS = {of_ids for of_ids, _ in SCOPES.values()}


@dataclass(frozen=True)
class Sample:
    """An event on several objects, of which a message names the first three."""

    check: str
    code: str
    data: dict[str, Any]
    workspace: Callable[[], Workspace] = Workspace
    snapshot: Snapshot | None = None
    options: dict[str, Any] | None = None

    def ask(self, language: Language = Language.ENGLISH, workspace: Workspace | None = None) -> list[Finding]:
        check = CHECKS[self.check]
        options = check.options.model_validate(self.options or {})
        lookups = workspace or self.workspace()
        event, snapshot = self.event, self.snapshot or Snapshot()
        found = check.run(Context(event, snapshot, options, lookups, NOW, language))
        return list(bound_findings(found))

    @property
    def event(self) -> Event:
        return Event("m-1", self.code, HOME, "1923", True, self.data, NOW)

    @property
    def about(self) -> EventSubject:
        return subject_of(self.check, self.event, self.snapshot)


def below() -> Workspace:
    """Return a workspace in which each of the five nodes has four live dependents of its own."""
    children = {number: [node(number * 10 + n) for n in range(4)] for number in FIVE}
    outputs = {number: [NodeOutput(f"shop.t{number}", number, f"shop.t{number}")] for number in FIVE}
    readers = {f"odps.shop.t{number}": [table(f"odps.other.r{number}")] for number in FIVE}
    nodes = {number: node(number, baseline=7, priority=8) for number in FIVE}
    return Workspace(children=children, outputs=outputs, tables=readers, nodes=nodes)


def above() -> Workspace:
    parents = {number: [node(number * 10, "PAUSE")] for number in FIVE}
    return Workspace(parents=parents, inputs={number: [f"shop.gone{number}"] for number in FIVE})


def backfilled(**changes: Any) -> Callable[[], Workspace]:
    return lambda: Workspace(nodes={number: node(number, **changes) for number in FIVE})


PERIODS = json.dumps([{"bizBeginTime": "2026-11-01", "bizEndTime": "2026-11-02"}])
BACKFILL = {"rootNodeId": FIVE[0], "includeNodeIds": FIVE, "multipleTimePeriods": PERIODS}
DROPS = "\n".join(f"DROP TABLE shop.t{number};" for number in range(25))
REQUEST = {
    "order": {
        "deadlineDate": 400,
        "deadlineType": "day",
        "projectMeta": {
            "objectMetaList": [
                {"action": "Drop", "name": f"t{number}", "projectGuid": "odps.shop"} for number in range(5)
            ]
        },
    }
}
JOBS = {
    "jobIds": [1, 2],
    "extensionBizName": "sync_a,sync_b",
    "tableMappings": [
        {"id": 1, "extensionBizName": "sync_a", "tableMapping": []},
        {"id": 2, "extensionBizName": "sync_b", "tableMapping": []},
    ],
}
QUALITY = {
    "target": {"tableGuid": "odps.shop.t"},
    "rules": [{"id": number, "enabled": False} for number in (1, 2)],
}
SAMPLES = {
    "freeze": Sample("downstream-impact", "freeze-node", {"nodeIds": FIVE}, below),
    "undeploy": Sample("downstream-impact", "undeploy-node", {"nodeIds": FIVE}, below),
    "frozen-parents": Sample("frozen-parents", "unfreeze-node", {"nodeIds": FIVE}, above),
    "start-surge": Sample(
        "start-surge",
        "unfreeze-node",
        {"nodeIds": FIVE},
        backfilled(cron="00 00/05 * * * ?"),
        options={"max_instances": 1},
    ),
    "not-rerunnable": Sample("backfill-scope", "backfill-data", BACKFILL, backfilled(rerunnable=False)),
    "rerunnable-unknown": Sample("backfill-scope", "backfill-data", BACKFILL, backfilled(rerunnable=None)),
    "workspaces": Sample("backfill-scope", "backfill-data", BACKFILL, backfilled(project=9)),
    "baselines": Sample("backfill-scope", "backfill-data", BACKFILL, backfilled(baseline=7, priority=8)),
    "baselines-unknown": Sample("backfill-scope", "backfill-data", BACKFILL, backfilled(baseline=7)),
    "backfill-limits": Sample("backfill-limits", "backfill-data", BACKFILL, options={"max_nodes": 1}),
    "instances": Sample(
        "instance-operations",
        "pre-kill-instance",
        {"taskIds": [1, 2, 3], "extensionBizName": "a,b,c,d,e"},
        options={"max_instances": 1, "operators": ["7"]},
    ),
    "adhoc-writes": Sample(
        "adhoc-writes",
        "run-file",
        {"fileId": 501},
        snapshot=Snapshot(file=FileSnapshot(501, "fix", 10, DROPS)),
    ),
    "permissions": Sample(
        "permission-request",
        "approval-change-before-create",
        REQUEST,
        options={"forbidden_actions": ["Drop"], "max_tables": 1, "max_days": 31},
    ),
    "jobs": Sample("sync-start", "batch-start-diJob", JOBS, options={"forbidden_targets": ["*"]}),
    "quality": Sample("quality-rules", "batch-update-data-quality-rules", QUALITY, options={"guarded": True}),
    "window": Sample("release-window", "freeze-node", {"nodeIds": FIVE}, options={"closed": [{}]}),
}


def waiver(**fields: Any) -> Waiver:
    given = {"id": "W-1", "check": "*", "reason": "known", "owner": "a", "approver": "b"} | fields
    return Waiver.model_validate({"expires_at": "2026-12-01T18:00:00+08:00", **given})


def applied(found: list[Finding], about: EventSubject, *waivers: Waiver) -> tuple[Finding, ...]:
    return apply_waivers(Outcome.of(found), about, Waivers(waivers), NOW).findings


def test_a_waiver_for_three_of_five_nodes_covers_nothing_about_the_other_two() -> None:
    sample = SAMPLES["freeze"]
    found = sample.ask()
    assert {"downstream-nodes", "baseline-at-risk"} == {item.rule for item in found}
    three, five = (waiver(scope={"node_ids": numbers}) for numbers in (FIVE[:3], FIVE))
    assert [item.waived for item in applied(found, sample.about, three)] == [None, None]
    assert all(item.waived for item in applied(found, sample.about, five))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_waiver_covers_a_finding_only_with_all_of_its_subjects(name: str) -> None:
    sample = SAMPLES[name]
    found = sample.ask()
    assert found
    partial = 0
    for index, item in enumerate(applied(found, sample.about)):
        for scope, names in scopes(item):
            whole = waiver(scope={scope: names})
            assert applied(found, sample.about, whole)[index].waived, (item, scope)
            for left_out in range(len(names)) if len(names) > 1 else ():
                some = waiver(scope={scope: [*names[:left_out], *names[left_out + 1 :]]})
                assert applied(found, sample.about, some)[index].waived is None, (item, scope)
                partial += 1
    assert partial or name in ("jobs", "quality")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_waiver_for_one_thing_leaves_findings_about_the_others(name: str) -> None:
    sample = SAMPLES[name]
    for item in applied(sample.ask(), sample.about):
        for scope, names in scopes(item):
            for other in applied(sample.ask(), sample.about, waiver(scope={scope: names[:1]})):
                kinds = {kind for kind, keys in SCOPES.items() if scope in keys}
                others = [subject for subject in other.subjects if subject.kind in kinds]
                assert not other.waived or all(names[0] in (subject.id, *subject.names) for subject in others)


def scopes(item: Finding) -> Iterator[tuple[str, list[str]]]:
    """Yield a waiver's scopes for each kind of subject: the ids and the first names of all subjects of it."""
    for kind, (of_ids, of_names) in SCOPES.items():
        subjects = [subject for subject in item.subjects if subject.kind is kind]
        ids = [subject.id for subject in subjects if subject.id]
        names = [subject.names[0] for subject in subjects if subject.names]
        if subjects and len(ids) == len(subjects):
            yield of_ids, ids
        if subjects and len(names) == len(subjects):
            yield of_names, names


@pytest.mark.parametrize("name", SAMPLES)
def test_a_fingerprint_is_the_same_in_every_language(name: str) -> None:
    sample = SAMPLES[name]
    english = applied(sample.ask(Language.ENGLISH), sample.about)
    chinese = applied(sample.ask(Language.CHINESE), sample.about)
    assert [item.fingerprint for item in english] == [item.fingerprint for item in chinese]
    assert [item.message for item in english] == [item.english for item in chinese]
    assert len({item.fingerprint for item in english}) == len(english)


@pytest.mark.parametrize("name", ["freeze", "undeploy", "frozen-parents"])
def test_a_fingerprint_survives_renamed_and_more_dependents(name: str) -> None:
    sample, changed = SAMPLES[name], SAMPLES[name].workspace()
    for ways in (changed.children, changed.parents):
        for nodes in ways.values():
            nodes[:] = [replace(item, name=f"renamed_{item.id}") for item in nodes]
            nodes.append(extra(nodes))
    before = applied(sample.ask(), sample.about)
    after = applied(sample.ask(workspace=changed), sample.about)
    assert [item.message for item in before] != [item.message for item in after]
    assert [item.fingerprint for item in before] == [item.fingerprint for item in after]


def extra(nodes: list[Node]) -> Node:
    return replace(nodes[0], id=nodes[0].id + 8, name="one_more")


def test_a_fingerprint_of_a_closed_window_covers_no_other_window() -> None:
    sample = SAMPLES["window"]
    holiday = replace(sample, options={"holidays": [{"name": "Fair", "dates": ["2026-11-20..2026-11-21"]}]})
    (one,), (other,) = (applied(item.ask(), item.about) for item in (sample, holiday))
    assert one.fingerprint != other.fingerprint


def test_a_pattern_is_matched_against_the_english_message_in_every_language() -> None:
    sample = SAMPLES["freeze"]
    by_text = waiver(rule="downstream-nodes", pattern="would hold up")
    for language in Language:
        found = applied(sample.ask(language), sample.about, by_text)
        assert [item.rule for item in found if item.waived] == ["downstream-nodes"]


def test_a_finding_of_a_check_that_names_no_subjects_is_about_all_of_the_event() -> None:
    about = SAMPLES["freeze"].about
    (found,) = applied([Finding("FILE-OWNER", Severity.WARN, "dwd_501 has no owner")], about)
    assert found.subjects == tuple(Subject(SubjectKind.NODE, str(number)) for number in FIVE)


def all_cases() -> Iterator[Any]:
    for file in cases.find_files([Path(__file__).parents[3] / "data" / "policy_cases"]):
        for case in cases.load_cases(file, CHECKS):
            yield pytest.param(case, id=f"{file.stem}: {case.name}")


@pytest.mark.parametrize("case", list(all_cases()))
def test_the_cases_have_the_same_fingerprints_in_every_language(case: Case) -> None:
    assert prints(case, Language.ENGLISH) == prints(case, Language.CHINESE)


@pytest.mark.parametrize("case", list(all_cases()))
def test_the_cases_are_waived_only_with_all_of_their_subjects(case: Case) -> None:
    for name, outcome in run_case(case, CHECKS, BUILT_IN).outcomes.items():
        about, found = subject_of(name, case.event, case.snapshot), list(outcome.findings)
        for index, item in enumerate(applied(found, about)):
            for scope, names in scopes(item):
                plain = [one for one in names if not set(one) & set("*?[")]
                for left_out in range(len(names)) if len(names) == len(plain) else ():
                    other = {"table_ids": "odps.no.such"}.get(scope, "0" if scope in IDS else "no-such")
                    some = waiver(scope={scope: [*names[:left_out], *names[left_out + 1 :], other]})
                    assert applied(found, about, some)[index].waived is None, (item, scope)


def prints(case: Case, language: Language) -> list[tuple[str, str | None]]:
    spoken = replace(case, policy=replace(case.policy or BUILT_IN, language=language))
    trial = run_case(spoken, CHECKS, BUILT_IN)
    return [
        (item.rule, item.fingerprint)
        for name, outcome in trial.outcomes.items()
        for item in apply_waivers(
            outcome, subject_of(name, case.event, case.snapshot), Waivers(), NOW
        ).findings
    ]
