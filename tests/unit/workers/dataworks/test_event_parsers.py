from __future__ import annotations

from typing import Any

import pytest

from common.snapshot import Column, FileSnapshot, Snapshot, TableSnapshot
from workers.dataworks.models import Extension
from workers.dataworks.parsers import events

COMMITTED: dict[str, Any] = {
    "FileId": "501234830",
    "FileName": "dwd_order_di",
    "FileType": 10,
    "NodeId": 700123003,
    "ChangeType": "UPDATE",
    "Content": "INSERT OVERWRITE TABLE t SELECT 1",
    "FilePropertyContent": {"CurrentVersion": "7", "DataSourceName": "odps_first", "Owner": 1923456789012735},
    "NodeConfiguration": {
        "CronExpress": "00 05 00 * * ?",
        "InputList": [{"Input": "shop.ods_order", "ParseType": "AUTO"}],
        "OutputList": [{"Output": "shop.dwd_order_di", "RefTableName": "dwd_order_di"}],
        "ParaValue": "bizdate=$bizdate",
        "RerunMode": "ALL_ALLOWED",
        "SchedulerType": "NORMAL",
    },
}
NULLS: dict[str, Any] = {"DeletedFile": None, "FileExecutionCommand": None, "TableModel": None}


@pytest.mark.parametrize("absent", [{}, NULLS])
def test_a_committed_file_is_parsed(absent: dict[str, Any]) -> None:
    snapshot = events.parse_snapshot({"EventDetail": {"CommittedFile": COMMITTED, **absent}})
    assert snapshot == Snapshot(
        file=FileSnapshot(
            file_id=501234830,
            name="dwd_order_di",
            file_type=10,
            content="INSERT OVERWRITE TABLE t SELECT 1",
            node_id=700123003,
            change_type="UPDATE",
            owner="1923456789012735",
            version=7,
            data_source="odps_first",
            parameters="bizdate=$bizdate",
            rerun_mode="ALL_ALLOWED",
            scheduler="NORMAL",
            cron="00 05 00 * * ?",
            inputs=("shop.ods_order",),
            outputs=("shop.dwd_order_di",),
        )
    )


def test_a_committed_file_without_its_objects_is_parsed() -> None:
    bare = {"FileId": None, "Content": "x", "FilePropertyContent": None, "NodeConfiguration": None}
    file = events.parse_snapshot({"EventDetail": {"CommittedFile": bare}}).file
    assert file == FileSnapshot(file_id=None, name="", file_type=None, content="x")


def test_a_deleted_file_is_parsed() -> None:
    deleted = {
        "FileId": 1,
        "FileName": "f",
        "FileType": "10",
        "Content": "c",
        "Owner": "o",
        "CurrentVersion": 2,
    }
    file = events.parse_snapshot({"EventDetail": {"CommittedFile": None, "DeletedFile": deleted}}).file
    assert file == FileSnapshot(1, "f", 10, "c", change_type="DELETE", owner="o", version=2)


def test_a_run_file_is_parsed() -> None:
    command = {"FileId": 1, "FileType": 10, "Content": "c", "DataSourceName": "d"}
    file = events.parse_snapshot({"EventDetail": {"FileExecutionCommand": command}}).file
    assert file == FileSnapshot(1, "", 10, "c", data_source="d")


@pytest.mark.parametrize("part", ["CommittedFile", "DeletedFile", "FileExecutionCommand"])
@pytest.mark.parametrize(
    ("content", "has"), [({}, False), ({"Content": None}, False), ({"Content": ""}, True)]
)
def test_code_that_is_missing_differs_from_code_that_is_empty(
    part: str, content: dict[str, Any], *, has: bool
) -> None:
    snapshot = events.parse_snapshot({"EventDetail": {part: {"FileId": 1, **content}}})
    assert snapshot.file
    assert (snapshot.file.content, snapshot.file.has_content) == ("", has)
    assert Snapshot.from_json(snapshot.to_json()) == snapshot
    assert ("has_content" in snapshot.to_json()["file"]) is not has


def test_a_table_is_parsed() -> None:
    model = {
        "TableName": "t",
        "Env": "PROD",
        "Comment": "c",
        "LifeCycle": "30",
        "Columns": [
            {"ColumnName": "a", "ColumnType": "bigint", "Comment": None, "IsPartitionColumn": False},
            {"ColumnName": "ds", "ColumnType": "string", "IsPartitionColumn": "true"},
        ],
    }
    assert events.parse_snapshot({"EventDetail": {"TableModel": model}}).table == TableSnapshot(
        "t", "PROD", "c", 30, columns=(Column("a", "bigint", ""), Column("ds", "string", "", partition=True))
    )


@pytest.mark.parametrize("response", [{}, {"EventDetail": None}, {"EventDetail": NULLS}])
def test_no_detail_is_an_empty_snapshot(response: dict[str, Any]) -> None:
    assert events.parse_snapshot(response) == Snapshot()


@pytest.mark.parametrize(
    ("response", "extension"),
    [
        ({"Extension": {"Status": "1", "ParameterSetting": "a=1\nb=2"}}, Extension(1, "a=1\nb=2")),
        (
            {
                "Extension": {
                    "ExtensionCode": "c",
                    "Status": 0,
                    "ProjectTesting": "7",
                    "BindEventList": [{"EventCode": "commit-file"}, {"EventName": "no code"}],
                }
            },
            Extension(0, "", "c", 7, ("commit-file",)),
        ),
        ({"Extension": {"ParameterSetting": None}}, Extension(None, "")),
        ({"Extension": None}, Extension(None, "")),
        ({}, Extension(None, "")),
    ],
)
def test_an_extension_is_parsed(response: dict[str, Any], extension: Extension) -> None:
    assert events.parse_extension(response) == extension


@pytest.mark.parametrize(
    ("value", "read"), [('{"a": 1}', '{"a": 1}'), ("no JSON", "no JSON"), ("", None), (None, None), (7, "7")]
)
def test_an_option_value_is_the_text_that_was_saved(value: object, read: str | None) -> None:
    assert events.parse_option_value({"OptionValue": value}) == read
    assert events.parse_option_value({}) is None


def test_a_process_is_parsed() -> None:
    raw = {
        "MessageId": "m",
        "EventCode": "commit-file",
        "ProjectId": "3",
        "Operator": 5,
        "Status": "checking",
    }
    found, total = events.parse_processes({"PagingInfo": {"CheckProcesses": [raw], "TotalCount": "1"}})
    assert total == 1
    assert (found[0].message_id, found[0].project_id, found[0].operator) == ("m", 3, "5")
    assert found[0].status == "CHECKING"
