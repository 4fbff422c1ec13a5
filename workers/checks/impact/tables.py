"""Outward from tables and columns, over the lineage that DataWorks keeps of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from workers.checks.api import Lookups
from workers.checks.impact import owners
from workers.checks.impact.graph_walk import Budget, Found, Neighbour, walk
from workers.checks.impact.guarded_lookup import Asking
from workers.checks.impact.model import Dependent, Impact, Kind
from workers.dataworks.models import ColumnRef, Consumer, TableRef

Item = TypeVar("Item")

_MOST = 1000
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
    others = Asking[str, Consumer](
        lambda key: [_neighbour(item.qualified_name, item) for item in lookups.consumers(key, _MOST)]
    )
    consumers = walk(starts, others, budget, through=lambda _: False, most=_MOST, clock=clock)
    tables = Asking[str, TableRef](
        lambda key: [_neighbour(item.guid, item) for item in lookups.downstream_tables(key, _MOST)]
    )
    left = replace(budget, calls=budget.calls - consumers.calls)
    made = walk(starts, tables, _but_owners(left), leave_out=left_out, most=_MOST, clock=clock)
    if not consumers.found and not made.found:
        others.told(consumers)
        tables.told(made)
    found = (
        *(_dependent(Kind.CONSUMER, item) for item in consumers.found),
        *(_dependent(Kind.TABLE, item) for item in made.found),
    )
    impact = Impact(found, (*consumers.unseen, *made.unseen), consumers.calls + made.calls)
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
    columns = Asking[str, ColumnRef](
        lambda key: [_neighbour(item.guid, item) for item in lookups.downstream_columns(key, _MOST)]
    )
    made = walk(
        _keys(column_guids),
        columns,
        _but_owners(budget),
        leave_out=[guid.lower() for guid in leave_out],
        most=_MOST,
        clock=clock,
    )
    columns.told(made)
    found = tuple(_dependent(Kind.COLUMN, item) for item in made.found)
    return _with_owners(lookups, Impact(found, made.unseen, made.calls), budget, clock)


def _keys(guids: Iterable[str]) -> list[tuple[str, str]]:
    return [(guid.lower(), guid.lower().removeprefix(_PREFIX)) for guid in guids]


def _neighbour(guid: str, item: Item) -> Neighbour[str, Item]:
    return Neighbour(guid.lower(), guid.removeprefix(_PREFIX), item)


def _but_owners(budget: Budget) -> Budget:
    """Return what is left for walking when some calls are kept for owners, at most half of them."""
    return replace(budget, calls=max(budget.calls - owners.CALLS, (budget.calls + 1) // 2))


def _dependent(kind: Kind, found: Found[str, Item]) -> Dependent:
    name = found.path[-1]
    return Dependent(kind, found.key, name, None, None, None, None, False, found.hops, found.path)


def _with_owners(lookups: Lookups, impact: Impact, budget: Budget, clock: Callable[[], float]) -> Impact:
    asked = owners.Owners(lookups)
    left = budget.calls - impact.calls if clock() < budget.until else 0
    told = asked.told(impact.dependents, left)
    unseen = dict.fromkeys((*impact.unseen, *asked.unseen))
    return Impact(told, tuple(unseen), impact.calls + asked.calls)
