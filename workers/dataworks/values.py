"""What the OpenAPI tells, as our own values: only the fields that dwgate uses, with their types made sure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


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
class FileSnapshot:
    """The code that an operation on a file works on (`GetIDEEventDetail`).

    Attributes:
        file_type: number of the node type (10 is ODPS SQL); None when the detail lacks it.
        content: the code as it was when the operation began.
        change_type: CREATE, UPDATE or DELETE; None where the operation has none.
        rerun_mode: ALL_ALLOWED, FAILURE_ALLOWED or ALL_DENIED, from the node's schedule.
        inputs: names of the outputs that the node depends on.
        outputs: names that the node puts out.
    """

    file_id: int | None
    name: str
    file_type: int | None
    content: str
    node_id: int | None = None
    change_type: str | None = None
    owner: str | None = None
    version: int | None = None
    data_source: str | None = None
    parameters: str | None = None
    rerun_mode: str | None = None
    scheduler: str | None = None
    cron: str | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        partition: whether it is a partition column.
        key: whether it is part of the primary key.
    """

    name: str
    type: str
    comment: str
    partition: bool = False
    key: bool = False


@dataclass(frozen=True, slots=True)
class TableSnapshot:
    """The table that an operation on a table works on.

    Attributes:
        environment: DEV or PROD.
        lifecycle: days after which data is removed; None for ever.
    """

    name: str
    environment: str | None
    comment: str
    lifecycle: int | None
    data_source: str | None = None
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an IDE operation works on: a file or a table; neither when DataWorks holds no detail."""

    file: FileSnapshot | None = None
    table: TableSnapshot | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the snapshot as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Snapshot:
        """Read what `to_json` wrote."""
        file, table = raw["file"], raw["table"]
        return cls(
            file=FileSnapshot(**{**file, "inputs": tuple(file["inputs"]), "outputs": tuple(file["outputs"])})
            if file
            else None,
            table=TableSnapshot(
                **{**table, "columns": tuple(Column(**column) for column in table["columns"])}
            )
            if table
            else None,
        )


@dataclass(frozen=True, slots=True)
class Node:
    """A scheduled node, as lineage lookups list it.

    Attributes:
        cross_cycle: whether the edge that led here is a cross-cycle dependency.
        baseline_id: the baseline it is on; None when on none.
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


@dataclass(frozen=True, slots=True)
class TableRef:
    """A table that lineage names."""

    guid: str
    name: str
    database: str


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table as the catalogue of DataWorks has it.

    Attributes:
        size: bytes; None when it is not told.
        columns: all of them, partition columns included.
    """

    guid: str
    size: int | None
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One version of a file.

    Attributes:
        in_production: whether it is the one that runs in production.
    """

    number: int
    in_production: bool


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
