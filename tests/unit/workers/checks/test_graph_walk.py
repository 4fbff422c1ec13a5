"""The graph search over nodes, tables and columns: limits, cycles, errors and summaries."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sample_workspace import Workspace, column, node, table
from workers.checks.impact.baselines import baselines_of
from workers.checks.impact.graph_walk import (
    Budget,
    Neighbour,
    StopReason,
    Unexplored,
    UnknownNode,
    WalkAborted,
    search_deadline,
    walk_graph,
)
from workers.checks.impact.model import DependentKind, Impact
from workers.checks.impact.nodes import downstream_nodes, upstream_nodes
from workers.checks.impact.outputs import output_table
from workers.checks.impact.summary import count_dependents, summarize
from workers.checks.impact.tables import column_readers, table_readers
from workers.dataworks.errors import AccessDenied, Throttled
from workers.dataworks.models import Baseline, Consumer, NodeOutput, ProducingTask

Graph = dict[int, list[int]]


def neighbours(graph: Graph, key: int) -> list[Neighbour[int, int]]:
    return [Neighbour(item, str(item), item) for item in graph.get(key, ())]


@given(
    graph=st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=6)),
    starts=st.lists(st.integers(0, 9), min_size=1, max_size=3),
    depth=st.integers(1, 12),
    calls=st.integers(0, 12),
)
def test_a_walk_finds_each_reachable_node_once_by_a_shortest_path_or_reports_the_rest(
    graph: Graph, starts: list[int], depth: int, calls: int
) -> None:
    asked: list[int] = []

    def near(key: int) -> list[Neighbour[int, int]]:
        asked.append(key)
        return neighbours(graph, key)

    walked = walk_graph([(start, str(start)) for start in starts], near, Budget(depth, 100, calls))
    distance, edge = dict.fromkeys(starts, 0), list(dict.fromkeys(starts))
    for key in edge:
        for item in graph.get(key, ()):
            if item not in distance:
                distance[item] = distance[key] + 1
                edge.append(item)
    found = {item.key: item.hops for item in walked.visited}
    assert len(found) == len(walked.visited)
    assert len(asked) == len(set(asked)) == walked.calls <= calls
    assert all(distance[key] == hops <= depth and key not in starts for key, hops in found.items())
    assert [item.hops for item in walked.visited] == sorted(found.values())
    if not walked.unexplored:
        assert found == {key: hops for key, hops in distance.items() if hops}
    for one in walked.visited:
        way = [int(name) for name in one.path]
        assert way[0] in starts
        assert way[-1] == one.key
        assert all(then in graph[now] for now, then in pairwise(way))


@pytest.mark.parametrize(
    ("budget", "why", "found"),
    [
        (Budget(depth=3), StopReason.DEPTH, 3),
        (Budget(nodes=4), StopReason.NODES, 4),
        (Budget(calls=6, depth=99), StopReason.CALLS, 6),
        (Budget(deadline=0), StopReason.TIME, 0),
    ],
)
def test_an_exhausted_budget_reports_the_limit_and_the_rest(
    budget: Budget, why: StopReason, found: int
) -> None:
    chain = {number: [number + 1] for number in range(50)}
    walked = walk_graph([(0, "0")], lambda key: neighbours(chain, key), budget)
    assert len(walked.visited) == found
    assert walked.unexplored == (Unexplored(why, (str(found),)),)


def test_a_result_beyond_the_budget_is_kept_whole_and_a_full_page_is_incomplete() -> None:
    walked = walk_graph(
        [(0, "0")], lambda key: neighbours({0: [*range(1, 10_001)]}, key), Budget(), page_limit=10_000
    )
    assert len(walked.visited) == 10_000
    assert [item.reason for item in walked.unexplored] == [StopReason.CUT, StopReason.NODES]
    assert walked.calls == 1


def test_unknown_nodes_are_skipped_and_an_abort_keeps_the_results() -> None:
    def near(key: int) -> list[Neighbour[int, int]]:
        if key == 2:
            raise UnknownNode("gone")
        if key == 4:
            raise WalkAborted("no more")
        return neighbours({1: [2, 3, 4, 5]}, key)

    walked = walk_graph([(1, "1")], near, Budget())
    assert [item.key for item in walked.visited] == [2, 3, 4, 5]
    assert walked.unexplored == (
        Unexplored(StopReason.MISSING, ("2",), "gone"),
        Unexplored(StopReason.FAILED, ("4", "5"), "no more"),
    )


def test_time_is_reserved_for_reporting() -> None:
    assert search_deadline(100, 110) == 108
    assert search_deadline(100, math.inf) == math.inf


def test_nodes_are_walked_except_behind_frozen_ones_and_in_cycles() -> None:
    workspace = Workspace(
        children={
            1: [node(1), node(2), node(3, "PAUSE"), node(9)],
            2: [node(4), node(1)],
            3: [node(5)],
            4: [node(2)],
        }
    )
    impact = downstream_nodes(workspace, [1], Budget(), leave_out=[9])
    assert [(item.key, item.hops, item.path) for item in impact.live.dependents] == [
        ("2", 1, ("1", "n2")),
        ("4", 2, ("1", "n2", "n4")),
    ]
    assert [item.key for item in impact.dependents] == ["2", "3", "4"]
    assert impact.is_complete
    assert impact.calls == len(workspace.calls) == 3


def test_upstream_ends_at_the_first_frozen_node() -> None:
    workspace = Workspace(parents={1: [node(2)], 2: [node(3, "PAUSE")], 3: [node(4, "PAUSE")]})
    impact = upstream_nodes(workspace, [1], Budget())
    assert [(item.key, item.frozen) for item in impact.dependents] == [("2", False), ("3", True)]


def test_an_error_is_raised_if_nothing_is_known() -> None:
    workspace = Workspace(faults={"children": Throttled("GetNodeChildren", "Throttling")})
    with pytest.raises(Throttled):
        downstream_nodes(workspace, [1, 2], Budget())
    workspace = Workspace(
        children={1: [node(2)]}, faults={("children", 2): Throttled("GetNodeChildren", "Throttling")}
    )
    impact = downstream_nodes(workspace, [1], Budget())
    assert [item.key for item in impact.dependents] == ["2"]
    assert not impact.is_complete
    assert "not checked: everything beyond n2 (GetNodeChildren: Throttling)" in summarize(impact, {}).en


def test_an_unknown_start_is_reported() -> None:
    impact = downstream_nodes(Workspace(unknown={7}), [7], Budget())
    assert (impact.dependents, impact.is_complete) == ((), False)
    assert summarize(impact, {}).en == "at least 0 nodes; not checked: 7, unknown to DataWorks"


def test_direct_and_indirect_readers_of_a_table_with_owners() -> None:
    workspace = Workspace(
        tables={
            "odps.shop.a": [table("odps.shop.b"), table("odps.shop.A")],
            "odps.shop.b": [table("odps.other.c"), table("odps.shop.a")],
        },
        readers={"odps.shop.a": [Consumer("dataservice-api.1")]},
        tasks={"odps.shop.b": [ProducingTask("x", "n"), ProducingTask("5", "n5")]},
        nodes={5: node(5, owner="77", project=9, baseline=3, priority=8)},
    )
    impact = table_readers(workspace, ["odps.Shop.A"], Budget())
    assert [(item.kind, item.name, item.owner, item.project_id, item.hops) for item in impact.dependents] == [
        (DependentKind.CONSUMER, "dataservice-api.1", None, None, 1),
        (DependentKind.TABLE, "shop.b", "77", 9, 1),
        (DependentKind.TABLE, "other.c", None, None, 2),
    ]
    assert impact.is_complete
    assert impact.calls == len(workspace.calls)
    assert summarize(impact, {3: Baseline(3, "morning report", 8, "19")}).en == (
        "2 tables and 1 consumer (1 on baseline morning report, priority 8; 1 owner; workspace 9): "
        "shop.b (77), dataservice-api.1, other.c (via shop.b)"
    )


def test_a_failed_owner_lookup_hides_no_reader() -> None:
    workspace = Workspace(
        tables={"odps.shop.a": [table(f"odps.shop.t{number}") for number in range(8)]},
        faults={("tasks", "odps.shop.t1"): AccessDenied("GetMetaTableProducingTasks", "Forbidden")},
        unknown={"odps.shop.t0"},
    )
    impact = table_readers(workspace, ["odps.shop.a"], Budget(depth=1))
    assert len(impact.dependents) == 8
    assert [item.reason for item in impact.unexplored] == [StopReason.DEPTH, StopReason.OWNERS]
    assert [about for what, about in workspace.calls if what == "tasks"] == ["odps.shop.t0", "odps.shop.t1"]


@pytest.mark.parametrize("failing", [["consumers"], ["tables"], ["consumers", "tables"]])
def test_a_partial_failure_without_results_is_raised(failing: list[str]) -> None:
    fault = AccessDenied("ListLineage", "Forbidden")
    workspace = Workspace(faults=dict.fromkeys(failing, fault))
    with pytest.raises(AccessDenied):
        table_readers(workspace, ["odps.shop.a"], Budget())
    workspace.tables = {"odps.shop.a": [table("odps.shop.b")]}
    workspace.readers = {"odps.shop.a": [Consumer("api")]}
    if len(failing) == 1:
        impact = table_readers(workspace, ["odps.shop.a"], Budget())
        assert len(impact.dependents) == 1
        assert not impact.is_complete


@pytest.mark.parametrize("calls", range(6))
def test_owners_and_consumers_stay_within_the_budget(calls: int) -> None:
    workspace = Workspace(
        tables={f"odps.shop.t{number}": [table(f"odps.shop.t{number + 1}")] for number in range(9)},
        tasks={f"odps.shop.t{number}": [ProducingTask("1", "n")] for number in range(9)},
    )
    impact = table_readers(workspace, ["odps.shop.t0"], Budget(calls=calls))
    assert impact.calls == len(workspace.calls) <= calls
    assert not impact.is_complete


def test_readers_of_a_column_share_the_owner_of_their_table() -> None:
    workspace = Workspace(
        columns={"odps.shop.a.x": [column("odps.shop.b.y"), column("odps.shop.b.z")]},
        tasks={"odps.shop.b": [ProducingTask("5", "n5")]},
    )
    impact = column_readers(workspace, ["odps.shop.a.X"], Budget())
    assert [(item.kind, item.name, item.owner) for item in impact.dependents] == [
        (DependentKind.COLUMN, "shop.b.y", "1923"),
        (DependentKind.COLUMN, "shop.b.z", "1923"),
    ]
    assert [about for what, about in workspace.calls if what == "tasks"] == ["odps.shop.b"]


def test_a_summary_is_short_for_any_number_of_dependents() -> None:
    workspace = Workspace(children={1: [node(number, owner=f"u{number}") for number in range(2, 10_002)]})
    impact = downstream_nodes(workspace, [1], Budget())
    said = summarize(impact, {})
    assert len(said.en) < 400
    assert said.en.startswith("at least 10000 nodes (10000 owners; workspace 93124): n2 (2, u2), n3 (3, u3)")
    assert said.en.endswith(
        "and 9990 more; not checked: everything beyond n2, n3, n4 and 9997 more (node limit)"
    )
    assert said.zh.startswith("至少 10000 个节点（10000 位负责人；工作空间 93124）：n2（2，u2）、")
    assert len(said.zh) < 400


def test_high_priorities_come_first_among_equal_hops_and_long_names_are_cut() -> None:
    workspace = Workspace(
        children={1: [node(2), node(3, baseline=4, priority=8), node(5, owner=None)], 2: [node(6)]},
    )
    impact = downstream_nodes(workspace, [1], Budget())
    assert summarize(impact, {}, from_start=True).en == (
        "4 nodes (1 on baseline 4, priority 8; 1 owner; workspace 93124): n3 (3, 1923; via 1), "
        "n2 (2, 1923; via 1), n5 (5, no owner; via 1), n6 (6, 1923; via 1 > n2)"
    )
    assert count_dependents(Impact((), (), 0)).en == "0 nodes"


def test_baselines_whose_lookup_fails_have_no_name() -> None:
    workspace = Workspace(
        baselines={7: Baseline(7, "b", 8, None)},
        faults={("baseline", 8): AccessDenied("GetBaseline", "Forbidden")},
    )
    carriers = [node(1), *(node(1, baseline=number, priority=number) for number in (1, 7, 8))]
    assert baselines_of(workspace, carriers).keys() == {7}
    assert [about for _, about in workspace.calls] == [8, 7]


@pytest.mark.parametrize(
    ("name", "told", "guid"),
    [
        ("shop.dwd_order", None, "odps.shop.dwd_order"),
        ("shop.700123_out", "odps.Shop.DWD_order", "odps.shop.dwd_order"),
        ("shop.700123_out", "dwd_order", "odps.shop.dwd_order"),
        ("x", "other.dwd_order", "odps.other.dwd_order"),
        ("shop.700123_out", None, None),
        ("shop_root", None, None),
        ("shop.shop_root", "", None),
        ("", None, None),
        ("a..b", None, None),
    ],
)
def test_table_of_an_output(name: str, told: str | None, guid: str | None) -> None:
    assert output_table(NodeOutput(name, 1, told)) == guid


def test_a_graph_of_five_thousand_nodes_is_fast() -> None:
    graph = {number: [node(number * 5 + child) for child in range(1, 6)] for number in range(1000)}
    workspace = Workspace(children=graph)
    begun = time.process_time()
    impact = downstream_nodes(workspace, [0], Budget(depth=50, nodes=10_000, calls=10_000))
    summarize(impact, {})
    assert len(impact.dependents) == 5000
    assert time.process_time() - begun < 2
