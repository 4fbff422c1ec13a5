"""Parsers of lookup responses: documented, deviating and broken ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from common.json_types import Json
from common.snapshot import Column
from workers.dataworks.json_fields import MalformedResponse
from workers.dataworks.models import (
    Baseline,
    ColumnRef,
    Consumer,
    Node,
    NodeOutput,
    ProducingTask,
    TableInfo,
    TableRef,
)
from workers.dataworks.parsers import nodes, tables


def test_nodes_are_parsed() -> None:
    first = {"NodeId": "7", "NodeName": "n", "OwnerId": "o", "ProjectId": 9, "ProgramType": "ODPS_SQL"}
    first |= {"Priority": "8", "SchedulerType": "PAUSE", "BaselineId": 100, "StepType": "3"}
    first |= {"CronExpress": "00 30 00 * * ?", "Repeatability": True}
    rows = [first, {"NodeId": 8, "StepType": 0, "BaselineId": 0, "CronExpress": ""}, dict(first)]
    assert nodes.parse_nodes({"Data": {"Nodes": rows}}) == (
        Node(7, "n", "o", 9, "ODPS_SQL", "PAUSE", 100, 8, True, cron="00 30 00 * * ?", rerunnable=True),
        Node(8, "", None, None, None, None),
    )


@pytest.mark.parametrize(
    ("fields", "rerunnable"),
    [
        ({"Repeatability": "true"}, True),
        ({"Repeatability": "FALSE"}, False),
        ({"Repeatability": False}, False),
        ({"Repeatability": "sometimes"}, None),
        ({"Repeatability": None}, None),
        ({}, None),
    ],
)
def test_whether_a_node_is_rerunnable_is_parsed_or_unknown(fields: Json, rerunnable: bool | None) -> None:
    node = nodes.parse_node({"Data": {"NodeId": 7, **fields}})
    assert node is not None
    assert node.rerunnable is rerunnable


@pytest.mark.parametrize("response", [{}, {"Data": None}, {"Data": {}}])
def test_a_response_without_data_is_empty(response: Json) -> None:
    assert nodes.parse_node(response) is None
    assert nodes.parse_baseline(response) is None
    assert nodes.parse_nodes(response) == ()


@pytest.mark.parametrize("response", [{}, {"Data": None}, {"Data": ""}])
def test_a_node_without_code_has_empty_code(response: Json) -> None:
    assert nodes.parse_code(response) == ""


@pytest.mark.parametrize("data", [{"Nodes": None}, {"Nodes": []}])
def test_an_empty_list_of_nodes_is_empty(data: Json) -> None:
    assert nodes.parse_nodes({"Data": data}) == ()


NODES_BROKEN = [{"Nodes": "x"}, {"Nodes": ["x"]}, {"Nodes": [{"NodeId": "seven"}]}, {"Nodes": [{}]}, [], "x"]


@pytest.mark.parametrize("data", NODES_BROKEN)
def test_a_broken_response_is_not_mistaken_for_an_empty_list(data: object) -> None:
    with pytest.raises(MalformedResponse):
        nodes.parse_nodes({"Data": data})


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (nodes.parse_nodes_by_output, {"Output": "x"}),
        (nodes.parse_nodes_by_output, [{"Output": "x", "NodeList": {}}]),
        (nodes.parse_nodes_by_output, [{"Output": "x", "NodeList": [{"NodeName": "n"}]}]),
        (nodes.parse_outputs, {"Data": "x"}),
        (nodes.parse_outputs, [{"Data": ["x"]}]),
        (nodes.parse_code, {"Code": "x"}),
        (nodes.parse_baseline, {"BaselineName": "x"}),
        (nodes.parse_baseline, "x"),
        (tables.parse_tables, {"DataEntityList": [{"TableName": "t"}]}),
        (tables.parse_columns, {"DataEntityList": [{"ColumnName": "c"}]}),
        (tables.parse_columns, {"DataEntityList": [], "TotalCount": "many"}),
        (tables.parse_entities, {"DataEntityList": [{"Entity": None}]}),
        (
            tables.parse_entities,
            {"DataEntityList": [{"Entity": {"QualifiedName": "q"}, "RelationList": "r"}]},
        ),
        (tables.parse_producing_tasks, [{"TaskName": "t"}]),
        (tables.parse_producing_tasks, {"TaskId": "1"}),
        (tables.parse_table_info, {"ColumnList": []}),
    ],
)
def test_a_broken_response_is_malformed(parse: Callable[[Json], object], data: object) -> None:
    with pytest.raises(MalformedResponse):
        parse({"Data": data})


def test_nodes_by_output_are_parsed() -> None:
    rows = [
        {"Output": "p.a", "NodeList": [{"NodeId": 1, "Repeatability": False}, {"NodeId": 2}]},
        {"Output": "p.b", "NodeList": None},
        {"Output": "p.a", "NodeList": [{"NodeId": 2}, {"NodeId": 3}]},
    ]
    found = nodes.parse_nodes_by_output({"Data": rows})
    assert {name: [node.id for node in rows] for name, rows in found.items()} == {
        "p.a": [1, 2, 3],
        "p.b": [],
    }
    assert found["p.a"][0].rerunnable is False


def test_outputs_are_unique_and_named() -> None:
    rows = [
        {"Data": "p.a", "NodeId": "1", "TableName": "odps.p.a"},
        {"Data": "p.a", "NodeId": 1, "TableName": "odps.p.a"},
        {"Data": "p.1_out", "NodeId": 1, "TableName": None},
        {"Data": "", "NodeId": 1},
    ]
    assert nodes.parse_outputs({"Data": rows}) == (
        NodeOutput("p.a", 1, "odps.p.a"),
        NodeOutput("p.1_out", 1),
    )


@pytest.mark.parametrize(("flag", "enabled"), [(True, True), ("false", False), (False, False), (None, True)])
def test_a_baseline_is_parsed(flag: object, enabled: bool) -> None:
    data = {"BaselineId": "7", "BaselineName": "morning", "Priority": "8", "Owner": 19, "UseFlag": flag}
    assert nodes.parse_baseline({"Data": data}) == Baseline(7, "morning", 8, "19", enabled)


@pytest.mark.parametrize(
    ("more", "due"),
    [
        ({"SlaHour": 7, "SlaMinu": "30"}, "07:30"),
        ({"SlaHour": 25}, "25:00"),
        ({"SlaHour": 7, "SlaMinu": 30, "BaselineType": "HOURLY"}, None),
        ({}, None),
    ],
)
def test_the_committed_time_of_a_baseline_is_parsed(more: dict[str, object], due: str | None) -> None:
    found = nodes.parse_baseline({"Data": {"BaselineId": 7, **more}})
    assert found is not None
    assert found.due == due


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"HasNext": True, "NextPrimaryKey": "k"}, "k"),
        ({"HasNext": "true", "NextPrimaryKey": "k"}, "k"),
        ({"HasNext": False, "NextPrimaryKey": "k"}, None),
        ({"HasNext": True, "NextPrimaryKey": ""}, None),
        ({"HasNext": True}, None),
        ({}, None),
    ],
)
def test_a_page_of_lineage_has_the_next_key(more: Json, key: str | None) -> None:
    data = {"DataEntityList": [{"TableGuid": "odps.p.t", "TableName": "t", "DatabaseName": "p"}], **more}
    assert tables.parse_tables({"Data": data}) == ((TableRef("odps.p.t", "t", "p"),), key)


def test_a_page_of_column_lineage_is_parsed() -> None:
    row = {"ColumnGuid": "odps.p.t.c", "ColumnName": "c", "TableName": "t", "DatabaseName": "p"}
    data = {"DataEntityList": [row], "TotalCount": "101"}
    assert tables.parse_columns({"Data": data}) == ((ColumnRef("odps.p.t.c", "c", "t", "p"),), 101)


def test_a_page_of_entities_is_parsed() -> None:
    rows = [
        {"Entity": {"QualifiedName": "dataservice-api.1"}, "RelationList": [{"Channel": "FIRST_PARTY"}]},
        {"Entity": {"QualifiedName": "bi-report.2"}, "RelationList": [{"Channel": "THIRD_PARTY"}, {}]},
        {"Entity": {"QualifiedName": "maxcompute-table.p.t"}, "RelationList": None},
    ]
    assert tables.parse_entities({"Data": {"DataEntityList": rows, "NextToken": ""}}) == (
        (
            Consumer("dataservice-api.1"),
            Consumer("bi-report.2", third_party=True),
            Consumer("maxcompute-table.p.t"),
        ),
        None,
    )


def test_producing_tasks_are_parsed() -> None:
    rows = [{"TaskId": 7, "TaskName": "n"}, {"TaskId": "7", "TaskName": "n"}, {"TaskId": "x-8"}]
    found = tables.parse_producing_tasks({"Data": rows})
    assert found == (ProducingTask("7", "n"), ProducingTask("x-8", ""))


@pytest.mark.parametrize(("lifecycle", "days"), [(30, 30), ("30", 30), (0, None), (-1, None), (None, None)])
def test_a_table_is_parsed(lifecycle: object, days: int | None) -> None:
    data = {
        "TableGuid": "odps.p.t",
        "DataSize": "10",
        "OwnerId": 19,
        "ProjectId": 3,
        "ProjectName": "p",
        "LifeCycle": lifecycle,
        "Comment": "c",
        "TotalColumnCount": 7,
        "ColumnList": [{"ColumnName": "a", "ColumnType": "BIGINT", "IsPrimaryKey": True}],
    }
    info = TableInfo("odps.p.t", 10, (Column("a", "BIGINT", "", key=True),), "19", 3, "p", days, "c")
    assert tables.parse_table_info({"Data": data}) == (info, 7)
