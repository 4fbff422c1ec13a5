"""What an operation works on, as records show it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from common.events import Event
from common.impact_graph import ImpactGraph, ImpactNode
from common.ledger import EventRecord, State
from common.snapshot import FileSnapshot, Snapshot, TableSnapshot
from common.subjects.operation_target import OperationTarget, target_of
from common.verdicts import Outcome, OutcomeKind, Subject, SubjectKind
from tests.support.records import record

FILE = {"fileId": 501, "fileName": "dws_a", "fileType": 10, "nodeId": 700, "fileOwner": "19"}


def event(code: str, data: dict[str, Any]) -> Event:
    return Event("m-1", code, 93124, "19", True, data, 0)


@pytest.mark.parametrize(
    ("code", "data", "target"),
    [
        (
            "commit-file",
            FILE,
            OperationTarget(Subject(SubjectKind.FILE, "501", "dws_a"), 0, "odps_sql", "19", "501"),
        ),
        (
            "commit-file",
            {"fileName": "x", "fileType": 424242, "fileOwner": 19},
            OperationTarget(Subject(SubjectKind.FILE, None, "x"), 0, "424242", "19"),
        ),
        ("freeze-node", {"nodeIds": [7, 8, 9]}, OperationTarget(Subject(SubjectKind.NODE, "7"), 2)),
        (
            "commit-table",
            {"tableName": "t", "maxComputeProject": "shop"},
            OperationTarget(Subject(SubjectKind.TABLE, "odps.shop.t", "shop.t")),
        ),
        ("download-resources", {}, OperationTarget()),
        ("commit-file", {"fileName": ["x"], "fileType": {}, "fileOwner": True}, OperationTarget()),
    ],
)
def test_the_target_is_read_from_the_event(code: str, data: dict[str, Any], target: OperationTarget) -> None:
    assert target_of(event(code, data)) == target
    assert OperationTarget.from_json(orjson.loads(orjson.dumps(target.to_json()))) == target


def test_a_recovered_event_gets_its_target_from_the_snapshot() -> None:
    file = FileSnapshot(501, "dws_a", 10, "SELECT 1", node_id=700, owner="19")
    assert target_of(event("commit-file", {}), Snapshot(file=file)) == target_of(event("commit-file", FILE))
    table = TableSnapshot("t", "PROD", "", None)
    assert target_of(event("commit-table", {}), Snapshot(table=table)).subject == Subject(
        SubjectKind.TABLE, None, "t"
    )


def test_a_node_gets_name_and_owner_from_the_graph_that_a_check_found() -> None:
    node = ImpactNode("7", "dwd_order", "77", 93124, "node", 0, is_changed=True)
    outcome = Outcome(OutcomeKind.PASSED, evidence=ImpactGraph((node,)))
    shown = record(
        State.REPORTED, event=event("freeze-node", {"nodeIds": [7]}), outcomes={"downstream-impact": outcome}
    )
    assert shown.subject == Subject(SubjectKind.NODE, "7", "dwd_order")
    assert (shown.owner, shown.node_type, shown.file_id) == ("77", None, None)


def test_a_stored_target_is_shown_and_older_records_have_that_of_their_event() -> None:
    stored = target_of(event("commit-file", FILE))
    fields = {
        b"event": orjson.dumps(event("commit-file", {"fileName": "y"}).to_json()),
        b"state": b"received",
        b"run": b"1",
        b"admitted": b"1780000000100",
        b"deadline": b"1780000060000",
    }
    older = EventRecord.from_hash(fields)
    assert older.subject == Subject(SubjectKind.FILE, None, "y")
    newer = EventRecord.from_hash({**fields, b"target": orjson.dumps(stored.to_json())})
    shown = newer.to_json("ext")
    assert shown["subject"] == {"kind": "file", "id": "501", "name": "dws_a"}
    assert (shown["owner"], shown["node_type"], shown["file_id"]) == ("19", "odps_sql", "501")
