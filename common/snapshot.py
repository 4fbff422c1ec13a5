"""The snapshot of an operation's object, as DataWorks describes it: the code of a file, or a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """The file of an operation and its code (`GetIDEEventDetail`).

    Attributes:
        file_type: number of the node type (10 is ODPS SQL); None if missing.
        content: the code when the operation started; empty if DataWorks returned none.
        change_type: CREATE, UPDATE or DELETE; None if the operation has none.
        rerun_mode: ALL_ALLOWED, FAILURE_ALLOWED or ALL_DENIED, from the node's schedule.
        inputs: names of the outputs that the node depends on.
        outputs: names of the node's own outputs.
        has_content: whether DataWorks returned the code, which may be empty.
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
    has_content: bool = True


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
    """The table of an operation.

    Attributes:
        environment: DEV or PROD.
        lifecycle: days after which data is removed; None if it is kept indefinitely.
    """

    name: str
    environment: str | None
    comment: str
    lifecycle: int | None
    data_source: str | None = None
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The object of an IDE operation: a file or a table; neither if DataWorks has no detail."""

    file: FileSnapshot | None = None
    table: TableSnapshot | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the snapshot as plain JSON."""
        raw = asdict(self)
        if self.file and self.file.has_content:
            del raw["file"]["has_content"]  # the default, which earlier versions do not know
        return raw

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Snapshot:
        """Return the snapshot that `to_json` serialized."""
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
