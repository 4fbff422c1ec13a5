"""The lookups of checks: what DataWorks holds, asked for within the time that they have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from common.json_types import Json
from common.snapshot import Column
from workers.dataworks import operations, pagination
from workers.dataworks.cached_client import CachedClient
from workers.dataworks.errors import RequestRejected, Transient
from workers.dataworks.invoker import Arguments
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
from workers.dataworks.operations import Operation
from workers.dataworks.parsers import events, tables
from workers.dataworks.parsers import nodes as node_shapes

MAX_ITEMS = 1000
OUTPUTS_PER_CALL = 50

_TABLE, _ENTITY = "odps.", "maxcompute-table."
"""How the GUID of a table begins, and the name of the same table as an entity."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BoundLookups:
    """The lookups of one event's checks, up to `deadline` (seconds since the epoch); see `Lookups`.

    What they ask twice is looked up once.

    Attributes:
        faults: transient faults that lookups ended with.
    """

    client: CachedClient
    deadline: float
    faults: list[Transient] = field(default_factory=list, init=False)
    _answers: dict[tuple[object, ...], Any] = field(default_factory=dict, init=False, repr=False)

    def node_children(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        """Return the nodes that depend on `node_id`, one hop."""
        return self._fetch(operations.NODE_CHILDREN, _node(node_id, environment), node_shapes.parse_nodes)

    def node_parents(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        """Return the nodes that `node_id` depends on, one hop."""
        return self._fetch(operations.NODE_PARENTS, _node(node_id, environment), node_shapes.parse_nodes)

    def node(self, node_id: int, environment: Environment = Environment.PROD) -> Node:
        """Return one node; raises `RequestRejected` when there is no such one."""
        found = self._fetch(operations.NODE, _node(node_id, environment), node_shapes.parse_node)
        return _found_or_raise(operations.NODE, found, "no such node in this environment")

    def node_code(self, node_id: int, environment: Environment = Environment.PROD) -> str:
        """Return the code that a node runs; empty when it has none."""
        return self._fetch(operations.NODE_CODE, _node(node_id, environment), node_shapes.parse_code)

    def node_inputs(
        self, node_id: int, environment: Environment = Environment.PROD
    ) -> tuple[NodeOutput, ...]:
        """Return the outputs of other nodes that `node_id` depends on."""
        arguments = {**_node(node_id, environment), "IoType": "input"}
        return self._fetch(operations.NODE_OUTPUTS, arguments, node_shapes.parse_outputs)

    def node_outputs(
        self, node_id: int, environment: Environment = Environment.PROD
    ) -> tuple[NodeOutput, ...]:
        """Return what `node_id` puts out."""
        arguments = {**_node(node_id, environment), "IoType": "output"}
        return self._fetch(operations.NODE_OUTPUTS, arguments, node_shapes.parse_outputs)

    def nodes_by_output(
        self, outputs: Sequence[str], environment: Environment = Environment.PROD
    ) -> Mapping[str, tuple[Node, ...]]:
        """Return the nodes that put out each of `outputs`; a name that nobody puts out has none.

        One call asks for fifty names. Nobody can put out an empty name. Whether upper and lower case are the
        same is for DataWorks to say: it may answer with the name as the node has it.
        """
        # Sorted, so that the same names in another order are the same question.
        names = sorted({name for name in outputs if name.strip()})
        found: dict[str, tuple[Node, ...]] = dict.fromkeys(outputs, ())
        for start in range(0, len(names), OUTPUTS_PER_CALL):
            asked = names[start : start + OUTPUTS_PER_CALL]
            arguments = {"Outputs": ",".join(asked), "ProjectEnv": environment.value}
            told = self._fetch(operations.NODES_BY_OUTPUT, arguments, node_shapes.parse_nodes_by_output)
            in_lower_case = {name.lower(): nodes for name, nodes in told.items()}
            found |= {name: told.get(name) or in_lower_case.get(name.lower(), ()) for name in asked}
        return found

    def baseline(self, baseline_id: int) -> Baseline:
        """Return a baseline; raises `RequestRejected` when there is no such one."""
        found = self._fetch(operations.BASELINE, {"BaselineId": baseline_id}, node_shapes.parse_baseline)
        return _found_or_raise(operations.BASELINE, found, "no such baseline")

    def downstream_tables(self, guid: str, limit: int = MAX_ITEMS) -> tuple[TableRef, ...]:
        """Return the tables made from the table `guid` (`odps.project.table`), one hop, at most `limit`."""
        asked: Arguments = {"TableGuid": guid, "Direction": "down", "PageSize": pagination.PAGE_SIZE}

        def page(key: str | None) -> tuple[tuple[TableRef, ...], str | None]:
            arguments = asked if key is None else {**asked, "NextPrimaryKey": key}
            return self._fetch(operations.TABLE_LINEAGE, arguments, tables.parse_tables)

        return pagination.paginate_by_token(page, limit)

    def downstream_columns(self, guid: str, limit: int = MAX_ITEMS) -> tuple[ColumnRef, ...]:
        """Return the columns made from the column `guid` (`odps.project.table.column`), one hop."""

        def page(number: int) -> tuple[tuple[ColumnRef, ...], int | None]:
            arguments: Arguments = {
                "ColumnGuid": guid,
                "Direction": "down",
                "PageNum": number,
                "PageSize": pagination.PAGE_SIZE,
            }
            return self._fetch(operations.COLUMN_LINEAGE, arguments, tables.parse_columns)

        return pagination.paginate_by_number(page, limit)

    def consumers(self, guid: str, limit: int = MAX_ITEMS) -> tuple[Consumer, ...]:
        """Return who reads the table `guid` (`odps.project.table`) beyond tables, one hop, at most `limit`.

        Raises:
            Refused: `guid` is not that of a MaxCompute table.
        """
        if not guid.startswith(_TABLE):
            raise RequestRejected(operations.ENTITY_LINEAGE.action, "NotFound", "not a table of MaxCompute")
        name = _ENTITY + guid.removeprefix(_TABLE)
        asked: Arguments = {
            "EntityQualifiedName": name,
            "Direction": "down",
            "PageSize": pagination.PAGE_SIZE,
        }

        def page(token: str | None) -> tuple[tuple[Consumer, ...], str | None]:
            arguments = asked if token is None else {**asked, "NextToken": token}
            return self._fetch(operations.ENTITY_LINEAGE, arguments, tables.parse_entities)

        found = pagination.paginate_by_token(page)
        return tuple(entity for entity in found if not entity.qualified_name.startswith(_ENTITY))[:limit]

    def producing_tasks(self, guid: str) -> tuple[ProducingTask, ...]:
        """Return the tasks that write the table `guid`."""
        return self._fetch(operations.TABLE_TASKS, {"TableGuid": guid}, tables.parse_producing_tasks)

    def table_info(self, guid: str) -> TableInfo:
        """Return the table `guid` with all its columns; raises `RequestRejected` if there is none."""
        last: TableInfo

        def page(number: int) -> tuple[tuple[Column, ...], int]:
            nonlocal last
            arguments: Arguments = {"TableGuid": guid, "PageNum": number, "PageSize": pagination.PAGE_SIZE}
            last, total = self._fetch(operations.TABLE_INFO, arguments, tables.parse_table_info)
            return last.columns, total

        columns = pagination.paginate_by_number(page)
        return replace(last, guid=guid, columns=columns)

    def deployed_code(self, file_id: int) -> str | None:
        """Return the code of a file as it runs in production; None when none does."""
        for page in range(1, pagination.MAX_PAGES + 1):
            arguments: Arguments = {"FileId": file_id, "PageNumber": page, "PageSize": pagination.PAGE_SIZE}
            versions = self._fetch(operations.FILE_VERSIONS, arguments, events.parse_versions)
            for version in versions:
                if version.in_production:
                    wanted = {"FileId": file_id, "FileVersion": version.number}
                    return self._fetch(operations.FILE_VERSION, wanted, events.parse_version_code)
            if len(versions) < pagination.PAGE_SIZE:
                break
        return None

    def _fetch(self, operation: Operation, arguments: Arguments, parse: Callable[[Json], T]) -> T:
        question = (operation.action, *sorted(arguments.items()))
        if question not in self._answers:
            try:
                self._answers[question] = self.client.fetch(
                    operation, arguments, parse, deadline=self.deadline
                )
            except Transient as error:
                self.faults.append(error)
                raise
        answer: T = self._answers[question]
        return answer


def _node(node_id: int, environment: Environment) -> Arguments:
    return {"NodeId": node_id, "ProjectEnv": environment.value}


def _found_or_raise(operation: Operation, value: T | None, why: str) -> T:
    if value is None:
        raise RequestRejected(operation.action, "NotFound", why)
    return value
