"""A fake workspace that answers lookups from dicts and records the calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from workers.checks.api import Key, Lookups
from workers.dataworks.errors import DataWorksError, NotFound
from workers.dataworks.models import (
    Baseline,
    ColumnRef,
    Consumer,
    Environment,
    Node,
    NodeOutput,
    ProducingTask,
    TableInfo,
    TableRef,
)

PROD = Environment.PROD
HOME = 93124


def node(
    number: int,
    scheduler: str | None = "NORMAL",
    owner: str | None = "1923",
    *,
    project: int | None = HOME,
    baseline: int | None = None,
    priority: int | None = None,
    cron: str | None = None,
    rerunnable: bool | None = True,
) -> Node:
    """Return a node named for its number."""
    return Node(
        number,
        f"n{number}",
        owner,
        project,
        "ODPS_SQL",
        scheduler,
        baseline,
        priority,
        cron=cron,
        rerunnable=rerunnable,
    )


def table(guid: str) -> TableRef:
    """Return a table as a lineage result."""
    _, database, name = guid.split(".")
    return TableRef(guid, name, database)


def column(guid: str) -> ColumnRef:
    """Return a column as a lineage result."""
    _, database, name, column = guid.split(".")
    return ColumnRef(guid, column, name, database)


@dataclass
class Workspace:
    """Answers lookups from dicts; for a node missing in `nodes` it returns a default one."""

    children: dict[int, list[Node]] = field(default_factory=dict)
    parents: dict[int, list[Node]] = field(default_factory=dict)
    nodes: dict[int, Node] = field(default_factory=dict)
    unknown: set[object] = field(default_factory=set)
    inputs: dict[int, list[str]] = field(default_factory=dict)
    outputs: dict[int, list[NodeOutput]] = field(default_factory=dict)
    makers: dict[str, list[Node]] = field(default_factory=dict)
    baselines: dict[int, Baseline] = field(default_factory=dict)
    tables: dict[str, list[TableRef]] = field(default_factory=dict)
    columns: dict[str, list[ColumnRef]] = field(default_factory=dict)
    readers: dict[str, list[Consumer]] = field(default_factory=dict)
    tasks: dict[str, list[ProducingTask]] = field(default_factory=dict)
    catalog: dict[str, TableInfo] = field(default_factory=dict)
    faults: dict[object, DataWorksError] = field(default_factory=dict)
    calls: list[tuple[str, object]] = field(default_factory=list)

    def begin(self, query: Callable[[Lookups, Key], object], keys: Iterable[Key]) -> None:
        """Do nothing: it answers at once."""

    def node_children(self, node_id: int, environment: Environment = PROD) -> tuple[Node, ...]:
        self._call("children", node_id, environment)
        return tuple(self.children.get(node_id, ()))

    def node_parents(self, node_id: int, environment: Environment = PROD) -> tuple[Node, ...]:
        self._call("parents", node_id, environment)
        return tuple(self.parents.get(node_id, ()))

    def node(self, node_id: int, environment: Environment = PROD) -> Node:
        self._call("node", node_id, environment)
        return self.nodes.get(node_id) or node(node_id)

    def node_code(self, node_id: int, environment: Environment = PROD) -> str:
        raise NotImplementedError(node_id, environment)

    def node_inputs(self, node_id: int, environment: Environment = PROD) -> tuple[NodeOutput, ...]:
        self._call("inputs", node_id, environment)
        return tuple(NodeOutput(name, node_id) for name in self.inputs.get(node_id, ()))

    def node_outputs(self, node_id: int, environment: Environment = PROD) -> tuple[NodeOutput, ...]:
        self._call("outputs", node_id, environment)
        return tuple(self.outputs.get(node_id, ()))

    def nodes_by_output(
        self, outputs: Sequence[str], environment: Environment = PROD
    ) -> Mapping[str, tuple[Node, ...]]:
        self._call("makers", tuple(outputs), environment)
        return {name: tuple(self.makers.get(name, ())) for name in outputs}

    def baseline(self, baseline_id: int) -> Baseline:
        self._call("baseline", baseline_id)
        if baseline_id not in self.baselines:
            raise NotFound("GetBaseline", "NotFound")
        return self.baselines[baseline_id]

    def downstream_columns(self, guid: str, limit: int = 1000) -> tuple[ColumnRef, ...]:
        self._call("columns", guid)
        return tuple(self.columns.get(guid, ()))[:limit]

    def consumers(self, guid: str, limit: int = 1000) -> tuple[Consumer, ...]:
        self._call("consumers", guid)
        return tuple(self.readers.get(guid, ()))[:limit]

    def producing_tasks(self, guid: str) -> tuple[ProducingTask, ...]:
        self._call("tasks", guid)
        return tuple(self.tasks.get(guid, ()))

    def downstream_tables(self, guid: str, limit: int = 1000) -> tuple[TableRef, ...]:
        self._call("tables", guid)
        return tuple(self.tables.get(guid, ()))[:limit]

    def table_info(self, guid: str) -> TableInfo:
        self._call("table_info", guid)
        return self.catalog[guid]

    def deployed_code(self, file_id: int) -> str | None:
        raise NotImplementedError(file_id)

    def _call(self, lookup: str, argument: object, environment: Environment = PROD) -> None:
        assert environment is PROD
        self.calls.append((lookup, argument))
        if argument in self.unknown:
            raise NotFound(lookup, "NotFound")
        for key in (lookup, (lookup, argument)):
            if key in self.faults:
                raise self.faults[key]
