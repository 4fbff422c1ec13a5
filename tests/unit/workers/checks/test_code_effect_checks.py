"""The checks of code changes: their lookups, their limits, and their messages in Chinese."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from common.events import Event
from common.snapshot import Column, FileSnapshot, Snapshot
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, OutcomeKind, Severity
from dwgate.testing import run_check
from workers.checks import registry
from workers.checks.api import Context, Key, Lookups, SkipCheck
from workers.checks.code_effects.dependency_cycle import MAX_LOOKUPS
from workers.checks.code_effects.loss_readers import MAX_CALLS
from workers.dataworks.errors import AccessDenied, DataWorksError, NotFound, RequestRejected, Throttled
from workers.dataworks.models import (
    Baseline,
    ColumnRef,
    Consumer,
    Environment,
    Node,
    NodeOutput,
    ProducingTask,
    TableInfo,
    TableRef,
)

CHECKS = registry.load_checks()
MINE = ("change-impact", "declared-inputs", "schedule-consistency")


def node(number: int, **changes: Any) -> Node:
    values = {"owner": "19", "project_id": 93124, "program_type": "ODPS_SQL", "scheduler": "NORMAL"}
    return Node(number, f"node_{number}", **{**values, **changes})


@dataclass
class Workspace:
    """Lookups that count the calls."""

    outputs: dict[str, list[Node]] = field(default_factory=dict)
    in_development: dict[str, list[Node]] = field(default_factory=dict)
    parents: dict[int, list[Node]] = field(default_factory=dict)
    children: dict[int, list[Node]] = field(default_factory=dict)
    inputs: dict[int, list[str]] = field(default_factory=dict)
    tables: dict[str, list[Column]] = field(default_factory=dict)
    columns_below: dict[str, list[ColumnRef]] = field(default_factory=dict)
    deployed: str | DataWorksError | None = None
    faults: dict[str, DataWorksError] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def _ask(self, name: str) -> None:
        self.asked[name] += 1
        if name in self.faults:
            raise self.faults[name]

    def begin(self, query: Callable[[Lookups, Key], object], keys: Iterable[Key]) -> None:
        """Do nothing: it answers at once."""

    def node_children(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        self._ask("node_children")
        return tuple(self.children.get(node_id, ())) if environment is Environment.PROD else ()

    def node_parents(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        self._ask("node_parents")
        return tuple(self.parents.get(node_id, ())) if environment is Environment.PROD else ()

    def node_inputs(
        self, node_id: int, environment: Environment = Environment.PROD
    ) -> tuple[NodeOutput, ...]:
        self._ask("node_inputs")
        if node_id not in self.inputs or environment is not Environment.PROD:
            raise NotFound("ListNodeInputOrOutput", "NotFound")
        return tuple(NodeOutput(name, node_id) for name in self.inputs[node_id])

    def nodes_by_output(
        self, outputs: Sequence[str], environment: Environment = Environment.PROD
    ) -> Mapping[str, tuple[Node, ...]]:
        self._ask("nodes_by_output")
        known = self.outputs if environment is Environment.PROD else self.in_development
        return {name: tuple(known.get(name, ())) for name in outputs}

    def table_info(self, guid: str) -> TableInfo:
        self._ask("table_info")
        if guid not in self.tables:
            raise NotFound("GetMetaTableFullInfo", "Invalid.Table.NotExists")
        return TableInfo(guid, None, tuple(self.tables[guid]))

    def deployed_code(self, file_id: int) -> str | None:
        self._ask("deployed_code")
        if isinstance(self.deployed, DataWorksError):
            raise self.deployed
        return self.deployed if file_id else None

    def downstream_columns(self, guid: str, limit: int = 1000) -> tuple[ColumnRef, ...]:
        self._ask("downstream_columns")
        return tuple(self.columns_below.get(guid, ()))[:limit]

    def downstream_tables(self, guid: str, limit: int = 1000) -> tuple[TableRef, ...]:
        self._ask("downstream_tables")
        return ()[: len(guid) + limit]

    def consumers(self, guid: str, limit: int = 1000) -> tuple[Consumer, ...]:
        self._ask("consumers")
        return ()[: len(guid) + limit]

    def producing_tasks(self, guid: str) -> tuple[ProducingTask, ...]:
        self._ask("producing_tasks")
        return (ProducingTask("7", "elsewhere"),) if guid else ()

    def node(self, node_id: int, environment: Environment = Environment.PROD) -> Node:
        self._ask("node")
        if environment is not Environment.PROD:
            raise NotFound("GetNode", "NotFound")
        return node(node_id)

    def node_code(self, node_id: int, environment: Environment = Environment.PROD) -> str:
        raise NotImplementedError(node_id, environment)

    def node_outputs(
        self, node_id: int, environment: Environment = Environment.PROD
    ) -> tuple[NodeOutput, ...]:
        raise NotImplementedError(node_id, environment)

    def baseline(self, baseline_id: int) -> Baseline:
        raise NotImplementedError(baseline_id)


def ask(
    name: str,
    workspace: Workspace,
    code: str = "SELECT 1;",
    *,
    event_code: str = "commit-file",
    options: dict[str, Any] | None = None,
    language: Language = Language.ENGLISH,
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> list[Finding]:
    values = {"node_id": 1, "outputs": ("shop.t",), "rerun_mode": "ALL_ALLOWED", "file_type": 10}
    file = FileSnapshot(**{"file_id": 501, "name": "t", "content": code, **values, **changes})
    event = Event("m-1", event_code, 93124, "1923", True, data or {}, 0)
    given = CHECKS[name].options.model_validate(options or {})
    context = Context(event, Snapshot(file=file), given, workspace, 0, language)
    return list(CHECKS[name].run(context))


def outcome_of(name: str, workspace: Workspace, code: str, **options: Any) -> Outcome:
    file = FileSnapshot(501, "t", 10, code, node_id=1, outputs=("shop.t",))
    return run_check(name, "commit-file", snapshot=Snapshot(file=file), options=options, lookups=workspace)


def rules(found: Iterable[Finding]) -> list[str]:
    return [finding.rule for finding in found]


def columns(*names: str) -> list[Column]:
    return [Column(name, "BIGINT", "") for name in names]


def test_a_harmless_change_makes_two_lookups() -> None:
    workspace = Workspace(
        outputs={"shop.t": [node(1)], "shop.a": [node(2)], "shop.b": [node(3)]},
        inputs={1: ["shop.a", "shop.b"]},
    )
    code = "INSERT OVERWRITE TABLE t PARTITION (ds = '1') SELECT a.x, b.y FROM a JOIN b ON a.x = b.x"
    for name in MINE:
        assert not ask(name, workspace, code, inputs=("shop.a", "shop.b"))
    assert workspace.asked == {"nodes_by_output": 1, "node_inputs": 1}


def test_a_table_with_denied_access_hides_no_other() -> None:
    class Denying(Workspace):
        def table_info(self, guid: str) -> TableInfo:
            if guid.startswith("odps.aaa."):
                raise AccessDenied("GetMetaTableFullInfo", "Forbidden")
            return super().table_info(guid)

        def downstream_tables(self, guid: str, limit: int = 1000) -> tuple[TableRef, ...]:
            if guid == "odps.shop.u":
                raise AccessDenied("GetMetaTableLineage", "Forbidden")
            return super().downstream_tables(guid, limit)

    below = [ColumnRef("odps.shop.r.x", "x", "r", "shop")]
    workspace = Denying(
        tables={"odps.shop.t": columns("x"), "odps.shop.u": columns("y")},
        columns_below={"odps.shop.t.x": below},
    )
    code = "ALTER TABLE aaa.b DROP COLUMN x; DROP TABLE u; ALTER TABLE t DROP COLUMN x;"
    outcome = outcome_of("change-impact", workspace, code)
    assert outcome.kind is OutcomeKind.ERROR
    assert "lost-column-read" in rules(outcome.findings)


def test_lookups_of_readers_are_bounded_and_the_rest_is_reported() -> None:
    many = [f"c{number}" for number in range(90)]
    workspace = Workspace(tables={"odps.shop.t": columns(*many)})
    code = "".join(f"ALTER TABLE t DROP COLUMN {name};" for name in many)
    outcome = outcome_of("change-impact", workspace, code, max_columns=80)
    found = outcome.findings
    assert outcome.kind is OutcomeKind.UNREVIEWABLE
    assert "90 columns and tables" in str(outcome.detail)
    assert sum(workspace.asked.values()) <= MAX_CALLS + 5
    assert set(rules(found)) == {"not-checked"}
    assert "10 more" in found[-1].message


def test_ten_thousand_readers_are_one_finding() -> None:
    below = [ColumnRef(f"odps.shop.r{number}.x", "x", f"r{number}", "shop") for number in range(10_000)]
    workspace = Workspace(tables={"odps.shop.t": columns("x")}, columns_below={"odps.shop.t.x": below})
    (finding,) = ask("change-impact", workspace, "ALTER TABLE t DROP COLUMN x")
    assert finding.rule == "lost-column-read"
    assert "at least" in finding.message
    assert len(finding.message) < 1000
    assert sum(workspace.asked.values()) <= MAX_CALLS + 5


def test_readers_that_the_same_code_rewrites_are_ignored() -> None:
    workspace = Workspace(
        tables={"odps.shop.t": columns("x")},
        columns_below={"odps.shop.t.x": [ColumnRef("odps.shop.r.x", "x", "r", "shop")]},
    )
    code = "ALTER TABLE t DROP COLUMN x; INSERT OVERWRITE TABLE r SELECT y FROM t"
    assert not ask("change-impact", workspace, code)


NULLS = "INSERT INTO t SELECT 1, NULL"


@pytest.mark.parametrize("deployed", [None, NULLS])
def test_null_columns_of_new_or_unchanged_code_are_no_finding(deployed: str | None) -> None:
    workspace = Workspace(tables={"odps.shop.t": columns("a", "b")}, deployed=deployed)
    assert not ask("change-impact", workspace, NULLS)
    assert workspace.asked["deployed_code"] == 1


def test_a_rejected_lookup_of_the_code_in_production_does_not_make_the_file_new() -> None:
    refusal = RequestRejected("ListFileVersions", "MissingProjectId")
    workspace = Workspace(tables={"odps.shop.t": columns("a", "b")}, deployed=refusal)
    with pytest.raises(RequestRejected):
        ask("change-impact", workspace, NULLS)


@pytest.mark.parametrize(
    "name", [pytest.param(name, id=name) for name in ("change-impact", "declared-inputs", "adhoc-writes")]
)
@pytest.mark.parametrize(
    ("lookup", "what"),
    [("table_info", "GetMetaTableFullInfo"), ("producing_tasks", "GetMetaTableProducingTasks")],
)
def test_a_refusal_is_never_an_object_that_does_not_exist(name: str, lookup: str, what: str) -> None:
    refusal = RequestRejected(what, "Invalid.Tenant.ProjectNotExists")
    workspace = Workspace(tables={"odps.shop.b": columns("x")}, faults={lookup: refusal})
    code = "ALTER TABLE b DROP COLUMN x; INSERT OVERWRITE TABLE r SELECT y FROM b"
    asks = {("change-impact", "table_info"), ("declared-inputs", "producing_tasks")}
    if (name, lookup) in asks:
        with pytest.raises(RequestRejected):
            ask(name, workspace, code, inputs=("shop.a",))
    else:
        ask(name, workspace, code, inputs=("shop.a",))


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("change-impact", Severity.INFO),
        ("declared-inputs", Severity.INFO),
        ("adhoc-writes", Severity.WARN),
        ("code-review", Severity.WARN),
    ],
)
@pytest.mark.parametrize("file_type", [61, 266, 1312, 1315, 1323, 2012, 4711])
def test_code_in_an_unknown_language_is_a_finding(name: str, severity: Severity, file_type: int) -> None:
    (finding,) = ask(name, Workspace(), "DELETE FROM t;", file_type=file_type)
    assert finding.severity is severity
    assert "the language of its node type is not known" in finding.message


@pytest.mark.parametrize("name", ["change-impact", "declared-inputs", "adhoc-writes", "code-review"])
def test_node_types_without_a_script_are_skipped(name: str) -> None:
    with pytest.raises(SkipCheck, match="files of node type 1101 have no script"):
        ask(name, Workspace(), '{"branch": 1}', file_type=1101)


def test_the_effects_of_a_script_within_json_are_read() -> None:
    content = json.dumps({"code": "DROP TABLE t;", "config": {}})
    workspace = Workspace(tables={"odps.shop.t": columns("a")})
    workspace.deployed = json.dumps({"code": "SELECT 1;", "config": {}})
    found = ask("change-impact", workspace, content, file_type=1010)
    assert workspace.asked["table_info"] == 1
    assert all(item.line in {None, 1} for item in found)


def test_a_column_that_the_new_list_omits_is_reported() -> None:
    workspace = Workspace(
        tables={"odps.shop.t": columns("a", "b")},
        columns_below={"odps.shop.t.b": [ColumnRef("odps.shop.r.x", "x", "r", "shop")]},
        deployed="INSERT INTO t SELECT x, y FROM s",
    )
    (finding,) = ask("change-impact", workspace, "INSERT INTO t (a) SELECT x FROM s")
    assert (finding.rule, finding.severity) == ("unfilled-column-read", Severity.WARN)
    assert "shop.t.b" in finding.message


def test_tables_of_other_engines_are_reported_without_lookups() -> None:
    workspace = Workspace()
    found = ask("change-impact", workspace, "ALTER TABLE public.t DROP COLUMN a", file_type=1093)
    assert rules(found) == ["not-checked"]
    assert not workspace.asked
    with pytest.raises(SkipCheck, match="hologres"):
        ask("declared-inputs", workspace, "SELECT 1 FROM public.a", file_type=1093)


@pytest.mark.parametrize("name", MINE)
def test_lookup_errors_are_raised(name: str) -> None:
    fault = Throttled("a", "b")
    asked = ("nodes_by_output", "table_info", "producing_tasks")
    workspace = Workspace(faults=dict.fromkeys(asked, fault))
    with pytest.raises(Throttled):
        ask(name, workspace, "ALTER TABLE t DROP COLUMN x; SELECT 1 FROM b", inputs=("shop.a",))


@pytest.mark.parametrize("name", [*MINE, "adhoc-writes"])
def test_deleted_files_are_skipped(name: str) -> None:
    with pytest.raises(SkipCheck, match="deleted"):
        ask(name, Workspace(), data={"changeType": "2"})
    with pytest.raises(SkipCheck, match="deleted"):
        ask(name, Workspace(), change_type="DELETE")


def test_a_wide_upstream_graph_is_reported_as_not_checked() -> None:
    wide = [node(number) for number in range(10, 10_010)]
    workspace = Workspace(
        outputs={"shop.new": [node(2)]},
        inputs={1: []},
        children={1: [node(9)]},
        parents={2: wide, **{item.id: [item] for item in wide}},
    )
    assert rules(ask("schedule-consistency", workspace, inputs=("shop.new",))) == ["not-checked"]
    assert workspace.asked["node_parents"] == MAX_LOOKUPS


def test_no_cycle_is_searched_without_dependents() -> None:
    workspace = Workspace(outputs={"shop.new": [node(2)]}, inputs={1: []})
    assert not ask("schedule-consistency", workspace, inputs=("shop.new",))
    assert workspace.asked["node_parents"] == 0


def test_rejected_parents_leave_the_cycle_unknown() -> None:
    workspace = Workspace(
        outputs={"shop.new": [node(2)]},
        inputs={1: []},
        children={1: [node(9)]},
        faults={"node_parents": RequestRejected("GetNodeParents", "NotFound")},
    )
    assert rules(ask("schedule-consistency", workspace, inputs=("shop.new",))) == ["not-checked"]


@pytest.mark.parametrize(
    ("event_code", "severities"), [("commit-file", []), ("deploy-file", [Severity.WARN])]
)
def test_a_parent_in_development_is_enough_for_a_commit(event_code: str, severities: list[Severity]) -> None:
    workspace = Workspace(in_development={"shop.p": [node(2)]})
    found = ask("schedule-consistency", workspace, inputs=("shop.p", " "), event_code=event_code)
    assert [finding.severity for finding in found] == severities


def test_a_basic_workspace_has_no_development() -> None:
    workspace = Workspace()
    answers = workspace.nodes_by_output

    def refuse(outputs: Sequence[str], environment: Environment = Environment.PROD) -> Any:
        if environment is Environment.DEV:
            raise RequestRejected("ListNodesByOutput", "Invalid.Env")
        return answers(outputs, environment)

    workspace.nodes_by_output = refuse  # type: ignore[method-assign]
    assert rules(ask("schedule-consistency", workspace, inputs=("shop.p",))) == ["input-missing"]


def test_a_new_node_must_not_take_an_existing_output() -> None:
    workspace = Workspace(outputs={"shop.t": [node(5)]})
    assert rules(ask("schedule-consistency", workspace, node_id=None)) == ["output-taken"]
    assert not ask("schedule-consistency", workspace, node_id=None, data={"nodeId": "5"})


def test_undeclared_tables_beyond_the_limit_are_reported() -> None:
    code = "SELECT 1 FROM a0, a1, a2, a3, a4"
    workspace = Workspace()
    found = ask("declared-inputs", workspace, code, options={"max_lookups": 2})
    assert rules(found) == ["input-undeclared", "input-undeclared", "not-checked"]
    assert workspace.asked["producing_tasks"] == 2


def test_many_changes_of_production_are_counted() -> None:
    code = "".join(f"DROP TABLE shop.a{number};" for number in range(30))
    found = ask("adhoc-writes", Workspace(), code, event_code="run-file")
    assert len(found) == 21
    assert "10 more" in found[-1].message


def test_an_invalid_pattern_is_rejected() -> None:
    with pytest.raises(ValueError, match="regular expression"):
        CHECKS["adhoc-writes"].options.model_validate({"development": "("})


def test_names_generated_at_run_time_are_reported() -> None:
    found = ask(
        "adhoc-writes", Workspace(), "DROP TABLE ${p}.a; DROP TABLE shop.b_${x}", event_code="run-file"
    )
    assert rules(found) == ["not-checked", "adhoc-write"]
    found = ask("adhoc-writes", Workspace(), "o.delete_table(x)", event_code="run-file", file_type=1221)
    assert rules(found) == ["not-checked"]


def test_findings_in_chinese() -> None:
    workspace = Workspace(
        outputs={"shop.t": [node(5)]},
        tables={"odps.shop.t": columns("x")},
        columns_below={"odps.shop.t.x": [ColumnRef("odps.shop.r.x", "x", "r", "shop")]},
    )
    code = "ALTER TABLE t DROP COLUMN x; SELECT 1 FROM b"
    found = [
        finding for name in MINE for finding in ask(name, workspace, code, language=Language.CHINESE)
    ] + ask("adhoc-writes", workspace, "DROP TABLE shop.a", language=Language.CHINESE, event_code="run-file")
    assert rules(found) == ["lost-column-read", "input-undeclared", "output-taken", "adhoc-write"]
    for finding in found:
        assert "。" in finding.message
        assert finding.help
        assert "。" in finding.help
