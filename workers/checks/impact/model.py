"""What the impact engine tells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workers.checks.impact.graph_walk import StopReason, Unexplored


class DependentKind(StrEnum):
    """What depends: a node, a table, a column, or whoever reads tables beyond these (a report, an API)."""

    NODE = "node"
    TABLE = "table"
    COLUMN = "column"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True)
class Dependent:
    """One thing that depends on a start, or that a start depends on.

    Attributes:
        key: the id of a node, the guid of a table or column in lower case, the name of a consumer.
        name: as people know it: a node's name, `project.table`, `project.table.column`.
        owner: UID; of a table or column that of the task which writes it. None when it is not told.
        project_id: the workspace, likewise.
        baseline_id: the baseline, likewise; None when on none.
        priority: that of its baseline, likewise: 1, 3, 5, 7 or 8.
        frozen: whether it is a node that is frozen.
        hops: the fewest from a start.
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
    """Who depends on the starts.

    Attributes:
        dependents: nearest first.
        unexplored: what was not looked at.
        calls: lookups made.
    """

    dependents: tuple[Dependent, ...]
    unexplored: tuple[Unexplored, ...]
    calls: int

    @property
    def is_complete(self) -> bool:
        """Whether these are all there are; else there are at least these."""
        return all(item.reason is StopReason.OWNERS for item in self.unexplored)

    @property
    def live(self) -> Impact:
        """The same without frozen nodes."""
        return Impact(tuple(item for item in self.dependents if not item.frozen), self.unexplored, self.calls)
