"""Owners of tables: the owners of the tasks that write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from workers.checks.api import Lookups
from workers.checks.impact.graph_walk import StopReason, Unexplored
from workers.checks.impact.model import Dependent, DependentKind
from workers.dataworks.errors import DataWorksError, NotFound
from workers.dataworks.models import Environment, Node

MAX_TABLES = 5
"""Maximum tables whose owner is looked up."""

MAX_CALLS = 2 * MAX_TABLES
"""Maximum lookups of `OwnerLookup`: the task and the node of each table."""


@dataclass(slots=True)
class OwnerLookup:
    """The writers of the nearest tables, each table looked up once.

    Attributes:
        calls: lookups made.
        unexplored: lookups that failed.
    """

    lookups: Lookups
    calls: int = 0
    unexplored: list[Unexplored] = field(default_factory=list)
    _writers: dict[str, Node | None] = field(default_factory=dict)

    def with_owners(self, dependents: Sequence[Dependent], max_calls: int) -> tuple[Dependent, ...]:
        """Return `dependents` with owner, workspace and baseline added to the nearest tables and columns."""
        begin_owners(self.lookups, filter(None, map(_table, dependents)), max_calls - self.calls)
        return tuple(self._with_owner(item, max_calls) for item in dependents)

    def _with_owner(self, dependent: Dependent, max_calls: int) -> Dependent:
        table = _table(dependent)
        if table is None:
            return dependent
        asks = table not in self._writers and len(self._writers) < MAX_TABLES
        if asks and not self.unexplored and self.calls + 2 <= max_calls:
            self._writers[table] = self._writer(table)
        writer = self._writers.get(table)
        if writer is None:
            return dependent
        return replace(
            dependent,
            owner=writer.owner,
            project_id=writer.project_id,
            baseline_id=writer.baseline_id,
            priority=writer.priority,
        )

    def _writer(self, table: str) -> Node | None:
        try:
            self.calls += 1
            node = _writing_node(self.lookups, table)
            if node is None:
                return None
            self.calls += 1
            return self.lookups.node(node, Environment.PROD)
        except NotFound:
            return None
        except DataWorksError as error:
            self.unexplored.append(
                Unexplored(StopReason.OWNERS, (table,), f"{error.action}: {error.code}", (table,))
            )
            return None


def begin_owners(lookups: Lookups, tables: Iterable[str], max_calls: int) -> None:
    """Begin to look up the owners of the first of `tables`, nearest first, with at most that many lookups."""
    most = min(MAX_TABLES, max(max_calls, 0) // 2)
    lookups.begin(_writer, list(dict.fromkeys(tables))[:most])


def _writing_node(lookups: Lookups, table: str) -> int | None:
    return next((task.node_id for task in lookups.producing_tasks(table) if task.node_id is not None), None)


def _writer(lookups: Lookups, table: str) -> Node | None:
    node = _writing_node(lookups, table)
    return None if node is None else lookups.node(node, Environment.PROD)


def _table(dependent: Dependent) -> str | None:
    if dependent.kind is DependentKind.TABLE:
        return dependent.key
    return dependent.key.rpartition(".")[0] if dependent.kind is DependentKind.COLUMN else None
