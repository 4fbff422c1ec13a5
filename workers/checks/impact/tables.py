"""Outward from tables and columns, over the lineage that DataWorks keeps of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from workers.checks.api import Lookups
from workers.checks.impact import owners
from workers.checks.impact.graph_walk import Budget, Neighbour, Visited, walk_graph
from workers.checks.impact.guarded_lookup import GuardedLookup
from workers.checks.impact.model import Dependent, DependentKind, Impact
from workers.dataworks.models import ColumnRef, Consumer, TableRef

Item = TypeVar("Item")

_MAX_ITEMS = 1000
_PREFIX = "odps."


def table_readers(
    lookups: Lookups,
    guids: Iterable[str],
    budget: Budget,
    *,
    leave_out: Iterable[str] = (),
    clock: Callable[[], float] = time.time,
) -> Impact:
    """Return the tables made from the tables `guids`, near and far, and who else reads `guids` themselves.

    The nearest tables come with owner, workspace and baseline of the task that writes them.

    Args:
        lookups: DataWorks.
        guids: `odps.project.table`, in any case.
        budget: what may be used up; a lookup of a long list can be several requests.
        leave_out: tables that do not count.
        clock: seconds since the epoch.

    Raises:
        DataWorksError: DataWorks could not be asked, and nothing was found before.
    """
    starts, left_out = _keys(guids), [guid.lower() for guid in leave_out]
    others = GuardedLookup[str, Consumer](
        lambda key: [_neighbour(item.qualified_name, item) for item in lookups.consumers(key, _MAX_ITEMS)]
    )
    consumers = walk_graph(starts, others, budget, expand=lambda _: False, page_limit=_MAX_ITEMS, clock=clock)
    tables = GuardedLookup[str, TableRef](
        lambda key: [_neighbour(item.guid, item) for item in lookups.downstream_tables(key, _MAX_ITEMS)]
    )
    left = replace(budget, calls=budget.calls - consumers.calls)
    made = walk_graph(
        starts, tables, _without_owners(left), leave_out=left_out, page_limit=_MAX_ITEMS, clock=clock
    )
    if not consumers.visited and not made.visited:
        others.or_raise(consumers)
        tables.or_raise(made)
    found = (
        *(_dependent(DependentKind.CONSUMER, item) for item in consumers.visited),
        *(_dependent(DependentKind.TABLE, item) for item in made.visited),
    )
    impact = Impact(found, (*consumers.unexplored, *made.unexplored), consumers.calls + made.calls)
    return _with_owners(lookups, impact, budget, clock)


def column_readers(
    lookups: Lookups,
    column_guids: Iterable[str],
    budget: Budget,
    *,
    leave_out: Iterable[str] = (),
    clock: Callable[[], float] = time.time,
) -> Impact:
    """Return the columns made from the columns `column_guids`, near and far.

    The nearest come with owner, workspace and baseline of the task that writes their table. Reports and APIs
    are known by table only, see `table_readers`.

    Args:
        lookups: DataWorks.
        column_guids: `odps.project.table.column`, in any case.
        budget: what may be used up; a lookup of a long list can be several requests.
        leave_out: columns that do not count.
        clock: seconds since the epoch.

    Raises:
        DataWorksError: DataWorks could not be asked, and nothing was found before.
    """
    columns = GuardedLookup[str, ColumnRef](
        lambda key: [_neighbour(item.guid, item) for item in lookups.downstream_columns(key, _MAX_ITEMS)]
    )
    made = walk_graph(
        _keys(column_guids),
        columns,
        _without_owners(budget),
        leave_out=[guid.lower() for guid in leave_out],
        page_limit=_MAX_ITEMS,
        clock=clock,
    )
    columns.or_raise(made)
    found = tuple(_dependent(DependentKind.COLUMN, item) for item in made.visited)
    return _with_owners(lookups, Impact(found, made.unexplored, made.calls), budget, clock)


def _keys(guids: Iterable[str]) -> list[tuple[str, str]]:
    return [(guid.lower(), guid.lower().removeprefix(_PREFIX)) for guid in guids]


def _neighbour(guid: str, item: Item) -> Neighbour[str, Item]:
    return Neighbour(guid.lower(), guid.removeprefix(_PREFIX), item)


def _without_owners(budget: Budget) -> Budget:
    """Return what is left for walking when some calls are kept for owners, at most half of them."""
    return replace(budget, calls=max(budget.calls - owners.MAX_CALLS, (budget.calls + 1) // 2))


def _dependent(kind: DependentKind, found: Visited[str, Item]) -> Dependent:
    name = found.path[-1]
    return Dependent(kind, found.key, name, None, None, None, None, False, found.hops, found.path)


def _with_owners(lookups: Lookups, impact: Impact, budget: Budget, clock: Callable[[], float]) -> Impact:
    asked = owners.OwnerLookup(lookups)
    left = budget.calls - impact.calls if clock() < budget.deadline else 0
    told = asked.with_owners(impact.dependents, left)
    unseen = dict.fromkeys((*impact.unexplored, *asked.unexplored))
    return Impact(told, tuple(unseen), impact.calls + asked.calls)
