"""Searches from tables and columns along their lineage in DataWorks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from common import clock as fleet_clock
from workers.checks.api import Lookups
from workers.checks.impact import owners
from workers.checks.impact.graph_walk import Budget, Neighbour, Visited, walk_graph
from workers.checks.impact.guarded_lookup import GuardedLookup
from workers.checks.impact.model import Dependent, DependentKind, Impact
from workers.dataworks.models import ColumnRef, Consumer, TableRef

Item = TypeVar("Item")

_MAX_ITEMS = 1000
"""Maximum results per lookup; a longer list is reported as incomplete."""

_PREFIX = "odps."


def table_readers(
    lookups: Lookups,
    guids: Iterable[str],
    budget: Budget,
    *,
    leave_out: Iterable[str] = (),
    clock: Callable[[], float] = fleet_clock.now,
) -> Impact:
    """Return the tables derived from the tables `guids`, directly or indirectly, and other direct readers.

    The nearest tables have the owner, workspace and baseline of the task that writes them.

    Args:
        lookups: queries to DataWorks.
        guids: `odps.project.table`, in any case.
        budget: limits of the search; a lookup of a long list can be several requests.
        leave_out: tables that are ignored.
        clock: returns seconds since the epoch.

    Raises:
        DataWorksError: a lookup failed before anything was found.
    """
    starts, left_out = _keys(guids), [guid.lower() for guid in leave_out]
    others = GuardedLookup[str, Consumer](
        lookups,
        lambda ask, key: [_neighbour(item.qualified_name, item) for item in ask.consumers(key, _MAX_ITEMS)],
    )
    tables = GuardedLookup[str, TableRef](
        lookups,
        lambda ask, key: [_neighbour(item.guid, item) for item in ask.downstream_tables(key, _MAX_ITEMS)],
    )
    both = [key for key, _ in starts][: budget.calls // 2]
    others.begin(both)
    tables.begin(both)
    consumers = walk_graph(
        starts,
        others,
        budget,
        expand=lambda _: False,
        page_limit=_MAX_ITEMS,
        clock=clock,
        begin=others.begin,
    )
    left = replace(budget, calls=budget.calls - consumers.calls)
    derived = walk_graph(
        starts,
        tables,
        _without_owners(left),
        leave_out=left_out,
        page_limit=_MAX_ITEMS,
        clock=clock,
        begin=tables.begin,
    )
    if not consumers.visited and not derived.visited:
        others.or_raise(consumers)
        tables.or_raise(derived)
    found = (
        *(_dependent(DependentKind.CONSUMER, item) for item in consumers.visited),
        *(_dependent(DependentKind.TABLE, item) for item in derived.visited),
    )
    unseen = (*consumers.unexplored, *derived.unexplored)
    edges = (*consumers.edges, *derived.edges)
    impact = Impact(found, unseen, consumers.calls + derived.calls, edges)
    return _with_owners(lookups, impact, budget, clock)


def column_readers(
    lookups: Lookups,
    column_guids: Iterable[str],
    budget: Budget,
    *,
    leave_out: Iterable[str] = (),
    clock: Callable[[], float] = fleet_clock.now,
) -> Impact:
    """Return the columns derived from the columns `column_guids`, directly or indirectly.

    The nearest have the owner, workspace and baseline of the task that writes their table. For reports and
    APIs DataWorks knows only the tables that they read, see `table_readers`.

    Args:
        lookups: queries to DataWorks.
        column_guids: `odps.project.table.column`, in any case.
        budget: limits of the search; a lookup of a long list can be several requests.
        leave_out: columns that are ignored.
        clock: returns seconds since the epoch.

    Raises:
        DataWorksError: a lookup failed before anything was found.
    """
    columns = GuardedLookup[str, ColumnRef](
        lookups,
        lambda ask, key: [_neighbour(item.guid, item) for item in ask.downstream_columns(key, _MAX_ITEMS)],
    )
    starts = _keys(column_guids)
    start_guids = {guid for guid, _ in starts}

    def begin(level: Sequence[str]) -> None:
        columns.begin(level)
        # The owners of the nearest, beside what is behind these.
        nearest = [key.rpartition(".")[0] for key in level if key not in start_guids]
        owners.begin_owners(lookups, nearest, budget.calls // 2)

    derived = walk_graph(
        starts,
        columns,
        _without_owners(budget),
        leave_out=[guid.lower() for guid in leave_out],
        page_limit=_MAX_ITEMS,
        clock=clock,
        begin=begin,
    )
    columns.or_raise(derived)
    found = tuple(_dependent(DependentKind.COLUMN, item) for item in derived.visited)
    impact = Impact(found, derived.unexplored, derived.calls, derived.edges)
    return _with_owners(lookups, impact, budget, clock)


def _keys(guids: Iterable[str]) -> list[tuple[str, str]]:
    return [(guid.lower(), guid.lower().removeprefix(_PREFIX)) for guid in guids]


def _neighbour(guid: str, item: Item) -> Neighbour[str, Item]:
    return Neighbour(guid.lower(), guid.removeprefix(_PREFIX), item)


def _without_owners(budget: Budget) -> Budget:
    """Return the budget of the search when calls are reserved for owners, at most half of them."""
    return replace(budget, calls=max(budget.calls - owners.MAX_CALLS, (budget.calls + 1) // 2))


def _dependent(kind: DependentKind, found: Visited[str, Item]) -> Dependent:
    name = found.path[-1]
    return Dependent(kind, found.key, name, None, None, None, None, False, found.hops, found.path)


def _with_owners(lookups: Lookups, impact: Impact, budget: Budget, clock: Callable[[], float]) -> Impact:
    lookup = owners.OwnerLookup(lookups)
    left = budget.calls - impact.calls if clock() < budget.deadline else 0
    dependents = lookup.with_owners(impact.dependents, left)
    unseen = dict.fromkeys((*impact.unexplored, *lookup.unexplored))
    calls = impact.calls + lookup.calls
    return replace(impact, dependents=dependents, unexplored=tuple(unseen), calls=calls)
