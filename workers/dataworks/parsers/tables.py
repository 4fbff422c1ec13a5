"""Parsers of responses about tables, columns and lineage; each takes a whole response unless noted."""

from __future__ import annotations

from common.json_types import Json
from common.snapshot import Column
from workers.dataworks.json_fields import (
    MalformedResponse,
    bool_field,
    number_field,
    object_field,
    object_list,
    text_field,
)
from workers.dataworks.models import ColumnRef, Consumer, ProducingTask, TableInfo, TableRef

THIRD_PARTY = "THIRD_PARTY"
"""`Channel` of a relation that was registered by a system outside DataWorks."""


def parse_table_info(response: Json) -> tuple[TableInfo, int]:
    """Parse one page of GetMetaTableFullInfo: the table with the page's columns, and the total of columns."""
    data = object_field(response, "Data")
    guid = _required_text(data, "TableGuid")
    columns = tuple(parse_column(item) for item in object_list(data, "ColumnList"))
    lifecycle = number_field(data, "LifeCycle")
    info = TableInfo(
        guid=guid,
        size=number_field(data, "DataSize"),
        columns=columns,
        owner=text_field(data, "OwnerId"),
        project_id=number_field(data, "ProjectId"),
        project_name=text_field(data, "ProjectName"),
        lifecycle=lifecycle if lifecycle and lifecycle > 0 else None,
        comment=text_field(data, "Comment"),
    )
    return info, number_field(data, "TotalColumnCount") or len(columns)


def parse_column(raw: Json) -> Column:
    """Parse one column of a table."""
    return Column(
        name=text_field(raw, "ColumnName") or "",
        type=text_field(raw, "ColumnType") or "",
        comment=text_field(raw, "Comment") or "",
        partition=bool_field(raw, "IsPartitionColumn"),
        key=bool_field(raw, "IsPrimaryKey"),
    )


def parse_tables(response: Json) -> tuple[tuple[TableRef, ...], str | None]:
    """Parse one page of GetMetaTableLineage: its tables, and the key of the next page, if any."""
    data = object_field(response, "Data")
    rows = tuple(
        TableRef(
            guid=_required_text(item, "TableGuid"),
            name=text_field(item, "TableName") or "",
            database=text_field(item, "DatabaseName") or "",
        )
        for item in object_list(data, "DataEntityList")
    )
    key = text_field(data, "NextPrimaryKey") if bool_field(data, "HasNext") else None
    return rows, key or None


def parse_columns(response: Json) -> tuple[tuple[ColumnRef, ...], int | None]:
    """Parse one page of GetMetaColumnLineage: its columns, and the total number if reported."""
    data = object_field(response, "Data")
    rows = tuple(
        ColumnRef(
            guid=_required_text(item, "ColumnGuid"),
            name=text_field(item, "ColumnName") or "",
            table=text_field(item, "TableName") or "",
            database=text_field(item, "DatabaseName") or "",
        )
        for item in object_list(data, "DataEntityList")
    )
    return rows, number_field(data, "TotalCount")


def parse_entities(response: Json) -> tuple[tuple[Consumer, ...], str | None]:
    """Parse one page of ListLineage: its entities (including tables), and the next page's token, if any."""
    data = object_field(response, "Data")
    rows = tuple(
        Consumer(
            qualified_name=_required_text(object_field(item, "Entity"), "QualifiedName"),
            third_party=any(
                text_field(row, "Channel") == THIRD_PARTY for row in object_list(item, "RelationList")
            ),
        )
        for item in object_list(data, "DataEntityList")
    )
    return rows, text_field(data, "NextToken") or None


def parse_producing_tasks(response: Json) -> tuple[ProducingTask, ...]:
    """Parse GetMetaTableProducingTasks."""
    rows = (
        ProducingTask(_required_text(item, "TaskId"), text_field(item, "TaskName") or "")
        for item in object_list(response, "Data")
    )
    return tuple(dict.fromkeys(rows))


def _required_text(raw: Json, field: str) -> str:
    value = text_field(raw, field)
    if not value:
        raise MalformedResponse(f"{field} is missing")
    return value
