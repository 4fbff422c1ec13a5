"""The graph of dependents that the checks leave in the record, whether or not they find something."""

from __future__ import annotations

from typing import Any

from common.impact_graph import ImpactEdge, ImpactGraph, Unexplored
from common.snapshot import Column, FileSnapshot, Snapshot, TableSnapshot
from common.verdicts import OutcomeKind
from dwgate.testing import run_check
from tests.support.sample_workspace import HOME, Workspace, column, node, table
from workers.dataworks.errors import RequestRejected
from workers.dataworks.models import Baseline, Consumer, NodeOutput, ProducingTask, TableInfo


def graph_of(name: str, code: str, data: dict[str, Any], workspace: Workspace, **more: Any) -> ImpactGraph:
    outcome = run_check(name, code, data, lookups=workspace, project_id=HOME, **more)
    assert outcome.evidence is not None, outcome
    return outcome.evidence


def edges(graph: ImpactGraph) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in graph.edges}


def test_a_freeze_records_nodes_edges_owners_and_baselines() -> None:
    workspace = Workspace(
        children={
            1: [node(10), node(11, baseline=7, priority=8), node(14, "PAUSE")],
            10: [node(12, owner="77", project=9)],
            11: [node(12, owner="77", project=9)],
        },
        baselines={7: Baseline(7, "morning report", 8, "1", due="07:30")},
    )
    graph = graph_of("downstream-impact", "freeze-node", {"nodeIds": [1]}, workspace)
    assert [item.id for item in graph.changed] == ["1"]
    assert [(item.id, item.hops) for item in graph.dependents] == [("10", 1), ("11", 1), ("12", 2)]
    assert edges(graph) == {("1", "10"), ("1", "11"), ("10", "12"), ("11", "12")}, "all ways, not only one"
    on_baseline, far = graph.dependents[1:]
    assert (on_baseline.baseline, on_baseline.priority, on_baseline.due) == ("morning report", 8, "07:30")
    assert (far.name, far.owner, far.workspace, far.kind) == ("n12", "77", 9, "node")
    assert graph.is_complete


def test_a_check_that_passes_records_that_nothing_depends_on_the_node() -> None:
    outcome = run_check("downstream-impact", "freeze-node", {"nodeIds": [1]}, lookups=Workspace())
    assert outcome.kind is OutcomeKind.PASSED
    assert outcome.evidence is not None
    assert [item.id for item in outcome.evidence.nodes] == ["1"]
    assert outcome.evidence.is_complete


def test_a_removal_records_the_readers_of_the_written_tables() -> None:
    workspace = Workspace(
        outputs={1: [NodeOutput("shop.a", 1, "odps.shop.a"), NodeOutput("shop.b", 1, "odps.shop.b")]},
        tables={"odps.shop.a": [table("odps.other.x"), table("odps.shop.mine")]},
        readers={"odps.shop.a": [Consumer("report.7")]},
    )
    graph = graph_of("downstream-impact", "undeploy-node", {"nodeIds": [1]}, workspace)
    assert {(item.id, item.kind, item.hops) for item in graph.dependents} == {
        ("odps.shop.a", "table", 1),
        ("report.7", "consumer", 2),
        ("odps.other.x", "table", 2),
    }
    assert edges(graph) == {
        ("1", "odps.shop.a"),
        ("odps.shop.a", "report.7"),
        ("odps.shop.a", "odps.other.x"),
    }


def test_a_limit_of_the_search_is_recorded_at_the_nodes_where_it_ended() -> None:
    workspace = Workspace(children={1: [node(2), node(3)], 2: [node(4)]})
    graph = graph_of("downstream-impact", "freeze-node", {"nodeIds": [1]}, workspace, options={"depth": 1})
    assert set(graph.unexplored) == {Unexplored("2", "depth"), Unexplored("3", "depth")}
    assert not graph.is_complete


def test_a_search_that_fails_after_findings_is_recorded_as_incomplete() -> None:
    rejected = RequestRejected("ListNodeInputOrOutput", "No", "")
    workspace = Workspace(children={1: [node(2)]}, faults={"outputs": rejected})
    graph = graph_of("downstream-impact", "undeploy-node", {"nodeIds": [1]}, workspace)
    assert Unexplored(None, "failed") in graph.unexplored
    assert not graph.is_complete


def test_a_backfill_records_the_root_and_what_runs_below_it() -> None:
    workspace = Workspace(
        children={1: [node(2, baseline=7, priority=5), node(3)], 3: [node(4)]},
        baselines={7: Baseline(7, "noon", 5, None)},
    )
    data = {"rootNodeId": 1, "excludeNodeIds": [3]}
    graph = graph_of("backfill-scope", "backfill-data", data, workspace)
    assert [(item.id, item.is_changed, item.baseline) for item in graph.nodes] == [
        ("1", True, None),
        ("2", False, "noon"),
        ("4", False, None),
    ]


def test_an_unfreeze_records_what_starts_with_the_nodes() -> None:
    workspace = Workspace(children={1: [node(2), node(3, "PAUSE")]})
    graph = graph_of("start-surge", "unfreeze-node", {"nodeIds": [1]}, workspace)
    assert [(item.id, item.is_changed) for item in graph.nodes] == [("1", True), ("2", False)]


def test_a_dropped_column_records_the_columns_and_reports_that_read_it() -> None:
    file = FileSnapshot(
        1, "t.sql", 10, "ALTER TABLE t DROP COLUMN x; ALTER TABLE t DROP COLUMN y;", outputs=("shop.t",)
    )
    known = TableInfo("odps.shop.t", None, (Column("x", "INT", ""), Column("y", "INT", "")))
    workspace = Workspace(
        catalog={"odps.shop.t": known},
        columns={"odps.shop.t.x": [column("odps.shop.r.x")]},
        readers={"odps.shop.t": [Consumer("report.7")]},
        tasks={"odps.shop.r": [ProducingTask("5", "n5")]},
        nodes={5: node(5, owner="88")},
    )
    graph = graph_of("change-impact", "commit-file", {}, workspace, snapshot=Snapshot(file=file))
    assert {item.id for item in graph.changed} == {"odps.shop.t.x", "odps.shop.t.y"}
    assert {(item.id, item.kind, item.owner) for item in graph.dependents} == {
        ("odps.shop.r.x", "column", "88"),
        ("report.7", "consumer", None),
    }
    assert ImpactEdge("odps.shop.t.x", "odps.shop.r.x") in graph.edges
    assert ImpactEdge("odps.shop.t.y", "report.7") in graph.edges


def test_code_that_removes_nothing_has_no_graph() -> None:
    file = FileSnapshot(1, "t.sql", 10, "SELECT 1", outputs=("shop.t",))
    outcome = run_check("change-impact", "commit-file", snapshot=Snapshot(file=file), lookups=Workspace())
    assert (outcome.kind, outcome.evidence) == (OutcomeKind.PASSED, None)


def test_a_changed_table_records_the_readers_of_its_columns_and_of_itself() -> None:
    after = TableSnapshot("t", "PROD", "", None, columns=(Column("a", "INT", ""),))
    before = TableInfo(
        "odps.shop.t", None, (Column("a", "INT", ""), Column("b", "INT", ""), Column("c", "INT", ""))
    )
    workspace = Workspace(
        catalog={"odps.shop.t": before},
        columns={"odps.shop.t.b": [column("odps.shop.r.b")]},
        readers={"odps.shop.t": [Consumer("report.7")]},
    )
    data = {"maxComputeProject": "shop", "tableName": "t"}
    graph = graph_of("table-change", "commit-table", data, workspace, snapshot=Snapshot(table=after))
    assert {item.id for item in graph.changed} == {"odps.shop.t.b", "odps.shop.t.c", "odps.shop.t"}
    assert edges(graph) == {("odps.shop.t.b", "odps.shop.r.b"), ("odps.shop.t", "report.7")}


def test_readers_for_which_no_lookups_are_left_are_recorded() -> None:
    after = TableSnapshot("t", "PROD", "", None, columns=(Column("a", "INT", ""),))
    names = [Column(name, "INT", "") for name in "abcdefghij"]
    workspace = Workspace(catalog={"odps.shop.t": TableInfo("odps.shop.t", None, tuple(names))})
    data = {"maxComputeProject": "shop", "tableName": "t"}
    options = {"max_calls": 2}
    graph = graph_of(
        "table-change", "commit-table", data, workspace, snapshot=Snapshot(table=after), options=options
    )
    assert "calls" in {item.reason for item in graph.unexplored}
    assert not graph.is_complete
