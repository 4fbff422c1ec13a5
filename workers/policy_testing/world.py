"""The data of a case: nodes, baselines and tables, as written in the case file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from workers.dataworks.models import Scheduler

_PARTS_OF_GUID = 3

ACTIONS = {
    "node_children": "GetNodeChildren",
    "node_parents": "GetNodeParents",
    "node": "GetNode",
    "node_code": "GetNodeCode",
    "node_inputs": "ListNodeInputOrOutput",
    "node_outputs": "ListNodeInputOrOutput",
    "nodes_by_output": "ListNodesByOutput",
    "baseline": "GetBaseline",
    "downstream_columns": "GetMetaColumnLineage",
    "consumers": "ListLineage",
    "producing_tasks": "GetMetaTableProducingTasks",
    "downstream_tables": "GetMetaTableLineage",
    "table_info": "GetMetaTableFullInfo",
    "deployed_code": "GetFileVersion",
}
"""The DataWorks API operation of each lookup."""


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _int_to_text(value: object) -> object:
    plain = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if plain else value


def none_to_empty(empty: Callable[[], Any]) -> BeforeValidator:
    """Return a validator that replaces None by `empty()`."""
    return BeforeValidator(lambda value: empty() if value is None else value)


def _guid(value: str) -> str:
    if len(value.split(".")) < _PARTS_OF_GUID or not all(value.split(".")):
        raise ValueError("expected a table as odps.PROJECT.TABLE")
    return value


def _lookup(value: str) -> str:
    if value not in ACTIONS:
        raise ValueError(f"unknown lookup; expected one of {', '.join(ACTIONS)}")
    return value


Uid = Annotated[str, BeforeValidator(_int_to_text)]
"""The id of a user; a number may be written without quotes."""

Guid = Annotated[str, AfterValidator(_guid)]


class WorldPart(BaseModel):
    """A part of a case; unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CaseOutput(WorldPart):
    """An output of a node."""

    name: str
    table: str | None = Field(default=None, description="the table of this output (odps.PROJECT.TABLE)")


class CaseNode(WorldPart):
    """A node; fields that are not set have ordinary values."""

    name: str | None = Field(default=None, description="node_ID if not set")
    owner: Uid | None = None
    project: int | None = Field(default=None, description="its workspace; that of the event if not set")
    scheduler: Scheduler = Field(default=Scheduler.NORMAL, description="NORMAL, MANUAL, PAUSE (frozen), SKIP")
    cron: str | None = None
    rerunnable: bool | None = None
    baseline: int | None = None
    priority: int | None = Field(default=None, description="that of its baseline if not set")
    program_type: str | None = "ODPS_SQL"
    parents: tuple[int, ...] = ()
    cross_cycle_parents: tuple[int, ...] = ()
    inputs: tuple[str, ...] | None = Field(default=None, description="the outputs of its parents if not set")
    outputs: tuple[Annotated[CaseOutput, BeforeValidator(_named)], ...] = ()
    code: str = ""


class CaseBaseline(WorldPart):
    """A baseline."""

    name: str | None = Field(default=None, description="baseline_ID if not set")
    priority: int | None = None
    owner: Uid | None = None
    enabled: bool = True


class CaseConsumer(WorldPart):
    """A consumer of a table other than nodes and tables."""

    name: str
    third_party: bool = False


class CaseTable(WorldPart):
    """A table in the catalog."""

    columns: dict[str, str] = Field(default_factory=dict, description="types by name")
    partitions: dict[str, str] = Field(default_factory=dict, description="types of partition columns by name")
    keys: tuple[str, ...] = Field(default=(), description="columns of its primary key")
    made_from: tuple[Guid, ...] = ()
    columns_made_from: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="source columns (odps.PROJECT.TABLE.COLUMN) by column"
    )
    producers: tuple[int, ...] = Field(default=(), description="nodes that write it")
    consumers: tuple[Annotated[CaseConsumer, BeforeValidator(_named)], ...] = ()
    owner: Uid | None = None
    project: int | None = Field(default=None, description="its workspace; that of the event if not set")
    project_name: str | None = Field(default=None, description="that of its name if not set")
    lifecycle: int | None = None
    size: int | None = None
    comment: str | None = None


class CaseWorld(WorldPart):
    """All data that lookups of a case can return."""

    nodes: dict[int, Annotated[CaseNode, none_to_empty(dict)]] = Field(default_factory=dict)
    baselines: dict[int, Annotated[CaseBaseline, none_to_empty(dict)]] = Field(default_factory=dict)
    tables: dict[Guid, Annotated[CaseTable, none_to_empty(dict)]] = Field(default_factory=dict)
    deployed: dict[int, str] = Field(default_factory=dict, description="code in production by file id")
    failing: tuple[Annotated[str, AfterValidator(_lookup)], ...] = Field(
        default=(), description="lookups that fail with access denied"
    )
