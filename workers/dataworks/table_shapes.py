"""From the JSON of lookups about tables, columns and lineage to our values; each reads a whole answer."""

from __future__ import annotations

from common.snapshot import Column
from workers.dataworks.fields import Json, Malformed, flag, number, part, parts, text
from workers.dataworks.values import ColumnRef, Consumer, ProducingTask, TableInfo, TableRef

THIRD_PARTY = "THIRD_PARTY"
"""The `Channel` of a relation that was registered from outside DataWorks."""


def table_info(answer: Json) -> tuple[TableInfo, int]:
    """Read one page of GetMetaTableFullInfo: the table with its columns, and how many there are in all."""
    data = part(answer, "Data")
    guid = _needed(data, "TableGuid")
    columns = tuple(column(item) for item in parts(data, "ColumnList"))
    lifecycle = number(data, "LifeCycle")
    info = TableInfo(
        guid=guid,
        size=number(data, "DataSize"),
        columns=columns,
        owner=text(data, "OwnerId"),
        project_id=number(data, "ProjectId"),
        project_name=text(data, "ProjectName"),
        lifecycle=lifecycle if lifecycle and lifecycle > 0 else None,
        comment=text(data, "Comment"),
    )
    return info, number(data, "TotalColumnCount") or len(columns)


def column(raw: Json) -> Column:
    """Read one column of a table."""
    return Column(
        name=text(raw, "ColumnName") or "",
        type=text(raw, "ColumnType") or "",
        comment=text(raw, "Comment") or "",
        partition=flag(raw, "IsPartitionColumn"),
        key=flag(raw, "IsPrimaryKey"),
    )


def tables(answer: Json) -> tuple[tuple[TableRef, ...], str | None]:
    """Read one page of GetMetaTableLineage: its tables, and the key of the next page if there is one."""
    data = part(answer, "Data")
    rows = tuple(
        TableRef(
            guid=_needed(item, "TableGuid"),
            name=text(item, "TableName") or "",
            database=text(item, "DatabaseName") or "",
        )
        for item in parts(data, "DataEntityList")
    )
    key = text(data, "NextPrimaryKey") if flag(data, "HasNext") else None
    return rows, key or None


def columns(answer: Json) -> tuple[tuple[ColumnRef, ...], int | None]:
    """Read one page of GetMetaColumnLineage: its columns, and how many there are in all if it says so."""
    data = part(answer, "Data")
    rows = tuple(
        ColumnRef(
            guid=_needed(item, "ColumnGuid"),
            name=text(item, "ColumnName") or "",
            table=text(item, "TableName") or "",
            database=text(item, "DatabaseName") or "",
        )
        for item in parts(data, "DataEntityList")
    )
    return rows, number(data, "TotalCount")


def entities(answer: Json) -> tuple[tuple[Consumer, ...], str | None]:
    """Read one page of ListLineage: its entities, tables too, and the token of the next page."""
    data = part(answer, "Data")
    rows = tuple(
        Consumer(
            qualified_name=_needed(part(item, "Entity"), "QualifiedName"),
            third_party=any(text(row, "Channel") == THIRD_PARTY for row in parts(item, "RelationList")),
        )
        for item in parts(data, "DataEntityList")
    )
    return rows, text(data, "NextToken") or None


def producing_tasks(answer: Json) -> tuple[ProducingTask, ...]:
    """Read GetMetaTableProducingTasks."""
    rows = (
        ProducingTask(_needed(item, "TaskId"), text(item, "TaskName") or "") for item in parts(answer, "Data")
    )
    return tuple(dict.fromkeys(rows))


def _needed(raw: Json, field: str) -> str:
    value = text(raw, field)
    if not value:
        raise Malformed(f"{field} is missing")
    return value
