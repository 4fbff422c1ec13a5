"""Lookups that find what a case gives, and say no as DataWorks does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from common.snapshot import Column
from workers.dataworks.errors import AccessDenied, RequestRejected
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
    """The `Lookups` of a case; development and production hold the same.

    Like DataWorks it refuses to tell of what it does not know, has no relatives for an unknown node, and
    lists relatives only where they are part of this world. Names of tables are the same in any case.

    Attributes:
        world: what there is.
        project_id: the workspace of what names none.
    """

    world: CaseWorld
    project_id: int | None

    def node_children(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:  # noqa: ARG002
        """Return the nodes that depend on `node_id`, one hop."""
        self._require_known("node_children")
        return tuple(
            self._node(child, cross_cycle=cross_cycle)
            for child, given in self.world.nodes.items()
            for parent, cross_cycle in _edges(given)
            if parent == node_id
        )

    def node_parents(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:  # noqa: ARG002
        """Return the nodes that `node_id` depends on, one hop."""
        self._require_known("node_parents")
        given = self.world.nodes.get(node_id)
        edges = _edges(given) if given else ()
        return tuple(
            self._node(parent, cross_cycle=cross) for parent, cross in edges if parent in self.world.nodes
        )

    def node(self, node_id: int, environment: Environment = Environment.PROD) -> Node:  # noqa: ARG002
        """Return one node."""
        self._known("node", node_id)
        return self._node(node_id)

    def node_code(self, node_id: int, environment: Environment = Environment.PROD) -> str:  # noqa: ARG002
        """Return the code that a node runs; empty when it has none."""
        return self._known("node_code", node_id).code

    def node_inputs(
        self,
        node_id: int,
        environment: Environment = Environment.PROD,  # noqa: ARG002
    ) -> tuple[NodeOutput, ...]:
        """Return the outputs of other nodes that `node_id` depends on."""
        given = self._known("node_inputs", node_id)
        tables = {out.name: out.table for node in self.world.nodes.values() for out in node.outputs}
        names = given.inputs
        if names is None:
            parents = [self.world.nodes[parent] for parent, _ in _edges(given) if parent in self.world.nodes]
            names = tuple(out.name for parent in parents for out in parent.outputs)
        return tuple(NodeOutput(name, node_id, tables.get(name)) for name in names)

    def node_outputs(
        self,
        node_id: int,
        environment: Environment = Environment.PROD,  # noqa: ARG002
    ) -> tuple[NodeOutput, ...]:
        """Return what `node_id` puts out."""
        given = self._known("node_outputs", node_id)
        return tuple(NodeOutput(out.name, node_id, out.table) for out in given.outputs)

    def nodes_by_output(
        self,
        outputs: Sequence[str],
        environment: Environment = Environment.PROD,  # noqa: ARG002
    ) -> Mapping[str, tuple[Node, ...]]:
        """Return the nodes that put out each of `outputs`; a name that nobody puts out has none."""
        self._require_known("nodes_by_output")
        return {
            name: tuple(
                self._node(node_id)
                for node_id, given in self.world.nodes.items()
                if name in {out.name for out in given.outputs}
            )
            for name in outputs
        }

    def baseline(self, baseline_id: int) -> Baseline:
        """Return a baseline."""
        action = self._require_known("baseline")
        given = self.world.baselines.get(baseline_id)
        if given is None:
            raise RequestRejected(action, "NotFound", "no such baseline")
        name = given.name or f"baseline_{baseline_id}"
        return Baseline(baseline_id, name, given.priority, given.owner, given.enabled)

    def downstream_columns(self, guid: str, limit: int = MAX_ITEMS) -> tuple[ColumnRef, ...]:
        """Return the columns made from the column `guid`, one hop, at most `limit`."""
        self._require_known("downstream_columns")
        found = [
            ColumnRef(f"{table}.{column}", column, _name(table), _database(table))
            for table, given in self.world.tables.items()
            for column, sources in given.columns_made_from.items()
            if _among(guid, sources)
        ]
        return tuple(found[:limit])

    def consumers(self, guid: str, limit: int = MAX_ITEMS) -> tuple[Consumer, ...]:
        """Return who reads the table `guid` beyond tables, one hop, at most `limit`."""
        self._require_known("consumers")
        given = self._table(guid)
        found = given[1].consumers if given else ()
        return tuple(Consumer(item.name, item.third_party) for item in found[:limit])

    def producing_tasks(self, guid: str) -> tuple[ProducingTask, ...]:
        """Return the tasks that write the table `guid`."""
        _, given = self._known_table("producing_tasks", guid)
        return tuple(ProducingTask(str(node_id), self._name_of(node_id)) for node_id in given.producers)

    def downstream_tables(self, guid: str, limit: int = MAX_ITEMS) -> tuple[TableRef, ...]:
        """Return the tables made from the table `guid`, one hop, at most `limit`."""
        self._require_known("downstream_tables")
        found = [
            TableRef(table, _name(table), _database(table))
            for table, given in self.world.tables.items()
            if _among(guid, given.made_from)
        ]
        return tuple(found[:limit])

    def table_info(self, guid: str) -> TableInfo:
        """Return the table `guid` with its columns."""
        name, given = self._known_table("table_info", guid)
        return TableInfo(
            guid=name,
            size=given.size,
            columns=tuple(_columns(given)),
            owner=given.owner,
            project_id=self.project_id if given.project is None else given.project,
            project_name=given.project_name or _database(name),
            lifecycle=given.lifecycle,
            comment=given.comment,
        )

    def deployed_code(self, file_id: int) -> str | None:
        """Return the code of a file as it runs in production; None when none does."""
        self._require_known("deployed_code")
        return self.world.deployed.get(file_id)

    def _require_known(self, lookup: str) -> str:
        action = ACTIONS[lookup]
        if lookup in self.world.failing:
            raise AccessDenied(action, "Forbidden", "the case lets it fail")
        return action

    def _known(self, lookup: str, node_id: int) -> CaseNode:
        action = self._require_known(lookup)
        if node_id not in self.world.nodes:
            raise RequestRejected(action, "NotFound", "no such node in this environment")
        return self.world.nodes[node_id]

    def _known_table(self, lookup: str, guid: str) -> tuple[str, CaseTable]:
        action = self._require_known(lookup)
        found = self._table(guid)
        if found is None:
            raise RequestRejected(action, "NotFound", "no such table")
        return found

    def _table(self, guid: str) -> tuple[str, CaseTable] | None:
        return next((pair for pair in self.world.tables.items() if _among(guid, (pair[0],))), None)

    def _name_of(self, node_id: int) -> str:
        given = self.world.nodes.get(node_id)
        return (given and given.name) or f"node_{node_id}"

    def _node(self, node_id: int, *, cross_cycle: bool = False) -> Node:
        given = self.world.nodes[node_id]
        baseline = self.world.baselines.get(given.baseline) if given.baseline is not None else None
        return Node(
            id=node_id,
            name=self._name_of(node_id),
            owner=given.owner,
            project_id=self.project_id if given.project is None else given.project,
            program_type=given.program_type,
            scheduler=given.scheduler.value,
            baseline_id=given.baseline,
            priority=baseline.priority if given.priority is None and baseline else given.priority,
            cross_cycle=cross_cycle,
            cron=given.cron,
            rerunnable=given.rerunnable,
        )


def _edges(given: CaseNode) -> Iterator[tuple[int, bool]]:
    yield from ((parent, False) for parent in given.parents)
    yield from ((parent, True) for parent in given.cross_cycle_parents)


def _columns(given: CaseTable) -> Iterator[Column]:
    for name, kind in given.columns.items():
        yield Column(name, kind, "", key=name in given.keys)
    for name, kind in given.partitions.items():
        yield Column(name, kind, "", partition=True)


def _among(guid: str, guids: Sequence[str]) -> bool:
    return guid.lower() in {each.lower() for each in guids}


def _name(guid: str) -> str:
    return guid.rpartition(".")[2]


def _database(guid: str) -> str:
    return guid.split(".")[1]
