"""Results of the impact engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from workers.checks.impact.graph_walk import StopReason, Unexplored


class DependentKind(StrEnum):
    """Kind of a dependent: a node, a table, a column, or another reader of tables (a report, an API)."""

    NODE = "node"
    TABLE = "table"
    COLUMN = "column"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True)
class Dependent:
    """An object that depends on a start, or that a start depends on.

    Attributes:
        key: the id of a node, the guid of a table or column in lower case, the name of a consumer.
        name: display name: a node's name, `project.table`, `project.table.column`.
        owner: UID; for a table or column that of the task which writes it. None if unknown.
        project_id: the workspace, likewise.
        baseline_id: the baseline, likewise; None if it has none.
        priority: priority of the baseline, likewise: 1, 3, 5, 7 or 8.
        frozen: whether it is a frozen node.
        hops: minimum number of hops from a start.
        path: names from the start to it, both included; a start's name is its id or guid.
    """

    kind: DependentKind
    key: str
    name: str
    owner: str | None
    project_id: int | None
    baseline_id: int | None
    priority: int | None
    frozen: bool
    hops: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """The dependents of the starts.

    Attributes:
        dependents: nearest first.
        unexplored: what was not explored.
        calls: lookups made.
        edges: keys of an object and of one that depends on it; also of objects that are no dependents, such
            as the starts and what was left out.
    """

    dependents: tuple[Dependent, ...]
    unexplored: tuple[Unexplored, ...]
    calls: int
    edges: tuple[tuple[str, str], ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether `dependents` are all of them; otherwise there may be more."""
        return all(item.reason is StopReason.OWNERS for item in self.unexplored)

    @property
    def live(self) -> Impact:
        """The impact without frozen nodes."""
        return replace(self, dependents=tuple(item for item in self.dependents if not item.frozen))
