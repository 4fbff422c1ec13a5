"""Values of OpenAPI responses: only the fields that dwgate uses, with validated types."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from common.snapshot import Column

_MAX_ID_LENGTH = 19
"""Maximum number of digits of a 64-bit integer."""


class Environment(StrEnum):
    """The two environments of a standard workspace."""

    DEV = "DEV"
    PROD = "PROD"


class Scheduler(StrEnum):
    """The scheduling type of a node; PAUSE: frozen, SKIP: dry-run."""

    NORMAL = "NORMAL"
    MANUAL = "MANUAL"
    PAUSE = "PAUSE"
    SKIP = "SKIP"


@dataclass(frozen=True, slots=True)
class Node:
    """A scheduled node, as lineage lookups list it.

    Attributes:
        baseline_id: the node's baseline; None if it has none.
        priority: 1, 3, 5, 7 or 8; that of its baseline.
        cross_cycle: whether the edge that was followed to this node is a cross-cycle dependency.
        cron: the schedule (`00 30 00 * * ?`: second, minute, hour, …).
        rerunnable: whether it may be rerun after it succeeded; None if unknown.
    """

    id: int
    name: str
    owner: str | None
    project_id: int | None
    program_type: str | None
    scheduler: str | None
    baseline_id: int | None = None
    priority: int | None = None
    cross_cycle: bool = False
    cron: str | None = None
    rerunnable: bool | None = None


@dataclass(frozen=True, slots=True)
class NodeOutput:
    """An output of a node, through which other nodes depend on it (`ListNodeInputOrOutput`).

    Attributes:
        name: such as `shop.dwd_order` or `shop.700123003_out`.
        node_id: the node that produces it; None if unknown.
        table: the table behind the output, if DataWorks reports one.
    """

    name: str
    node_id: int | None
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline: nodes that must finish by a committed time (`GetBaselineConfig`).

    Attributes:
        priority: 1, 3, 5, 7 or 8; higher is more urgent.
        due: the committed time (HH:MM) of a daily baseline; hours above 23 are on the next day. None if
            DataWorks returned none.
    """

    id: int
    name: str
    priority: int | None
    owner: str | None
    enabled: bool = True
    due: str | None = None


@dataclass(frozen=True, slots=True)
class TableRef:
    """A table in lineage."""

    guid: str
    name: str
    database: str


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column in lineage.

    Attributes:
        guid: `odps.project.table.column`.
        database: the project.
    """

    guid: str
    name: str
    table: str
    database: str


@dataclass(frozen=True, slots=True)
class Consumer:
    """A reader of a table other than nodes and tables: a report, an API, another product (`ListLineage`).

    Attributes:
        qualified_name: name in DataWorks, such as `dataservice-api.123`.
        third_party: whether it was registered by a system outside DataWorks.
    """

    qualified_name: str
    third_party: bool = False


@dataclass(frozen=True, slots=True)
class ProducingTask:
    """A task that writes a table (`GetMetaTableProducingTasks`).

    Attributes:
        id: ID of its node, as a string.
    """

    id: str
    name: str

    @property
    def node_id(self) -> int | None:
        """`id` as a number; None if it is not numeric."""
        return int(self.id) if self.id.isdecimal() and len(self.id) <= _MAX_ID_LENGTH else None


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table in the DataWorks catalogue.

    Attributes:
        size: bytes; None if unknown.
        columns: all columns, including partition columns.
        project_id: the table's workspace.
        lifecycle: days after which data is deleted; None for unlimited or unknown.
    """

    guid: str
    size: int | None
    columns: tuple[Column, ...]
    owner: str | None = None
    project_id: int | None = None
    project_name: str | None = None
    lifecycle: int | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One version of a file.

    Attributes:
        in_production: whether this is the version in production.
    """

    number: int
    in_production: bool


@dataclass(frozen=True, slots=True)
class Extension:
    """The registration of the extension (`GetExtension`).

    Attributes:
        status: 0 testing, 1 online, 3 disabled, 4 pending approval, 5 approved, 6 rejected.
        parameters: the parameter text as entered, one `key=value` per line; may be empty.
        code: its unique code; None if DataWorks returned no extension.
        test_project_id: its test workspace; None if it has none.
        points: the codes of the extension points that it binds.
    """

    status: int | None
    parameters: str
    code: str | None = None
    test_project_id: int | None = None
    points: tuple[str, ...] = ()


class ProcessStatus(StrEnum):
    """The status of an operation's check process."""

    CHECKING = "CHECKING"
    PASSED = "PASSED"
    BLOCKED = "BLOCKED"


@dataclass(frozen=True, slots=True)
class CheckProcess:
    """The check process of one operation, pending or finished (`ListCheckProcesses`)."""

    message_id: str
    event_code: str
    project_id: int | None
    operator: str | None
    status: str
