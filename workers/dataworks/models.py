"""What the OpenAPI tells, as our own values: only the fields that dwgate uses, with their types made sure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from common.snapshot import Column

_MAX_ID_LENGTH = 19
"""Digits of a number of 64 bits."""


class Environment(StrEnum):
    """The two environments of a standard workspace."""

    DEV = "DEV"
    PROD = "PROD"


class Scheduler(StrEnum):
    """How a node is scheduled; PAUSE is a frozen node."""

    NORMAL = "NORMAL"
    MANUAL = "MANUAL"
    PAUSE = "PAUSE"
    SKIP = "SKIP"


@dataclass(frozen=True, slots=True)
class Node:
    """A scheduled node, as lineage lookups list it.

    Attributes:
        cross_cycle: whether the edge that led here is a cross-cycle dependency.
        baseline_id: the baseline it is on; None when on none.
        priority: 1, 3, 5, 7 or 8; that of its baseline.
        cron: when it is scheduled (`00 30 00 * * ?`: second, minute, hour, …).
        rerunnable: whether it may be run again after it succeeded; None when it is not told.
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
    """A name that a node puts out, by which others depend on it (`ListNodeInputOrOutput`).

    Attributes:
        name: such as `shop.dwd_order` or `shop.700123003_out`.
        table: the table that it stands for, where DataWorks knows one.
    """

    name: str
    node_id: int | None
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline: nodes that must have ended by a time (`GetBaseline`).

    Attributes:
        priority: 1, 3, 5, 7 or 8; higher is more urgent.
    """

    id: int
    name: str
    priority: int | None
    owner: str | None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class TableRef:
    """A table that lineage names."""

    guid: str
    name: str
    database: str


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column that lineage names.

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
    """Whoever reads a table beyond nodes and tables: a report, an API, another product (`ListLineage`).

    Attributes:
        qualified_name: as DataWorks names it, such as `dataservice-api.123`.
        third_party: whether it was registered from outside DataWorks.
    """

    qualified_name: str
    third_party: bool = False


@dataclass(frozen=True, slots=True)
class ProducingTask:
    """A task that writes a table (`GetMetaTableProducingTasks`).

    Attributes:
        id: the id of its node, as text.
    """

    id: str
    name: str

    @property
    def node_id(self) -> int | None:
        """Its id as a number; None when it is none."""
        return int(self.id) if self.id.isdecimal() and len(self.id) <= _MAX_ID_LENGTH else None


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table as the catalogue of DataWorks has it.

    Attributes:
        size: bytes; None when it is not told.
        columns: all of them, partition columns included.
        project_id: the workspace it belongs to.
        lifecycle: days after which data is removed; None for ever, or when it is not told.
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
        in_production: whether it is the one that runs in production.
    """

    number: int
    in_production: bool


@dataclass(frozen=True, slots=True)
class Extension:
    """Our extension as it is registered (`GetExtension`).

    Attributes:
        status: 0 testing, 1 online, 3 disabled, 4 waiting for approval, 5 approved, 6 rejected.
        parameters: its parameters as they were typed in, one `key=value` a line; empty when there are none.
    """

    status: int | None
    parameters: str


class ProcessStatus(StrEnum):
    """Where the check process of an operation is."""

    CHECKING = "CHECKING"
    PASSED = "PASSED"
    BLOCKED = "BLOCKED"


@dataclass(frozen=True, slots=True)
class CheckProcess:
    """One operation that waits, or waited, for extensions (`ListCheckProcesses`)."""

    message_id: str
    event_code: str
    project_id: int | None
    operator: str | None
    status: str
