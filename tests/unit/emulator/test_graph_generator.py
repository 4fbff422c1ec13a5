"""The generated world of realistic size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import pytest

from emulator.dataworks import graph_generator
from emulator.dataworks.world import World


def world_of(size: graph_generator.Size) -> World:
    world = World()
    world.merge(graph_generator.build_world(size))
    return world


def reachable(neighbours: Callable[[int], Iterable[int]]) -> set[int]:
    """Return the nodes reachable from the root; tolerates cycles."""
    seen, edge = {graph_generator.ROOT}, [graph_generator.ROOT]
    while edge:
        edge = sorted({child for node in edge for child in neighbours(node)} - seen)
        seen.update(edge)
    return seen


@pytest.mark.parametrize(
    "size",
    [
        graph_generator.Size(),
        graph_generator.Size(nodes=2, layers=2),
        graph_generator.Size(nodes=30, layers=30, fan_out=1),
        graph_generator.Size(nodes=500, layers=3, fan_out=9, loops=20, baselines=0, workspaces=1, owners=1),
    ],
)
def test_everything_depends_on_the_root(size: graph_generator.Size) -> None:
    world = world_of(size)
    assert len(world.nodes) == len(world.tables) == size.nodes
    assert reachable(world.children) == world.nodes.keys()
    assert len(world.baselines) == size.baselines
    assert {node.fields.get("BaselineId") for node in world.nodes.values()} <= {None, *world.baselines}
    assert len({node.fields["OwnerId"] for node in world.nodes.values()}) <= size.owners


def test_tables_and_columns_follow_the_nodes() -> None:
    world = world_of(graph_generator.Size(nodes=400))
    for guid, table in world.tables.items():
        (node,) = world.nodes_with_output(guid.removeprefix("odps."))
        assert table.producers == (node.fields["NodeId"],)
        assert set(table.upstream) == {world.nodes[parent].outputs[0]["TableName"] for parent in node.parents}
        assert set(world.column_upstream(f"{guid}.id")) == {f"{source}.id" for source in table.upstream}
    assert any(table.consumers for table in world.tables.values())


def test_the_world_is_reproducible_by_seed() -> None:
    assert graph_generator.build_world(graph_generator.Size(nodes=200)) == graph_generator.build_world(
        graph_generator.Size(nodes=200)
    )
    assert graph_generator.build_world(graph_generator.Size(nodes=200)) != graph_generator.build_world(
        graph_generator.Size(nodes=200, seed=2)
    )


def test_there_are_hubs_and_loops() -> None:
    world = world_of(graph_generator.Size(nodes=1000, loops=3))
    most_children = max(len(world.children(node)) for node in world.nodes)
    assert most_children >= 40
    last = max(world.nodes)
    backward = [
        (parent, node) for node, entry in world.nodes.items() for parent in entry.parents if parent > node
    ]
    assert len(backward) == 3
    assert all(parent <= last for parent, _ in backward)


def test_five_thousand_nodes_are_generated_in_a_second() -> None:
    started = time.process_time()
    graph_generator.build_world(graph_generator.Size(nodes=5000))
    assert time.process_time() - started < 1
