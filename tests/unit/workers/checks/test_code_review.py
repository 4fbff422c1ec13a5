"""The check `code-review` with table metadata, code in production and cached results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from common.events import Event
from common.snapshot import Column, FileSnapshot, Snapshot
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, OutcomeKind, Severity
from dwgate.testing import run_check
from review import engine
from review.languages.external import external_tool
from review.rules.api import Hit
from workers.checks import registry
from workers.checks.api import Context, Key, Lookups, Unreviewable
from workers.dataworks.errors import AccessDenied, DataWorksError, NotFound, RequestRejected, Throttled
from workers.dataworks.models import TableInfo

CHECK = registry.load_checks()["code-review"]
ORDERS = (
    Column("id", "BIGINT", ""),
    Column("shop", "STRING", ""),
    Column("day", "STRING", "", partition=True),
)
UNFILTERED = "INSERT OVERWRITE TABLE sums PARTITION (ds = '${bizdate}') SELECT id, shop FROM orders;"


@dataclass
class Workspace:
    """Lookups of one table that record the calls."""

    known: dict[str, tuple[Column, ...]] = field(default_factory=lambda: {"odps.shop.orders": ORDERS})
    deployed: str | DataWorksError | None = None
    fault: DataWorksError | None = None
    asked: list[str] = field(default_factory=list)

    def begin(self, query: Callable[[Lookups, Key], object], keys: Iterable[Key]) -> None:
        """Do nothing: it answers at once."""

    def table_info(self, guid: str) -> TableInfo:
        self.asked.append(guid)
        if self.fault:
            raise self.fault
        if guid not in self.known:
            raise NotFound("GetMetaTableFullInfo", "Invalid.Table.NotExists")
        return TableInfo(guid, None, self.known[guid])

    def deployed_code(self, file_id: int) -> str | None:
        self.asked.append(str(file_id))
        if isinstance(self.deployed, DataWorksError):
            raise self.deployed
        return self.deployed


@dataclass
class Answers:
    """A result cache in memory."""

    kept: dict[str, Any] = field(default_factory=dict)

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        return self.kept.get(f"{operation} {sorted(arguments.items())}")

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        self.kept[f"{operation} {sorted(arguments.items())}"] = value


def ask(
    code: str,
    workspace: Workspace,
    *,
    options: dict[str, Any] | None = None,
    event_code: str = "commit-file",
    answers: Answers | None = None,
    language: Language = Language.ENGLISH,
    file_type: int = 10,
    **changes: Any,
) -> list[Finding]:
    values = {"outputs": ("shop.sums",), "parameters": "bizdate=$bizdate", "rerun_mode": "ALL_ALLOWED"}
    file = FileSnapshot(501, "sums", file_type, code, **{**values, **changes})
    event = Event("m-1", event_code, 93124, "1923", True, {}, 0)
    given = CHECK.options.model_validate(options or {})
    context = Context(event, Snapshot(file=file), given, cast(Lookups, workspace), 0, language, answers)
    found: list[Finding] = []
    with suppress(Unreviewable):
        for finding in CHECK.run(context):
            found.append(finding)  # noqa: PERF402 - kept if the check ends with an exception
    return found


def rules(found: list[Finding]) -> set[str]:
    return {finding.rule for finding in found}


def test_partitions_come_from_dataworks() -> None:
    workspace = Workspace()
    found = ask(UNFILTERED, workspace)
    assert "day" in next(finding.message for finding in found if finding.rule == "MC-P01")
    assert set(workspace.asked) == {"odps.shop.orders", "odps.shop.sums"}


def test_tables_of_other_projects_are_looked_up_by_full_name() -> None:
    workspace = Workspace(known={"odps.base.orders": ORDERS})
    assert "MC-P01" in rules(ask(UNFILTERED.replace("FROM orders", "FROM base.orders"), workspace))


@pytest.mark.parametrize("fault", [RequestRejected("a", "b"), Throttled("a", "b")])
def test_failed_lookups_leave_tables_unknown(fault: DataWorksError) -> None:
    assert "MC-P01" not in rules(ask(UNFILTERED, Workspace(fault=fault)))


def test_a_table_with_denied_access_hides_no_other() -> None:
    class Denying(Workspace):
        def table_info(self, guid: str) -> TableInfo:
            if guid.startswith("odps.aaa."):
                raise AccessDenied("GetMetaTableFullInfo", "Forbidden")
            return super().table_info(guid)

    foreign = "SELECT 1 FROM aaa.b LIMIT 1;\n"
    found = ask(foreign + UNFILTERED, Denying())
    assert {"MC-P01", "not-checked"} <= rules(found)
    assert any("aaa.b" in item.message and "Forbidden" in item.message for item in found)


def test_the_policy_limits_table_lookups() -> None:
    workspace = Workspace()
    found = ask(UNFILTERED, workspace, options={"max_lookups": 1})
    assert len(workspace.asked) == 1
    assert any("sums (max_lookups)" in item.message for item in found if item.rule == "not-checked")
    assert "not-checked" not in rules(ask(UNFILTERED, Workspace(), options={"max_lookups": 0}))


def test_no_table_is_looked_up_without_a_project() -> None:
    workspace = Workspace()
    ask(UNFILTERED, workspace, outputs=())
    assert workspace.asked == []
    ask(UNFILTERED, workspace, outputs=(), options={"project": "shop"})
    assert "odps.shop.orders" in workspace.asked


def test_a_parameter_that_the_node_does_not_define_is_found() -> None:
    code = UNFILTERED.replace("bizdate", "day_before")
    assert "MC-C08" in rules(ask(code, Workspace()))
    assert "MC-C08" not in rules(ask(code, Workspace(), parameters="day_before=$bizdate"))


def test_an_ad_hoc_run_is_not_reviewed_as_scheduled() -> None:
    code = (
        "INSERT INTO TABLE sums PARTITION (ds = '${bizdate}') SELECT id FROM orders WHERE day = '20240501';"
    )
    assert {"MC-C01", "MC-C07"} <= rules(ask(code, Workspace()))
    assert not {"MC-C01", "MC-C07"} & rules(ask(code, Workspace(), event_code="run-file"))


def test_only_new_omits_findings_of_production() -> None:
    worse = UNFILTERED + "\n\nDROP TABLE sums;\n"
    workspace = Workspace(deployed="-- older\n" + UNFILTERED)
    assert rules(ask(worse, workspace)) >= {"MC-P01", "MC-S02"}
    found = rules(ask(worse, workspace, options={"only_new": True}))
    assert "MC-S02" in found
    assert "MC-P01" not in found


def test_only_new_reports_a_replaced_secret() -> None:
    old, new = ("-- LTAI5tQnVx7RkJd2Wm9PzHsB", "-- LTAI5tFgYc3LpTe8Uo4XaKvD")
    for code, expected in ((new, True), (old, False), (f"{old}\n{old}", True)):
        found = rules(ask(code, Workspace(deployed=old), options={"only_new": True}))
        assert ("MC-S01" in found) is expected


def test_only_new_reports_all_without_production_code() -> None:
    found = ask(UNFILTERED, Workspace(deployed=None), options={"only_new": True})
    assert "MC-P01" in rules(found)


@pytest.mark.parametrize(
    "error", [Throttled("a", "b"), RequestRejected("ListFileVersions", "MissingProjectId")]
)
def test_only_new_raises_lookup_errors(error: DataWorksError) -> None:
    with pytest.raises(type(error)):
        ask(UNFILTERED, Workspace(deployed=error), options={"only_new": True})


def in_json(code: str, **more: Any) -> str:
    return json.dumps({"type": "HIVE_SQL", "properties": {"arguments": [code], **more}})


def test_the_script_of_an_emr_node_is_reviewed_with_its_own_lines() -> None:
    found = ask(in_json("SELECT 1;\n\nDELETE FROM dw.t;"), Workspace(), file_type=227)
    assert {item.line for item in found if item.rule == "MC-C14"} == {3}
    (place,) = [item for item in found if item.rule == "script-place"]
    assert (place.severity, "properties.arguments[0]" in place.message) == (Severity.INFO, True)
    plain = ask("SELECT 1;\n\nDELETE FROM dw.t;", Workspace(), file_type=227)
    assert rules(found) == {*rules(plain), "script-place"}


def test_only_new_compares_scripts_not_the_json_around_them() -> None:
    content = in_json("DELETE FROM dw.t;", tags=["a"])
    workspace = Workspace(deployed=in_json("DELETE FROM dw.t;", tags=["b"]))
    assert "MC-C14" in rules(ask(content, workspace, file_type=227))
    assert not ask(content, workspace, file_type=227, options={"only_new": True})


def test_a_secret_beside_the_script_is_found_without_a_line() -> None:
    secret = "LTAI5tQnVx7RkJd2Wm9PzHsB"
    found = ask(in_json("SELECT 1;", envs=[f"key={secret}"]), Workspace(), file_type=227)
    (finding,) = [item for item in found if item.rule == "MC-S01"]
    assert finding.line is None
    assert secret not in finding.message


def test_a_language_that_the_author_names_and_is_not_known_is_unreviewable() -> None:
    outcome = outcome_of(json.dumps({"language": "perl", "content": "unlink 'a'"}), file_type=1100)
    assert outcome.kind is OutcomeKind.UNREVIEWABLE
    assert "language" in str(outcome.detail)


NOTEBOOK = 1323


def in_notebook(*cells: tuple[str, str]) -> str:
    """Return a notebook with cells of a language and code each."""
    made = [
        {"cell_type": "code", "source": code, "metadata": {"language": name}, "outputs": []}
        for name, code in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_each_cell_of_a_notebook_is_reviewed_in_its_language() -> None:
    code = in_notebook(
        ("odps-sql", "SELECT 1;\nDELETE FROM dw.t;"),
        ("python", "o.execute_sql('delete from dw.u')"),
        ("hologres", "DELETE FROM v WHERE a = 1"),
    )
    found = [item for item in ask(code, Workspace(), file_type=NOTEBOOK) if item.rule == "MC-C14"]
    assert [(item.line, item.message.split(":")[0]) for item in found] == [(1, "cells"), (2, "cells[0]")]


def test_the_shell_cells_of_a_notebook_are_linted_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    run, programs = external_tool._execute, []

    def execute(name: str, *rest: Any) -> Any:
        programs.append(name)
        return run(name, *rest)

    monkeypatch.setattr(external_tool, "_execute", execute)
    code = in_notebook(*[("shell", f"echo $a{number}") for number in range(20)])
    found = [item for item in ask(code, Workspace(), file_type=NOTEBOOK) if item.rule == "SH-SC2086"]
    assert [item.message.split(":")[0] for item in found] == [f"cells[{number}]" for number in range(20)]
    assert programs == ["shellcheck"]


def test_a_cell_in_an_unknown_language_is_unreviewable() -> None:
    outcome = outcome_of(in_notebook(("odps", "SELECT 1"), ("sql", "DELETE FROM t")), file_type=NOTEBOOK)
    assert outcome.kind is OutcomeKind.UNREVIEWABLE
    assert "cells[1]" in str(outcome.detail)


def test_a_secret_in_the_output_of_a_cell_is_found() -> None:
    secret = "LTAI5tQnVx7RkJd2Wm9PzHsB"
    content = json.loads(in_notebook(("odps", "SELECT 1;")))
    content["cells"][0]["outputs"] = [{"text": f"key={secret}"}]
    (finding,) = [i for i in ask(json.dumps(content), Workspace(), file_type=NOTEBOOK) if i.rule == "MC-S01"]
    assert secret not in finding.message


@pytest.mark.parametrize(
    ("file_type", "code", "kind", "severities"),
    [
        (2012, "INSERT INTO sink SELECT * FROM source", OutcomeKind.FINDINGS, [Severity.WARN]),
        (None, "SELECT 1", OutcomeKind.FINDINGS, [Severity.WARN]),
        (99, "{}", OutcomeKind.SKIPPED, []),
        (225, '{"key": "LTAI5tQnVx7RkJd2Wm9PzHsB"}', OutcomeKind.FINDINGS, [Severity.BLOCK]),
        (2101, "SELECT 1 FROM a LIMIT 1", OutcomeKind.PASSED, []),
    ],
)
def test_what_has_no_known_language_never_passes(
    file_type: int | None, code: str, kind: OutcomeKind, severities: list[Severity]
) -> None:
    outcome = outcome_of(code, file_type=file_type)
    assert (outcome.kind, [item.severity for item in outcome.findings]) == (kind, severities)


def test_the_policy_decides_what_an_unknown_language_counts_as() -> None:
    for severity, expected in (("block", [Severity.BLOCK]), ("off", [])):
        outcome = outcome_of("x", file_type=2012, severity={"MC-C19": severity})
        assert [item.severity for item in outcome.findings] == expected


def test_a_cached_result_is_used_while_nothing_changes() -> None:
    answers = Answers()
    assert len(ask(UNFILTERED, Workspace(), answers=answers)) > 1
    (kept,) = answers.kept.values()
    kept["findings"] = kept["findings"][:1]  # shows that the result comes from the cache
    assert [item.to_json() for item in ask(UNFILTERED, Workspace(), answers=answers)] == kept["findings"]
    changed = Workspace(known={"odps.shop.orders": ORDERS[:1]})
    assert "MC-P01" not in rules(ask(UNFILTERED, changed, answers=answers))


@pytest.mark.parametrize(
    "changes",
    [
        {"options": {"severity": {"MC-P01": "off"}}},
        {"language": Language.CHINESE},
        {"event_code": "run-file"},
        {"parameters": "other=1"},
    ],
)
def test_a_cached_result_is_valid_only_for_its_inputs(changes: dict[str, Any]) -> None:
    answers = Answers()
    ask(UNFILTERED, Workspace(), answers=answers)
    ask(UNFILTERED, Workspace(), answers=answers, **changes)
    assert len(answers.kept) == 2


def test_cached_results_contain_no_code() -> None:
    answers = Answers()
    ask("SELECT 'of_the_customer' AS note FROM orders;", Workspace(), answers=answers)
    assert "of_the_customer" not in repr(answers.kept)


def outcome_of(code: str, file_type: int | None = 10, **options: Any) -> Outcome:
    file = FileSnapshot(501, "sums", file_type, code, outputs=("shop.sums",))
    return run_check(
        "code-review",
        "commit-file",
        snapshot=Snapshot(file=file),
        options=options,
        lookups=cast(Lookups, Workspace(deployed=code)),
    )


@pytest.mark.parametrize("options", [{}, {"severity": {"MC-C19": "off"}}, {"only_new": True}])
def test_unreadable_code_is_unreviewable_whatever_counts_of_its_findings(options: dict[str, Any]) -> None:
    outcome = outcome_of("DELETE FROM sums;\nSELEC 1;", **options)
    assert outcome.kind is OutcomeKind.UNREVIEWABLE
    assert "line 2" in str(outcome.detail)
    assert ("MC-C14" in {item.rule for item in outcome.findings}) is not options.get("only_new", False)


@pytest.mark.parametrize(
    "gap", ["SELEC 1;", "SELECT 1"], ids=["a statement that is not read", "a rule that fails"]
)
def test_a_review_with_gaps_is_not_cached(monkeypatch: pytest.MonkeyPatch, gap: str) -> None:
    def judge(*_: object) -> list[Hit]:
        raise KeyError

    if not gap.startswith("SELEC "):
        broken = tuple(replace(rule, check=judge) for rule in engine._FIRST)
        monkeypatch.setattr(engine, "_FIRST", broken)
    answers = Answers()
    ask(gap, Workspace(), answers=answers)
    assert answers.kept == {}
    monkeypatch.undo()
    ask("SELECT 1", Workspace(), answers=answers)
    assert len(answers.kept) == 1
