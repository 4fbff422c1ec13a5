"""Case files: problems with positions, running with the workers' code, and comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.config_files.errors import ConfigError
from common.verdicts import OutcomeKind, Result
from workers.checks import registry
from workers.policy import policy
from workers.policy_testing import cases
from workers.policy_testing.cases import Case
from workers.policy_testing.runner import CaseResult, compare, run_case

CHECKS = registry.load_checks()
BUILT_IN = policy.load_policy(None, CHECKS)

FROZEN = """
cases:
  - name: a frozen parent blocks
    event: {code: unfreeze-node, operator: 1923, at: 2026-11-20T10:00:00+08:00, data: {nodeIds: [1]}}
    lookups:
      nodes:
        1: {parents: [2]}
        2: {name: ods_order, scheduler: PAUSE}
    expect: {verdict: FAIL, findings: [frozen-parents], tip: [ods_order]}
"""


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load(text: str) -> tuple[Case, ...]:
        file = tmp_path / "case.yaml"
        file.write_text(text)
        return cases.load_cases(file, CHECKS)

    return load


def tried(case: Case) -> tuple[CaseResult, list[str]]:
    result = run_case(case, CHECKS, BUILT_IN)
    return result, list(compare(case, result))


def test_a_case_with_the_expected_result(load: Any) -> None:
    (case,) = load(FROZEN)
    assert (case.line, case.event.operator, case.event.received_at) == (3, "1923", 1795140000.0)
    result, different = tried(case)
    assert different == []
    assert result.verdict.result is Result.FAIL


def test_differences_are_reported(load: Any) -> None:
    expected = "expect: {verdict: ok, findings: [frozen-parents, frozen-parents, other], tip: nowhere}"
    (case,) = load(FROZEN.replace(FROZEN[FROZEN.index("expect:") :], expected))
    _, different = tried(case)
    assert different == [
        "verdict: expected OK, got FAIL",
        "missing finding: frozen-parents",
        "missing finding: other",
        "missing in the tip: 'nowhere'",
    ]


def test_unexpected_findings_are_reported_with_their_message(load: Any) -> None:
    (case,) = load(FROZEN.replace("findings: [frozen-parents]", "findings: []"))
    _, (different,) = tried(case)
    assert different.startswith("unexpected finding: frozen-parents: ")
    assert "ods_order" in different


def test_fields_without_an_expectation_are_not_compared(load: Any) -> None:
    (case,) = load(FROZEN[: FROZEN.index("expect:")] + "expect: {verdict: FAIL}")
    assert tried(case)[1] == []


def test_a_failed_lookup_counts_as_on_error(load: Any) -> None:
    text = FROZEN.replace("lookups:", "lookups:\n      failing: [node_parents]")
    (case,) = load(text)
    result, _ = tried(case)
    outcome = result.outcomes["frozen-parents"]
    assert (outcome.kind, outcome.detail) == (
        OutcomeKind.ERROR,
        "DataWorks call rejected: GetNodeParents Forbidden",
    )
    assert result.verdict.result is Result.WARN


def test_a_case_may_have_its_own_policy(load: Any) -> None:
    own = "policy: {language: zh, points: {unfreeze-node: {checks: {frozen-parents: {mode: audit}}}}}"
    (case,) = load(FROZEN.replace("expect:", f"{own}\n    expect:"))
    result, _ = tried(case)
    assert [check.name for check in result.plan.checks] == ["frozen-parents"]
    assert result.verdict.result is Result.OK
    assert "检查通过" in result.verdict.tip


def test_a_check_that_needs_the_code_does_not_pass_without_it(load: Any) -> None:
    (case,) = load("cases: [{name: n, event: {code: commit-file}, expect: {verdict: warn}}]")
    result, different = tried(case)
    assert different == []
    assert "the case has no snapshot" in result.verdict.tip


def test_an_exception_of_a_check_is_an_outcome(load: Any) -> None:
    (case,) = load(
        "cases: [{name: n, event: {code: deploy-table}, snapshot: {table: {}}, expect: {verdict: ok}}]"
    )
    broken = {**CHECKS, "table-design": _broken(CHECKS["table-design"])}
    outcome = run_case(case, broken, BUILT_IN).outcomes["table-design"]
    assert outcome.kind is OutcomeKind.UNREVIEWABLE
    assert str(outcome.detail).startswith("raised ZeroDivisionError at test_cases.py:")


def _broken(check: Any) -> Any:
    def ask(_: object) -> Any:
        yield 1 // 0

    return replace(check, run=ask)


def test_a_table_and_its_columns(load: Any) -> None:
    (case,) = load(
        """
cases:
  - name: a table
    event: {code: commit-table}
    snapshot:
      table: {name: dwd_order, comment: c, lifecycle: 30, columns: [{name: id, type: BIGINT, comment: c}]}
    policy: {points: {commit-table: {checks: {table-design: {}}}}}
    expect: {tip: ["OK"]}
"""
    )
    assert case.snapshot
    assert case.snapshot.table
    assert case.snapshot.table.columns[0].type == "BIGINT"
    assert tried(case)[1] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: the case file is empty; expected keys such as cases"),
        ("cases: []", "1:8: cases: expected a list of at least 1"),
        ("cases: [\n", "2:1: not YAML"),
        ("case: []", "1:1: case: unknown key"),
        ("cases:\n  - {name: n, expect: {verdict: ok}}", "2:5: cases.0.event: missing"),
        (
            "cases:\n  - {event: {code: x}}",
            "2:20: cases.0.event.code: unknown extension point; expected one of",
        ),
        ("cases: [{event: {at: 2026-11-20}}]", "cases.0.event.at: no time and zone"),
        ("cases: [{event: {at: 2026-11-20T10:00:00}}]", "cases.0.event.at: no zone"),
        ("cases: [{expect: {}}]", "cases.0.expect: expected at least one of verdict, findings, tip"),
        ("cases: [{expect: {verdict: maybe}}]", "cases.0.expect.verdict: expected ok, warn or fail"),
        ("cases: [{snapshot: {file: {nam: x}}}]", "cases.0.snapshot.file: unknown key nam; expected one of"),
        ("cases: [{snapshot: {table: {columns: [{nam: x}]}}}]", "cases.0.snapshot.table: unknown key nam"),
        ("cases: [{snapshot: {table: {columns: [7]}}}]", "cases.0.snapshot.table.columns.0: "),
        (
            "cases: [{lookups: {failing: [nodes]}}]",
            "cases.0.lookups.failing.0: unknown lookup; expected one of",
        ),
        (
            "cases: [{lookups: {tables: {shop.t: {}}}}]",
            "cases.0.lookups.tables.shop.t: expected a table as odps",
        ),
        (
            "cases: [{lookups: {nodes: {1: {parents: x}}}}]",
            "cases.0.lookups.nodes.1.parents: expected a list",
        ),
        (
            "cases: [{lookups: {nodes: {1: {scheduler: ICE}}}}]",
            "scheduler: expected 'NORMAL', 'MANUAL', 'PAUSE'",
        ),
    ],
)
def test_an_invalid_file_is_rejected_with_the_position(load: Any, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    lines = [line for line in str(caught.value).splitlines() if said in line]
    assert lines, str(caught.value)
    assert "case.yaml:" in lines[0]


def test_a_problem_in_a_policy_has_its_position_in_the_case_file(load: Any) -> None:
    lines = [
        "    policy:",
        "      points:",
        "        unfreeze-node:",
        "          checks:",
        "            frozen: {}",
    ]
    text = FROZEN.replace("    expect:", "\n".join([*lines, "    expect:"]))
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert "case.yaml:13:" in str(caught.value)
    assert "cases.0.policy.points.unfreeze-node.checks.frozen: unknown check" in str(caught.value)


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    files = [tmp_path / "a.yaml", tmp_path / "deep" / "b.yml"]
    for file in (*files, tmp_path / "c.txt"):
        file.write_text("")
    assert cases.find_files([tmp_path, files[0]]) == tuple(files)


@pytest.mark.parametrize(("name", "said"), [("nowhere", "no such file"), ("", "no case files")])
def test_paths_without_cases(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        cases.find_files([tmp_path / name])
