"""From the JSON of the OpenAPI to our values.

Absent and null count as the same, and numbers may come as strings: both occur. Anything else of another
shape than documented is a `Malformed`, so that a broken answer is never taken for "there is nothing".
"""

from __future__ import annotations

from typing import Any

from workers.dataworks.values import (
    CheckProcess,
    Column,
    FileSnapshot,
    FileVersion,
    Node,
    Snapshot,
    TableInfo,
    TableRef,
    TableSnapshot,
)

Json = dict[str, Any]

CROSS_CYCLE = "3"
"""The `StepType` of an edge between two cycles."""


class Malformed(ValueError):
    """The answer has another shape than documented; the text names the field."""


def snapshot(answer: Json) -> Snapshot:
    """Read the answer of GetIDEEventDetail."""
    detail = part(answer, "EventDetail")
    if committed := part(detail, "CommittedFile"):
        return Snapshot(file=_committed(committed))
    if deleted := part(detail, "DeletedFile"):
        return Snapshot(file=_file(deleted, deleted, change_type="DELETE"))
    if command := part(detail, "FileExecutionCommand"):
        return Snapshot(file=_file(command, command))
    if model := part(detail, "TableModel"):
        return Snapshot(table=_table(model))
    return Snapshot()


def _committed(raw: Json) -> FileSnapshot:
    node = part(raw, "NodeConfiguration")
    return _file(
        raw,
        part(raw, "FilePropertyContent"),
        change_type=text(raw, "ChangeType"),
        parameters=text(node, "ParaValue"),
        rerun_mode=text(node, "RerunMode"),
        scheduler=text(node, "SchedulerType"),
        cron=text(node, "CronExpress"),
        inputs=tuple(text(item, "Input") or "" for item in parts(node, "InputList")),
        outputs=tuple(text(item, "Output") or "" for item in parts(node, "OutputList")),
    )


def _file(raw: Json, properties: Json, **more: Any) -> FileSnapshot:
    return FileSnapshot(
        file_id=number(raw, "FileId"),
        name=text(raw, "FileName") or "",
        file_type=number(raw, "FileType"),
        content=text(raw, "Content") or "",
        node_id=number(raw, "NodeId"),
        owner=text(properties, "Owner"),
        version=number(properties, "CurrentVersion"),
        data_source=text(properties, "DataSourceName"),
        **more,
    )


def _table(raw: Json) -> TableSnapshot:
    return TableSnapshot(
        name=text(raw, "TableName") or "",
        environment=text(raw, "Env"),
        comment=text(raw, "Comment") or "",
        lifecycle=number(raw, "LifeCycle"),
        data_source=text(raw, "DataSourceName"),
        columns=tuple(_column(item) for item in parts(raw, "Columns")),
    )


def _column(raw: Json) -> Column:
    return Column(
        name=text(raw, "ColumnName") or "",
        type=text(raw, "ColumnType") or "",
        comment=text(raw, "Comment") or "",
        partition=flag(raw, "IsPartitionColumn"),
        key=flag(raw, "IsPrimaryKey"),
    )


def node(raw: Json) -> Node:
    """Read one node of GetNode, GetNodeChildren or GetNodeParents."""
    node_id = number(raw, "NodeId")
    if node_id is None:
        raise Malformed("NodeId is missing")
    baseline = number(raw, "BaselineId")
    return Node(
        id=node_id,
        name=text(raw, "NodeName") or "",
        owner=text(raw, "OwnerId"),
        project_id=number(raw, "ProjectId"),
        program_type=text(raw, "ProgramType"),
        scheduler=text(raw, "SchedulerType"),
        baseline_id=baseline if baseline and baseline > 0 else None,
        priority=number(raw, "Priority"),
        cross_cycle=text(raw, "StepType") == CROSS_CYCLE,
    )


def extension_codes(answer: Json) -> frozenset[str | None]:
    """Read the answer of ListEnabledExtensionsForProject: the codes of the extensions."""
    return frozenset(text(item, "ExtensionCode") for item in parts(answer, "Extensions"))


def nodes(data: Json) -> tuple[Node, ...]:
    """Read the data of GetNodeChildren or GetNodeParents."""
    return tuple(node(item) for item in parts(data, "Nodes"))


def lineage(data: Json) -> tuple[tuple[TableRef, ...], str | None]:
    """Read one page of GetMetaTableLineage: its tables, and the key of the next page if there is one."""
    tables = tuple(table(item) for item in parts(data, "DataEntityList"))
    key = text(data, "NextPrimaryKey") if flag(data, "HasNext") else None
    return tables, key or None


def table_info(data: Json) -> tuple[TableInfo, int]:
    """Read one page of GetMetaTableFullInfo: the table with its columns, and how many there are in all."""
    guid = text(data, "TableGuid")
    if not guid:
        raise Malformed("TableGuid is missing")
    columns = tuple(_column(item) for item in parts(data, "ColumnList"))
    return TableInfo(guid, number(data, "DataSize"), columns), number(data, "TotalColumnCount") or len(
        columns
    )


def versions(data: Json) -> tuple[FileVersion, ...]:
    """Read one page of ListFileVersions."""
    return tuple(
        FileVersion(number_of, flag(item, "IsCurrentProd"))
        for item in parts(data, "FileVersions")
        if (number_of := number(item, "FileVersion")) is not None
    )


def version_code(data: Json) -> str:
    """Read GetFileVersion: the code of the version."""
    return text(data, "FileContent") or ""


def processes(answer: Json) -> tuple[tuple[CheckProcess, ...], int | None]:
    """Read one page of ListCheckProcesses: its processes, and how many there are in all if it says so."""
    paging = part(answer, "PagingInfo")
    return tuple(process(item) for item in parts(paging, "CheckProcesses")), number(paging, "TotalCount")


def table(raw: Json) -> TableRef:
    """Read one table of GetMetaTableLineage."""
    guid = text(raw, "TableGuid")
    if not guid:
        raise Malformed("TableGuid is missing")
    return TableRef(guid=guid, name=text(raw, "TableName") or "", database=text(raw, "DatabaseName") or "")


def process(raw: Json) -> CheckProcess:
    """Read one process of ListCheckProcesses."""
    message_id = text(raw, "MessageId")
    if not message_id:
        raise Malformed("MessageId is missing")
    return CheckProcess(
        message_id=message_id,
        event_code=text(raw, "EventCode") or "",
        project_id=number(raw, "ProjectId"),
        operator=text(raw, "Operator"),
        status=(text(raw, "Status") or "").upper(),
    )


def part(raw: Json, field: str) -> Json:
    """Return an object; empty when it is absent or null."""
    value = raw.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{field} is not an object")
    return value


def parts(raw: Json, field: str) -> list[Json]:
    """Return a list of objects; empty when it is absent or null."""
    value = raw.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Malformed(f"{field} is not a list of objects")
    return value


def text(raw: Json, field: str) -> str | None:
    """Return a string; a number is written out. None when it is absent or null."""
    value = raw.get(field)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise Malformed(f"{field} is not a string")
    return str(value)


def number(raw: Json, field: str) -> int | None:
    """Return an integer, also from a string; None when it is absent, null or empty."""
    value = raw.get(field)
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Malformed(f"{field} is not a number") from None


def flag(raw: Json, field: str) -> bool:
    """Return a boolean, also from a string; false when it is absent or null."""
    return str(raw.get(field, False)).lower() == "true"
