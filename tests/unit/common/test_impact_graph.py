"""The graph of dependents in a record: JSON, limits, and the merging of several searches."""

from __future__ import annotations

import dataclasses

import orjson

from common.impact_graph import (
    CHECK_ENDED,
    MAX_EDGES,
    MAX_NODES,
    NOT_STORED,
    BaselineName,
    ImpactEdge,
    ImpactGraph,
    ImpactNode,
    ImpactRecorder,
    Unexplored,
)
from common.verdicts import Outcome, OutcomeKind

MAX_STORED_BYTES = 30_000


def a_node(number: int, hops: int = 1, **changes: object) -> ImpactNode:
    node = ImpactNode(
        f"{700123000 + number}",
        f"dws_trade_order_detail_{number}_di",
        "1923456789012735",
        93124,
        "node",
        hops,
    )
    return dataclasses.replace(node, **changes)  # type: ignore[arg-type]


def changed(number: int = 0) -> ImpactNode:
    return a_node(number, 0, is_changed=True)


def graph_of(recorder: ImpactRecorder) -> ImpactGraph:
    graph = recorder.build_graph()
    assert graph is not None
    return graph


def test_a_graph_round_trips_through_json() -> None:
    graph = ImpactGraph(
        (
            changed(),
            a_node(1, baseline="morning", priority=8, due="07:30"),
            a_node(2, owner=None, workspace=None),
        ),
        (ImpactEdge("700123000", "700123001"),),
        (Unexplored("700123002", "depth"), Unexplored(None, "failed")),
        is_complete=False,
        omitted=3,
    )
    assert ImpactGraph.from_json(orjson.loads(orjson.dumps(graph.to_json()))) == graph


def test_an_outcome_keeps_its_evidence_and_one_without_it_is_written_as_before() -> None:
    graph = ImpactGraph((changed(),))
    with_graph = Outcome(OutcomeKind.PASSED, evidence=graph)
    assert Outcome.from_json(with_graph.to_json()) == with_graph
    assert "evidence" not in Outcome(OutcomeKind.PASSED).to_json()
    assert Outcome.from_json({"kind": "passed", "findings": [], "detail": None}).evidence is None


def test_fields_of_a_newer_version_are_ignored() -> None:
    raw = ImpactGraph((changed(), a_node(1))).to_json()
    raw["nodes"] = [{**node, "colour": "red"} for node in raw["nodes"]]
    assert ImpactGraph.from_json({**raw, "more": 1}) == ImpactGraph((changed(), a_node(1)))


def test_searches_are_merged_and_the_shortest_way_counts() -> None:
    recorder = ImpactRecorder()
    recorder.add_nodes([changed(), a_node(1, 3)])
    recorder.add_nodes([a_node(1, 2, owner="other"), a_node(0, 1)])
    recorder.add_edges([ImpactEdge("700123000", "700123001"), ImpactEdge("700123000", "unknown")])
    recorder.add_edges([ImpactEdge("700123000", "700123001"), ImpactEdge("700123001", "700123001")])
    graph = graph_of(recorder)
    assert graph.nodes == (changed(), a_node(1, 2))
    assert graph.edges == (ImpactEdge("700123000", "700123001"),)
    assert graph.is_complete


def test_a_baseline_gets_its_name_whenever_that_becomes_known() -> None:
    recorder = ImpactRecorder()
    recorder.add_nodes([a_node(1, baseline="7"), a_node(2, baseline="9")])
    recorder.name_baselines({"7": BaselineName("morning report", "07:30")})
    first, second = graph_of(recorder).nodes
    assert (first.baseline, first.due) == ("morning report", "07:30")
    assert (second.baseline, second.due) == ("9", None)


def test_what_was_not_explored_makes_the_graph_incomplete_unless_only_owners_are_missing() -> None:
    recorder = ImpactRecorder()
    recorder.add_nodes([changed()])
    recorder.add_unexplored([Unexplored("700123000", "owners")], hides_dependents=False)
    assert graph_of(recorder).is_complete
    recorder.add_unexplored([Unexplored(None, "failed")])
    assert not graph_of(recorder).is_complete
    assert graph_of(recorder).unexplored == (Unexplored("700123000", "owners"), Unexplored(None, "failed"))


def test_the_graph_of_a_check_that_did_not_finish_is_incomplete() -> None:
    recorder = ImpactRecorder()
    assert recorder.build_graph(has_ended=False) is None
    recorder.add_nodes([changed()])
    graph = recorder.build_graph(has_ended=False)
    assert graph is not None
    assert not graph.is_complete
    assert graph.unexplored == (Unexplored(None, CHECK_ENDED),)


def test_a_large_graph_keeps_what_is_changed_and_the_nearest_and_reports_the_rest() -> None:
    recorder = ImpactRecorder()
    recorder.add_nodes(a_node(number, 2) for number in range(1, MAX_NODES))
    recorder.add_nodes([a_node(9001), a_node(9002, 0, is_changed=True)])
    recorder.add_unexplored([Unexplored(f"{700123000 + MAX_NODES - 1}", "depth")])
    graph = graph_of(recorder)
    assert len(graph.nodes) == MAX_NODES
    assert [node.hops for node in graph.nodes[:3]] == [0, 1, 2]
    assert (graph.omitted, graph.is_complete) == (1, False)
    assert graph.unexplored == (Unexplored(None, NOT_STORED),), "what is about an omitted node is left out"


def test_every_dependent_keeps_an_edge_when_edges_are_cut() -> None:
    recorder = ImpactRecorder()
    nodes = [changed(), *(a_node(number) for number in range(1, 100))]
    recorder.add_nodes(nodes)
    recorder.add_edges(ImpactEdge(one.id, other.id) for one in nodes for other in nodes)
    graph = graph_of(recorder)
    assert len(graph.edges) == MAX_EDGES
    assert {edge.target for edge in graph.edges} == {node.id for node in nodes}


def test_texts_are_masked_printable_and_bounded() -> None:
    recorder = ImpactRecorder()
    recorder.add_nodes([dataclasses.replace(a_node(1), id="x" * 400, name="ads\u202esecret" + "y" * 400)])
    recorder.add_edges([ImpactEdge("x" * 400, "x" * 400)])
    graph = recorder.build_graph(lambda text: text.replace("secret", "***"))
    assert graph is not None
    (node,) = graph.nodes
    assert node.name.startswith("ads\N{REPLACEMENT CHARACTER}***y")
    assert max(len(node.id), len(node.name)) == 300


def test_the_size_of_a_stored_graph_is_bounded() -> None:
    recorder = ImpactRecorder()
    nodes = [changed(), *(a_node(number, baseline="7", priority=8) for number in range(1, 2 * MAX_NODES))]
    recorder.add_nodes(nodes)
    recorder.add_edges(ImpactEdge(nodes[number // 7].id, node.id) for number, node in enumerate(nodes))
    recorder.name_baselines({"7": BaselineName("Trade data before the working day", "07:30")})
    graph = graph_of(recorder)
    assert len(graph.pack()) < MAX_STORED_BYTES
    assert ImpactGraph.unpack(graph.pack()) == graph
