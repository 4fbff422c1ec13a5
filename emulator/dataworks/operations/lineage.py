"""Operations on the lineage of tables, columns, and entities (tables and their readers)."""

from __future__ import annotations

import hashlib

from common.json_types import Json
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import BusinessError, enveloped
from emulator.dataworks.state import EmulatedOperation, ParameterLocation, State

_TABLE, _ENTITY = "odps.", "maxcompute-table."
"""Prefix of a table's GUID, and prefix of the same table's name as an entity."""


def _get_table_lineage(state: State, parameters: Parameters) -> Json:
    guid, page = parameters.text("TableGuid"), parameters.page_at("NextPrimaryKey")
    guids = state.world.downstream(guid) if _down(parameters) else state.world.upstream(guid)
    key = page.next_key(guids)
    rows = [_table(state, neighbour) for neighbour in page.rows_of_page(guids)]
    return enveloped({"DataEntityList": rows, "HasNext": bool(key), "NextPrimaryKey": key})


def _table(state: State, guid: str) -> Json:
    _, database, name = guid.split(".")
    table = state.world.tables.get(guid)
    return {
        "TableGuid": guid,
        "TableName": name,
        "DatabaseName": database,
        "CreateTimestamp": table.fields.get("CreateTime") if table else None,
    }


def _get_column_lineage(state: State, parameters: Parameters) -> Json:
    guid, page = parameters.text("ColumnGuid"), parameters.page("PageNum")
    guids = state.world.downstream(guid) if _down(parameters) else state.world.column_upstream(guid)
    return enveloped(
        {
            "DataEntityList": [_column(neighbour) for neighbour in page.rows_of_page(guids)],
            "PageNum": page.number,
            "PageSize": page.size,
            "TotalCount": page.total(guids),
        }
    )


def _column(guid: str) -> Json:
    _, database, table, name = guid.split(".")
    return {
        "ColumnGuid": guid,
        "ColumnName": name,
        "TableName": table,
        "DatabaseName": database,
        "ClusterId": None,
    }


def _list_lineage(state: State, parameters: Parameters) -> Json:
    name, page = parameters.text("EntityQualifiedName"), parameters.page_at("NextToken")
    kind, _, rest = name.partition(".")
    if not kind.endswith("-table") or not rest:
        raise BusinessError("1010040007", "qualifiedName should be in format as entity-table.entity-guid")
    keyword = parameters.optional("Keyword") or ""
    guid = _TABLE + name.removeprefix(_ENTITY)
    rows = [
        row for row in _neighbours(state, guid, down=_down(parameters)) if keyword in row["QualifiedName"]
    ]
    entities = [_entity(name, row) for row in page.rows_of_page(rows)]
    return enveloped({"DataEntityList": entities, "NextToken": page.next_key(rows) or None})


def _neighbours(state: State, guid: str, *, down: bool) -> list[Json]:
    guids = state.world.downstream(guid) if down else state.world.upstream(guid)
    tables = [
        {"QualifiedName": _ENTITY + neighbour.removeprefix(_TABLE), "Channel": "FIRST_PARTY"}
        for neighbour in guids
    ]
    table = state.world.tables.get(guid)
    return tables + (list(table.consumers) if table and down else [])


def _entity(origin: str, row: Json) -> Json:
    kind = row["QualifiedName"].partition(".")[0]
    relation = hashlib.sha256(f"{origin} {row['QualifiedName']}".encode()).hexdigest()[:32]
    return {
        "CreateTimestamp": 1_686_215_809_269,
        "Entity": {
            "QualifiedName": row["QualifiedName"],
            "TenantId": 283781234510656,
            "EntityContent": {"entityType": kind, "name": row["QualifiedName"].rpartition(".")[2]},
        },
        "RelationList": [
            {"Channel": row["Channel"], "Datasource": "odps_first", "Guid": relation, "Type": "sql"}
        ],
    }


def _down(parameters: Parameters) -> bool:
    return parameters.choice("Direction", "up", "down") == "down"


OPERATIONS = (
    EmulatedOperation(
        "GetMetaTableLineage", ParameterLocation.QUERY, ("Direction", "TableGuid"), _get_table_lineage
    ),
    EmulatedOperation(
        "GetMetaColumnLineage", ParameterLocation.QUERY, ("ColumnGuid", "Direction"), _get_column_lineage
    ),
    EmulatedOperation(
        "ListLineage", ParameterLocation.QUERY, ("Direction", "EntityQualifiedName"), _list_lineage
    ),
)
