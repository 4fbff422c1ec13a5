"""The fixed list of lookups: the operation of each, its arguments, and the parser of its response.

A process that parses node code may request these reads and no other call. It is not trusted: the server
validates the name of the operation and every argument, and chooses endpoint and credentials itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from workers.dataworks import operations, pagination
from workers.dataworks.cached_client import CachedRead
from workers.dataworks.errors import RequestRejected, Unreachable
from workers.dataworks.parsers import events, nodes, tables

MAX_NAME_LENGTH = 1000
"""Maximum length of the name of a table, a column or an output; the author of the code chooses it."""

OUTPUTS_PER_CALL = 50
"""Maximum number of output names in one `ListNodesByOutput` call."""

_MAX_TOKEN_LENGTH = 10_000
_UNKNOWN_PARAMETERS = frozenset({"extra_forbidden", "missing"})
"""Errors that another version of dwgate causes, not a value of the author's."""

T = TypeVar("T")

Id = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH)]
PageNumber = Annotated[int, Field(ge=1, le=pagination.MAX_PAGES)]
PageSize = Annotated[int, Field(ge=1, le=pagination.PAGE_SIZE)]
PageToken = Annotated[str, StringConstraints(max_length=_MAX_TOKEN_LENGTH)]


class Parameters(BaseModel):
    """The parameters of an operation, by their names in the OpenAPI; all others are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class NodeParameters(Parameters):
    """Of a lookup of one node."""

    NodeId: Id
    ProjectEnv: Literal["DEV", "PROD"]


class NodeOutputsParameters(NodeParameters):
    """Of `ListNodeInputOrOutput`."""

    IoType: Literal["input", "output"]


class NodesByOutputParameters(Parameters):
    """Of `ListNodesByOutput`; the names are separated by commas."""

    Outputs: Annotated[
        str, StringConstraints(min_length=1, max_length=OUTPUTS_PER_CALL * (MAX_NAME_LENGTH + 1))
    ]
    ProjectEnv: Literal["DEV", "PROD"]


class BaselineParameters(Parameters):
    """Of `GetBaselineConfig`."""

    BaselineId: Id


class TableParameters(Parameters):
    """Of a lookup of one table."""

    TableGuid: Name


class TableInfoParameters(TableParameters):
    """Of `GetMetaTableFullInfo`."""

    PageNum: PageNumber
    PageSize: PageSize


class TableLineageParameters(TableParameters):
    """Of `GetMetaTableLineage`."""

    Direction: Literal["down"]
    PageSize: PageSize
    NextPrimaryKey: PageToken | None = None


class ColumnLineageParameters(Parameters):
    """Of `GetMetaColumnLineage`."""

    ColumnGuid: Name
    Direction: Literal["down"]
    PageNum: PageNumber
    PageSize: PageSize


class EntityLineageParameters(Parameters):
    """Of `ListLineage`."""

    EntityQualifiedName: Name
    Direction: Literal["down"]
    PageSize: PageSize
    NextToken: PageToken | None = None


class FileParameters(Parameters):
    """Of a lookup of one file."""

    FileId: Id
    ProjectId: Id


class FileVersionsParameters(FileParameters):
    """Of `ListFileVersions`, in both versions of the OpenAPI."""

    PageNumber: PageNumber
    PageSize: PageSize


class FileVersionParameters(FileParameters):
    """Of `GetFileVersion`, in both versions of the OpenAPI."""

    FileVersion: Id


@dataclass(frozen=True, slots=True)
class Lookup(CachedRead[T]):
    """One lookup.

    Attributes:
        parameters: the model of its arguments.
    """

    parameters: type[Parameters]

    @property
    def name(self) -> str:
        """Its name in requests and in the cache: its operation, with the version if there are several."""
        return self.operation.cache_key

    def validate(self, arguments: Mapping[str, str | int]) -> None:
        """Check arguments, parts of which the author of the code may have chosen.

        Raises:
            RequestRejected: one is invalid, as DataWorks itself would answer.
            Unreachable: the parameters are others: the sender runs another version of dwgate.
        """
        action = self.operation.action
        try:
            self.parameters.model_validate(dict(arguments))
        except ValidationError as error:
            if any(problem["type"] in _UNKNOWN_PARAMETERS for problem in error.errors(include_input=False)):
                raise Unreachable(action, "UnknownParameters", "this worker does not know them") from None
            raise RequestRejected(action, "InvalidArguments", "a name is too long, or no name") from None


NODE = Lookup(operations.NODE, nodes.parse_node, NodeParameters)
NODE_CODE = Lookup(operations.NODE_CODE, nodes.parse_code, NodeParameters)
NODE_CHILDREN = Lookup(operations.NODE_CHILDREN, nodes.parse_nodes, NodeParameters)
NODE_PARENTS = Lookup(operations.NODE_PARENTS, nodes.parse_nodes, NodeParameters)
NODE_OUTPUTS = Lookup(operations.NODE_OUTPUTS, nodes.parse_outputs, NodeOutputsParameters)
NODES_BY_OUTPUT = Lookup(operations.NODES_BY_OUTPUT, nodes.parse_nodes_by_output, NodesByOutputParameters)
BASELINE = Lookup(operations.BASELINE, nodes.parse_baseline, BaselineParameters)
TABLE_INFO = Lookup(operations.TABLE_INFO, tables.parse_table_info, TableInfoParameters)
TABLE_LINEAGE = Lookup(operations.TABLE_LINEAGE, tables.parse_tables, TableLineageParameters)
TABLE_TASKS = Lookup(operations.TABLE_TASKS, tables.parse_producing_tasks, TableParameters)
COLUMN_LINEAGE = Lookup(operations.COLUMN_LINEAGE, tables.parse_columns, ColumnLineageParameters)
ENTITY_LINEAGE = Lookup(operations.ENTITY_LINEAGE, tables.parse_entities, EntityLineageParameters)
FILE_VERSIONS = Lookup(operations.FILE_VERSIONS, events.parse_versions, FileVersionsParameters)
FILE_VERSION = Lookup(operations.FILE_VERSION, events.parse_version_code, FileVersionParameters)
DATA_STUDIO_FILE_VERSIONS = Lookup(
    operations.DATA_STUDIO_FILE_VERSIONS, events.parse_versions, FileVersionsParameters
)
DATA_STUDIO_FILE_VERSION = Lookup(
    operations.DATA_STUDIO_FILE_VERSION, events.parse_version_code, FileVersionParameters
)

_LOOKUPS: tuple[Lookup[Any], ...] = (
    *(NODE, NODE_CODE, NODE_CHILDREN, NODE_PARENTS, NODE_OUTPUTS, NODES_BY_OUTPUT, BASELINE),
    *(TABLE_INFO, TABLE_LINEAGE, TABLE_TASKS, COLUMN_LINEAGE, ENTITY_LINEAGE),
    *(FILE_VERSIONS, FILE_VERSION, DATA_STUDIO_FILE_VERSIONS, DATA_STUDIO_FILE_VERSION),
)
LOOKUPS: Mapping[str, Lookup[Any]] = {lookup.name: lookup for lookup in _LOOKUPS}
"""All lookups by name."""


def find_lookup(name: str) -> Lookup[Any]:
    """Return the lookup that a request names.

    Raises:
        Unreachable: there is none of this name: the sender runs another version of dwgate.
    """
    if name not in LOOKUPS:
        raise Unreachable("lookup", "UnknownLookup", "this worker does not know it")
    return LOOKUPS[name]
