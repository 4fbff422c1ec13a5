"""Searches from nodes along their scheduling dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from common import clock as fleet_clock
from workers.checks.api import Lookups
from workers.checks.impact.graph_walk import Budget, Neighbour, Visited, Walk, walk_graph
from workers.checks.impact.guarded_lookup import GuardedLookup
from workers.checks.impact.model import Dependent, DependentKind, Impact
from workers.dataworks.models import Environment, Node, Scheduler

Nodes = Walk[int, Node]


def downstream_nodes(
    lookups: Lookups,
    starts: Iterable[int],
    budget: Budget,
    *,
    leave_out: Iterable[int] = (),
    clock: Callable[[], float] = fleet_clock.now,
) -> Impact:
    """Return the nodes that depend on `starts` in production, directly or indirectly.

    Frozen nodes are not expanded: their dependents are blocked already.

    Raises:
        DataWorksError: a lookup failed before anything was found.
    """
    return _impact(walk_down(lookups, starts, budget, leave_out=leave_out, clock=clock))


def upstream_nodes(
    lookups: Lookups,
    starts: Iterable[int],
    budget: Budget,
    *,
    leave_out: Iterable[int] = (),
    clock: Callable[[], float] = fleet_clock.now,
) -> Impact:
    """Return the nodes that `starts` depend on in production, on each path up to the first frozen one.

    Raises:
        DataWorksError: a lookup failed before anything was found.
    """
    return _impact(
        _walk(
            lookups,
            lambda ask, key: ask.node_parents(key, Environment.PROD),
            starts,
            budget,
            leave_out,
            clock,
        )
    )


def walk_down(
    lookups: Lookups,
    starts: Iterable[int],
    budget: Budget,
    *,
    leave_out: Iterable[int] = (),
    clock: Callable[[], float] = fleet_clock.now,
) -> Nodes:
    """Return the same nodes as `downstream_nodes`, as `Node` values.

    Raises:
        DataWorksError: a lookup failed before anything was found.
    """
    return _walk(lookups, children, starts, budget, leave_out, clock)


def children(lookups: Lookups, node: int) -> Sequence[Node]:
    """Return the nodes that depend on `node` in production, one hop."""
    return lookups.node_children(node, Environment.PROD)


def is_frozen(node: Node) -> bool:
    """Whether `node` is frozen: neither it nor its dependents are started."""
    return node.scheduler == Scheduler.PAUSE


def _walk(
    lookups: Lookups,
    query: Callable[[Lookups, int], Sequence[Node]],
    starts: Iterable[int],
    budget: Budget,
    leave_out: Iterable[int],
    clock: Callable[[], float],
) -> Nodes:
    guarded = GuardedLookup[int, Node](
        lookups, lambda ask, key: [Neighbour(node.id, node.name, node) for node in query(ask, key)]
    )
    return guarded.or_raise(
        walk_graph(
            ((start, str(start)) for start in starts),
            guarded,
            budget,
            leave_out=leave_out,
            expand=lambda node: not is_frozen(node),
            clock=clock,
            begin=guarded.begin,
        )
    )


def _impact(nodes: Nodes) -> Impact:
    edges = tuple((str(source), str(target)) for source, target in nodes.edges)
    return Impact(tuple(map(_dependent, nodes.visited)), nodes.unexplored, nodes.calls, edges)


def _dependent(found: Visited[int, Node]) -> Dependent:
    node = found.item
    return Dependent(
        DependentKind.NODE,
        str(node.id),
        node.name,
        node.owner,
        node.project_id,
        node.baseline_id,
        node.priority,
        is_frozen(node),
        found.hops,
        found.path,
    )
