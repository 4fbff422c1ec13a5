"""Operations on the metadata of tables."""

from __future__ import annotations

import orjson

from common.json_types import Json
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import BusinessError, GatewayError, enveloped
from emulator.dataworks.state import EmulatedOperation, ParameterLocation, State
from emulator.dataworks.world import Table

BASIC_FIELDS_ON_REQUEST = ("ReadCount", "ViewCount", "FavoriteCount")
_FULL_OMITS = (*BASIC_FIELDS_ON_REQUEST, "ColumnCount", "IsPartitionTable", "IsView", "Caption")
_SORT_FIELDS = {"name": "PartitionName", "modify_time": "ModifiedTime"}


def _table(state: State, parameters: Parameters) -> Table:
    table = state.world.tables.get(parameters.text("TableGuid"))
    if table is None:
        raise BusinessError("Invalid.Table.NotExists", "There is no such table.")
    return table


def _get_basic_info(state: State, parameters: Parameters) -> Json:
    table = _table(state, parameters)
    extended = (parameters.optional("Extension") or "").lower() == "true"
    hidden = () if extended else BASIC_FIELDS_ON_REQUEST
    fields = {name: value for name, value in table.fields.items() if name not in hidden}
    return enveloped({**fields, "ColumnCount": len(table.columns)})


def _get_full_info(state: State, parameters: Parameters) -> Json:
    table, page = _table(state, parameters), parameters.page("PageNum")
    fields = {name: value for name, value in table.fields.items() if name not in _FULL_OMITS}
    columns = {
        "ColumnList": list(page.rows_of_page(table.columns)),
        "TotalColumnCount": page.total(table.columns),
    }
    return enveloped({**fields, **columns})


def _get_column(state: State, parameters: Parameters) -> Json:
    table, page = _table(state, parameters), parameters.page("PageNum")
    return enveloped(
        {
            "ColumnList": [{"RelationCount": 0, **column} for column in page.rows_of_page(table.columns)],
            "PageNum": page.number,
            "PageSize": page.size,
            "TotalCount": page.total(table.columns),
        }
    )


def _get_partition(state: State, parameters: Parameters) -> Json:
    partitions, page = _sorted(_table(state, parameters).partitions, parameters), parameters.page()
    return enveloped(
        {
            "DataEntityList": list(page.rows_of_page(partitions)),
            "PageNumber": page.number,
            "PageSize": page.size,
            "TotalCount": page.total(partitions),
        }
    )


def _sorted(partitions: tuple[Json, ...], parameters: Parameters) -> list[Json]:
    raw = parameters.optional("SortCriterion")
    try:
        criterion = orjson.loads(raw) if raw else {}
        field = _SORT_FIELDS[criterion.get("SortField", "name")]
    except (orjson.JSONDecodeError, AttributeError, KeyError):
        raise GatewayError(
            400, "InvalidSortCriterion", "SortCriterion must be JSON with a known SortField."
        ) from None
    return sorted(partitions, key=lambda row: row[field], reverse=criterion.get("Order") == "desc")


def _get_producing_tasks(state: State, parameters: Parameters) -> Json:
    known = state.world.nodes
    nodes = [known[node_id].fields for node_id in _table(state, parameters).producers if node_id in known]
    return enveloped([{"TaskId": str(node["NodeId"]), "TaskName": node["NodeName"]} for node in nodes])


_ONE = ("TableGuid",)
OPERATIONS = (
    EmulatedOperation("GetMetaTableBasicInfo", ParameterLocation.QUERY, _ONE, _get_basic_info, method="GET"),
    EmulatedOperation("GetMetaTableFullInfo", ParameterLocation.QUERY, _ONE, _get_full_info, method="GET"),
    EmulatedOperation("GetMetaTableColumn", ParameterLocation.QUERY, _ONE, _get_column, method="GET"),
    EmulatedOperation("GetMetaTablePartition", ParameterLocation.QUERY, _ONE, _get_partition),
    EmulatedOperation("GetMetaTableProducingTasks", ParameterLocation.QUERY, _ONE, _get_producing_tasks),
)
