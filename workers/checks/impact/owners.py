"""Whose tables are: those who own the tasks that write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workers.checks.api import Lookups
from workers.checks.impact.graph_walk import Unseen, Why
from workers.checks.impact.model import Dependent, Kind
from workers.dataworks.errors import DataWorksError, Refused
from workers.dataworks.models import Environment, Node

MOST_TABLES = 5
CALLS = 2 * MOST_TABLES
"""Lookups that `Owners` makes at the most."""


@dataclass(slots=True)
class Owners:
    """The writers of the nearest tables, each table asked about once.

    Attributes:
        calls: lookups made.
        unseen: what could not be asked.
    """

    lookups: Lookups
    calls: int = 0
    unseen: list[Unseen] = field(default_factory=list)
    _writers: dict[str, Node | None] = field(default_factory=dict)

    def told(self, dependents: Sequence[Dependent], most_calls: int) -> tuple[Dependent, ...]:
        """Return `dependents`, the nearest tables and columns with owner, workspace and baseline."""
        return tuple(self._owned(item, most_calls) for item in dependents)

    def _owned(self, dependent: Dependent, most_calls: int) -> Dependent:
        table = _table(dependent)
        if table is None:
            return dependent
        asks = table not in self._writers and len(self._writers) < MOST_TABLES
        if asks and not self.unseen and self.calls + 2 <= most_calls:
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
            tasks = [task.node_id for task in self.lookups.producing_tasks(table)]
            node = next((node for node in tasks if node is not None), None)
            if node is None:
                return None
            self.calls += 1
            return self.lookups.node(node, Environment.PROD)
        except Refused:
            return None
        except DataWorksError as error:
            self.unseen.append(Unseen(Why.OWNERS, (table,), f"{error.action}: {error.code}"))
            return None


def _table(dependent: Dependent) -> str | None:
    if dependent.kind is Kind.TABLE:
        return dependent.key
    return dependent.key.rpartition(".")[0] if dependent.kind is Kind.COLUMN else None
