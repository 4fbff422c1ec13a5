"""The lookups of checks: what DataWorks holds, asked for within the time that they have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from common.snapshot import Column
from workers.dataworks import operations, pagination
from workers.dataworks.cached_client import Asker
from workers.dataworks.errors import Refused, Transient
from workers.dataworks.invoker import Arguments, Json
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

MOST = 1000
OUTPUTS_A_CALL = 50

_TABLE, _ENTITY = "odps.", "maxcompute-table."
"""How the GUID of a table begins, and the name of the same table as an entity."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BoundLookups:
    """What checks of one event may ask DataWorks, up to `until`, in seconds since the epoch; see `Lookups`.

    What they ask twice is looked up once.

    Attributes:
        faults: transient faults that lookups ended with.
    """

    asker: Asker
    until: float
    faults: list[Transient] = field(default_factory=list, init=False)
    _answers: dict[tuple[object, ...], Any] = field(default_factory=dict, init=False, repr=False)

    def node_children(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        """Return the nodes that depend on `node_id`, one hop."""
        return self._ask(operations.NODE_CHILDREN, _node(node_id, environment), node_shapes.nodes)

    def node_parents(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        """Return the nodes that `node_id` depends on, one hop."""
        return self._ask(operations.NODE_PARENTS, _node(node_id, environment), node_shapes.nodes)

    def node(self, node_id: int, environment: Environment = Environment.PROD) -> Node:
        """Return one node; raises `Refused` when there is no such one."""
        found = self._ask(operations.NODE, _node(node_id, environment), node_shapes.node)
        return _there(operations.NODE, found, "no such node in this environment")

    def node_code(self, node_id: int, environment: Environment = Environment.PROD) -> str:
        """Return the code that a node runs; empty when it has none."""
        return self._ask(operations.NODE_CODE, _node(node_id, environment), node_shapes.code)

    def node_inputs(
        self, node_id: int, environment: Environment = Environment.PROD
    ) -> tuple[NodeOutput, ...]:
        """Return the outputs of other nodes that `node_id` depends on."""
        arguments = {**_node(node_id, environment), "IoType": "input"}
        return self._ask(operations.NODE_OUTPUTS, arguments, node_shapes.outputs)

    def node_outputs(
        self, node_id: int, environment: Environment = Environment.PROD
    ) -> tuple[NodeOutput, ...]:
        """Return what `node_id` puts out."""
        arguments = {**_node(node_id, environment), "IoType": "output"}
        return self._ask(operations.NODE_OUTPUTS, arguments, node_shapes.outputs)

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
        for start in range(0, len(names), OUTPUTS_A_CALL):
            asked = names[start : start + OUTPUTS_A_CALL]
            arguments = {"Outputs": ",".join(asked), "ProjectEnv": environment.value}
            told = self._ask(operations.NODES_BY_OUTPUT, arguments, node_shapes.nodes_by_output)
            in_lower_case = {name.lower(): nodes for name, nodes in told.items()}
            found |= {name: told.get(name) or in_lower_case.get(name.lower(), ()) for name in asked}
        return found

    def baseline(self, baseline_id: int) -> Baseline:
        """Return a baseline; raises `Refused` when there is no such one."""
        found = self._ask(operations.BASELINE, {"BaselineId": baseline_id}, node_shapes.baseline)
        return _there(operations.BASELINE, found, "no such baseline")

    def downstream_tables(self, guid: str, most: int = MOST) -> tuple[TableRef, ...]:
        """Return the tables made from the table `guid` (`odps.project.table`), one hop, at most `most`."""
        asked: Arguments = {"TableGuid": guid, "Direction": "down", "PageSize": pagination.PAGE}

        def page(key: str | None) -> tuple[tuple[TableRef, ...], str | None]:
            arguments = asked if key is None else {**asked, "NextPrimaryKey": key}
            return self._ask(operations.TABLE_LINEAGE, arguments, tables.tables)

        return pagination.keyed(page, most)

    def downstream_columns(self, guid: str, most: int = MOST) -> tuple[ColumnRef, ...]:
        """Return the columns made from the column `guid` (`odps.project.table.column`), one hop."""

        def page(number: int) -> tuple[tuple[ColumnRef, ...], int | None]:
            arguments: Arguments = {
                "ColumnGuid": guid,
                "Direction": "down",
                "PageNum": number,
                "PageSize": pagination.PAGE,
            }
            return self._ask(operations.COLUMN_LINEAGE, arguments, tables.columns)

        return pagination.numbered(page, most)

    def consumers(self, guid: str, most: int = MOST) -> tuple[Consumer, ...]:
        """Return who reads the table `guid` (`odps.project.table`) beyond tables, one hop, at most `most`.

        Raises:
            Refused: `guid` is not that of a MaxCompute table.
        """
        if not guid.startswith(_TABLE):
            raise Refused(operations.ENTITY_LINEAGE.action, "NotFound", "not a table of MaxCompute")
        name = _ENTITY + guid.removeprefix(_TABLE)
        asked: Arguments = {"EntityQualifiedName": name, "Direction": "down", "PageSize": pagination.PAGE}

        def page(token: str | None) -> tuple[tuple[Consumer, ...], str | None]:
            arguments = asked if token is None else {**asked, "NextToken": token}
            return self._ask(operations.ENTITY_LINEAGE, arguments, tables.entities)

        found = pagination.keyed(page)
        return tuple(entity for entity in found if not entity.qualified_name.startswith(_ENTITY))[:most]

    def producing_tasks(self, guid: str) -> tuple[ProducingTask, ...]:
        """Return the tasks that write the table `guid`."""
        return self._ask(operations.TABLE_TASKS, {"TableGuid": guid}, tables.producing_tasks)

    def table_info(self, guid: str) -> TableInfo:
        """Return the table `guid` with all its columns; raises `Refused` when there is no such table."""
        last: TableInfo

        def page(number: int) -> tuple[tuple[Column, ...], int]:
            nonlocal last
            arguments: Arguments = {"TableGuid": guid, "PageNum": number, "PageSize": pagination.PAGE}
            last, total = self._ask(operations.TABLE_INFO, arguments, tables.table_info)
            return last.columns, total

        columns = pagination.numbered(page)
        return replace(last, guid=guid, columns=columns)

    def deployed_code(self, file_id: int) -> str | None:
        """Return the code of a file as it runs in production; None when none does."""
        for page in range(1, pagination.MOST_PAGES + 1):
            arguments: Arguments = {"FileId": file_id, "PageNumber": page, "PageSize": pagination.PAGE}
            versions = self._ask(operations.FILE_VERSIONS, arguments, events.versions)
            for version in versions:
                if version.in_production:
                    wanted = {"FileId": file_id, "FileVersion": version.number}
                    return self._ask(operations.FILE_VERSION, wanted, events.version_code)
            if len(versions) < pagination.PAGE:
                break
        return None

    def _ask(self, operation: Operation, arguments: Arguments, shape: Callable[[Json], T]) -> T:
        question = (operation.action, *sorted(arguments.items()))
        if question not in self._answers:
            try:
                self._answers[question] = self.asker.ask(operation, arguments, shape, until=self.until)
            except Transient as error:
                self.faults.append(error)
                raise
        answer: T = self._answers[question]
        return answer


def _node(node_id: int, environment: Environment) -> Arguments:
    return {"NodeId": node_id, "ProjectEnv": environment.value}


def _there(operation: Operation, value: T | None, why: str) -> T:
    if value is None:
        raise Refused(operation.action, "NotFound", why)
    return value
