"""Records what a check finds on dependents, as evidence for the record of the event."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from common.impact_graph import BaselineName, ImpactEdge, ImpactNode, ImpactRecorder
from common.impact_graph import Unexplored as UnexploredPart
from workers.checks.impact.graph_walk import StopReason, Unexplored, Walk
from workers.checks.impact.model import Dependent, DependentKind, Impact
from workers.checks.impact.start_nodes import StartNodes
from workers.dataworks.models import Baseline, Node, Scheduler

_PREFIX = "odps."


def record_start_nodes(recorder: ImpactRecorder, starts: StartNodes, ids: Iterable[int]) -> None:
    """Record the nodes `ids` as what the operation works on; also those that DataWorks did not return."""
    known = {node.id: node for node in starts.nodes}
    recorder.add_nodes(
        _from_node(known[number], 0, is_changed=True)
        if number in known
        else ImpactNode(str(number), str(number), None, None, DependentKind.NODE.value, 0, is_changed=True)
        for number in ids
    )
    record_unexplored(recorder, starts.unexplored)


def record_walk(recorder: ImpactRecorder, walk: Walk[int, Node], leave_out: Collection[int] = ()) -> None:
    """Record the live nodes that a search found, except `leave_out`."""
    recorder.add_nodes(
        _from_node(found.item, found.hops)
        for found in walk.visited
        if found.item.scheduler != Scheduler.PAUSE and found.key not in leave_out
    )
    recorder.add_edges(ImpactEdge(str(source), str(target)) for source, target in walk.edges)
    record_unexplored(recorder, walk.unexplored)


def record_written_tables(recorder: ImpactRecorder, writers: Mapping[str, Sequence[int]]) -> None:
    """Record tables by guid, one hop from the nodes that write them."""
    for guid, nodes in writers.items():
        name = guid.removeprefix(_PREFIX)
        recorder.add_nodes([ImpactNode(guid, name, None, None, DependentKind.TABLE.value, 1)])
        recorder.add_edges(ImpactEdge(str(node), guid) for node in nodes)


def record_changed_table(recorder: ImpactRecorder, guid: str, column: str = "") -> str:
    """Record a table (`odps.project.table`) or one of its columns as changed; return its id in the graph."""
    kind = DependentKind.COLUMN if column else DependentKind.TABLE
    key = (f"{guid}.{column}" if column else guid).lower()
    name = key.removeprefix(_PREFIX)
    recorder.add_nodes([ImpactNode(key, name, None, None, kind.value, 0, is_changed=True)])
    return key


def record_not_looked_up(recorder: ImpactRecorder, key: str) -> None:
    """Record that the readers of an object were not looked up, because no lookups were left."""
    recorder.add_unexplored([UnexploredPart(key, StopReason.CALLS.value)])


def record_impact(recorder: ImpactRecorder, impact: Impact, *, first_hop: int = 0) -> None:
    """Record the dependents of a search that started `first_hop` hops from what is changed."""
    recorder.add_nodes(_from_dependent(item, first_hop) for item in impact.dependents)
    recorder.add_edges(ImpactEdge(source, target) for source, target in impact.edges)
    record_unexplored(recorder, impact.unexplored)


def record_baselines(recorder: ImpactRecorder, baselines: Mapping[int, Baseline]) -> None:
    """Record the names and committed times of baselines by id."""
    recorder.name_baselines(
        {str(number): BaselineName(item.name or str(number), item.due) for number, item in baselines.items()}
    )


def record_unexplored(recorder: ImpactRecorder, items: Iterable[Unexplored]) -> None:
    """Record what a search did not explore."""
    for item in items:
        keys: tuple[str | None, ...] = item.keys or (None,)
        parts = [UnexploredPart(key, item.reason.value) for key in keys]
        recorder.add_unexplored(parts, hides_dependents=item.reason is not StopReason.OWNERS)


def _from_node(node: Node, hops: int, *, is_changed: bool = False) -> ImpactNode:
    return ImpactNode(
        str(node.id),
        node.name or str(node.id),
        node.owner or None,
        node.project_id,
        DependentKind.NODE.value,
        hops,
        baseline=None if node.baseline_id is None else str(node.baseline_id),
        priority=node.priority,
        is_changed=is_changed,
    )


def _from_dependent(item: Dependent, first_hop: int) -> ImpactNode:
    return ImpactNode(
        item.key,
        item.name or item.key,
        item.owner or None,
        item.project_id,
        item.kind.value,
        item.hops + first_hop,
        baseline=None if item.baseline_id is None else str(item.baseline_id),
        priority=item.priority,
    )
