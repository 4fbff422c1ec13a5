"""Lookups on the data of a case, with the errors of DataWorks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from common.snapshot import Column
from workers.checks.api import Key, Lookups
from workers.dataworks.errors import AccessDenied, NotFound
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
from workers.policy_testing.world import ACTIONS, CaseNode, CaseTable, CaseWorld

MAX_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class FakeLookups:
    """The `Lookups` of a case; development and production have the same data.

    Like DataWorks, it rejects lookups of unknown objects, returns no relatives of an unknown node, and only
    relatives that are part of the case. Table names are case-insensitive.

    Attributes:
        world: the data of the case.
        project_id: the workspace of objects that do not name one.
    """

    world: CaseWorld
    project_id: int | None

    def begin(self, query: Callable[[Lookups, Key], object], keys: Iterable[Key]) -> None:
        """Do nothing: the case answers at once."""

    def node_children(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:  # noqa: ARG002
        """Return the nodes that depend on `node_id`, one hop."""
        self._require_known("node_children")
        return tuple(
            self._node(child, cross_cycle=cross_cycle)
            for child, entry in self.world.nodes.items()
            for parent, cross_cycle in _edges(entry)
            if parent == node_id
        )

    def node_parents(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:  # noqa: ARG002
        """Return the nodes that `node_id` depends on, one hop."""
        self._require_known("node_parents")
        entry = self.world.nodes.get(node_id)
        edges = _edges(entry) if entry else ()
        return tuple(
            self._node(parent, cross_cycle=cross) for parent, cross in edges if parent in self.world.nodes
        )

    def node(self, node_id: int, environment: Environment = Environment.PROD) -> Node:  # noqa: ARG002
        """Return one node."""
        self._known("node", node_id)
        return self._node(node_id)

    def node_code(self, node_id: int, environment: Environment = Environment.PROD) -> str:  # noqa: ARG002
        """Return the code that a node runs; empty if it has none."""
        return self._known("node_code", node_id).code

    def node_inputs(
        self,
        node_id: int,
        environment: Environment = Environment.PROD,  # noqa: ARG002
    ) -> tuple[NodeOutput, ...]:
        """Return the outputs of other nodes that `node_id` depends on."""
        entry = self._known("node_inputs", node_id)
        tables = {out.name: out.table for node in self.world.nodes.values() for out in node.outputs}
        names = entry.inputs
        if names is None:
            parents = [self.world.nodes[parent] for parent, _ in _edges(entry) if parent in self.world.nodes]
            names = tuple(out.name for parent in parents for out in parent.outputs)
        return tuple(NodeOutput(name, node_id, tables.get(name)) for name in names)

    def node_outputs(
        self,
        node_id: int,
        environment: Environment = Environment.PROD,  # noqa: ARG002
    ) -> tuple[NodeOutput, ...]:
        """Return the outputs of `node_id`."""
        entry = self._known("node_outputs", node_id)
        return tuple(NodeOutput(out.name, node_id, out.table) for out in entry.outputs)

    def nodes_by_output(
        self,
        outputs: Sequence[str],
        environment: Environment = Environment.PROD,  # noqa: ARG002
    ) -> Mapping[str, tuple[Node, ...]]:
        """Return the nodes that have each of `outputs`; none for an unknown output."""
        self._require_known("nodes_by_output")
        return {
            name: tuple(
                self._node(node_id)
                for node_id, entry in self.world.nodes.items()
                if name in {out.name for out in entry.outputs}
            )
            for name in outputs
        }

    def baseline(self, baseline_id: int) -> Baseline:
        """Return a baseline."""
        action = self._require_known("baseline")
        entry = self.world.baselines.get(baseline_id)
        if entry is None:
            raise NotFound(action, "NotFound", "baseline not found")
        name = entry.name or f"baseline_{baseline_id}"
        return Baseline(baseline_id, name, entry.priority, entry.owner, entry.enabled)

    def downstream_columns(self, guid: str, limit: int = MAX_ITEMS) -> tuple[ColumnRef, ...]:
        """Return the columns derived from the column `guid`, one hop, at most `limit`."""
        self._require_known("downstream_columns")
        found = [
            ColumnRef(f"{table}.{column}", column, _name(table), _database(table))
            for table, entry in self.world.tables.items()
            for column, sources in entry.columns_made_from.items()
            if _is_in(guid, sources)
        ]
        return tuple(found[:limit])

    def consumers(self, guid: str, limit: int = MAX_ITEMS) -> tuple[Consumer, ...]:
        """Return the consumers of the table `guid` other than tables, one hop, at most `limit`."""
        self._require_known("consumers")
        entry = self._table(guid)
        found = entry[1].consumers if entry else ()
        return tuple(Consumer(item.name, item.third_party) for item in found[:limit])

    def producing_tasks(self, guid: str) -> tuple[ProducingTask, ...]:
        """Return the tasks that write the table `guid`."""
        _, entry = self._known_table("producing_tasks", guid)
        return tuple(ProducingTask(str(node_id), self._name_of(node_id)) for node_id in entry.producers)

    def downstream_tables(self, guid: str, limit: int = MAX_ITEMS) -> tuple[TableRef, ...]:
        """Return the tables derived from the table `guid`, one hop, at most `limit`."""
        self._require_known("downstream_tables")
        found = [
            TableRef(table, _name(table), _database(table))
            for table, entry in self.world.tables.items()
            if _is_in(guid, entry.made_from)
        ]
        return tuple(found[:limit])

    def table_info(self, guid: str) -> TableInfo:
        """Return the table `guid` with its columns."""
        name, entry = self._known_table("table_info", guid)
        return TableInfo(
            guid=name,
            size=entry.size,
            columns=tuple(_columns(entry)),
            owner=entry.owner,
            project_id=self.project_id if entry.project is None else entry.project,
            project_name=entry.project_name or _database(name),
            lifecycle=entry.lifecycle,
            comment=entry.comment,
        )

    def deployed_code(self, file_id: int) -> str | None:
        """Return the code of a file in production; None if it is not deployed."""
        self._require_known("deployed_code")
        return self.world.deployed.get(file_id)

    def _require_known(self, lookup: str) -> str:
        action = ACTIONS[lookup]
        if lookup in self.world.failing:
            raise AccessDenied(action, "Forbidden", "fails in this case")
        return action

    def _known(self, lookup: str, node_id: int) -> CaseNode:
        action = self._require_known(lookup)
        if node_id not in self.world.nodes:
            raise NotFound(action, "NotFound", "node not found in this environment")
        return self.world.nodes[node_id]

    def _known_table(self, lookup: str, guid: str) -> tuple[str, CaseTable]:
        action = self._require_known(lookup)
        found = self._table(guid)
        if found is None:
            raise NotFound(action, "NotFound", "table not found")
        return found

    def _table(self, guid: str) -> tuple[str, CaseTable] | None:
        return next((pair for pair in self.world.tables.items() if _is_in(guid, (pair[0],))), None)

    def _name_of(self, node_id: int) -> str:
        entry = self.world.nodes.get(node_id)
        return (entry and entry.name) or f"node_{node_id}"

    def _node(self, node_id: int, *, cross_cycle: bool = False) -> Node:
        entry = self.world.nodes[node_id]
        baseline = self.world.baselines.get(entry.baseline) if entry.baseline is not None else None
        return Node(
            id=node_id,
            name=self._name_of(node_id),
            owner=entry.owner,
            project_id=self.project_id if entry.project is None else entry.project,
            program_type=entry.program_type,
            scheduler=entry.scheduler.value,
            baseline_id=entry.baseline,
            priority=baseline.priority if entry.priority is None and baseline else entry.priority,
            cross_cycle=cross_cycle,
            cron=entry.cron,
            rerunnable=entry.rerunnable,
        )


def _edges(entry: CaseNode) -> Iterator[tuple[int, bool]]:
    yield from ((parent, False) for parent in entry.parents)
    yield from ((parent, True) for parent in entry.cross_cycle_parents)


def _columns(entry: CaseTable) -> Iterator[Column]:
    for name, kind in entry.columns.items():
        yield Column(name, kind, "", key=name in entry.keys)
    for name, kind in entry.partitions.items():
        yield Column(name, kind, "", partition=True)


def _is_in(guid: str, guids: Sequence[str]) -> bool:
    return guid.lower() in {each.lower() for each in guids}


def _name(guid: str) -> str:
    return guid.rpartition(".")[2]


def _database(guid: str) -> str:
    return guid.split(".")[1]
