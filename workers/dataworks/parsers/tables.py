"""From the JSON of lookups about tables, columns and lineage to our values; each reads a whole answer."""

from __future__ import annotations

from common.snapshot import Column
from workers.dataworks.json_fields import (
    Json,
    MalformedResponse,
    bool_field,
    number,
    object_field,
    object_list,
    text,
)
from workers.dataworks.models import ColumnRef, Consumer, ProducingTask, TableInfo, TableRef

THIRD_PARTY = "THIRD_PARTY"
"""The `Channel` of a relation that was registered from outside DataWorks."""


def table_info(answer: Json) -> tuple[TableInfo, int]:
    """Read one page of GetMetaTableFullInfo: the table with its columns, and how many there are in all."""
    data = object_field(answer, "Data")
    guid = _needed(data, "TableGuid")
    columns = tuple(column(item) for item in object_list(data, "ColumnList"))
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
        partition=bool_field(raw, "IsPartitionColumn"),
        key=bool_field(raw, "IsPrimaryKey"),
    )


def tables(answer: Json) -> tuple[tuple[TableRef, ...], str | None]:
    """Read one page of GetMetaTableLineage: its tables, and the key of the next page if there is one."""
    data = object_field(answer, "Data")
    rows = tuple(
        TableRef(
            guid=_needed(item, "TableGuid"),
            name=text(item, "TableName") or "",
            database=text(item, "DatabaseName") or "",
        )
        for item in object_list(data, "DataEntityList")
    )
    key = text(data, "NextPrimaryKey") if bool_field(data, "HasNext") else None
    return rows, key or None


def columns(answer: Json) -> tuple[tuple[ColumnRef, ...], int | None]:
    """Read one page of GetMetaColumnLineage: its columns, and how many there are in all if it says so."""
    data = object_field(answer, "Data")
    rows = tuple(
        ColumnRef(
            guid=_needed(item, "ColumnGuid"),
            name=text(item, "ColumnName") or "",
            table=text(item, "TableName") or "",
            database=text(item, "DatabaseName") or "",
        )
        for item in object_list(data, "DataEntityList")
    )
    return rows, number(data, "TotalCount")


def entities(answer: Json) -> tuple[tuple[Consumer, ...], str | None]:
    """Read one page of ListLineage: its entities, tables too, and the token of the next page."""
    data = object_field(answer, "Data")
    rows = tuple(
        Consumer(
            qualified_name=_needed(object_field(item, "Entity"), "QualifiedName"),
            third_party=any(text(row, "Channel") == THIRD_PARTY for row in object_list(item, "RelationList")),
        )
        for item in object_list(data, "DataEntityList")
    )
    return rows, text(data, "NextToken") or None


def producing_tasks(answer: Json) -> tuple[ProducingTask, ...]:
    """Read GetMetaTableProducingTasks."""
    rows = (
        ProducingTask(_needed(item, "TaskId"), text(item, "TaskName") or "")
        for item in object_list(answer, "Data")
    )
    return tuple(dict.fromkeys(rows))


def _needed(raw: Json, field: str) -> str:
    value = text(raw, field)
    if not value:
        raise MalformedResponse(f"{field} is missing")
    return value
