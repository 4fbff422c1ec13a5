"""The events of an intake message are read one by one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from common.events import SCHEMA, Event
from workers.messages.events import read_body, read_events
from workers.messages.task_message import MessageInvalid

EVENT = Event("m-1", "commit-file", 7, "u", True, {"fileId": 1}, 12.5)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_id": ""},
        {"message_id": "x" * 129},
        {"message_id": "a\nb"},
        {"message_id": "\ud800"},
        {"operator": "\ud800"},
        {"data": {"deep": nested(300)}},
        {"data": {"huge": 10**30}},
        {"project_id": 10**30},
        {"received_at": float("nan")},
        {"received_at": float("inf")},
        {"received_at": -1},
        {"received_at": 10**18},
    ],
    ids=lambda wrong: f"{wrong}"[:40],
)
def test_what_the_ledger_could_not_store_is_no_event(wrong: dict[str, Any]) -> None:
    read = read_events([{**EVENT.to_json(), **wrong}, EVENT.to_json()])
    assert read.events == [EVENT]
    assert len(read.invalid) == 1
    assert read.newer == []


@pytest.mark.parametrize("newer", [{"v": SCHEMA + 1}, {"event_code": "invented-in-2030"}])
def test_what_a_newer_dwgate_knows_is_kept_as_it_is(newer: dict[str, Any]) -> None:
    raw = {**EVENT.to_json(), **newer}
    read = read_events([raw, EVENT.to_json()])
    assert (read.events, read.newer, read.invalid) == ([EVENT], [raw], [])


@pytest.mark.parametrize(
    "body", [b"", b"7", b"null", b"{}", b"[]", b"[[], {}, {}]", b"[1, 2]", b"no json", b"[1,{},{}]"]
)
def test_what_is_no_body_of_an_intake_message(body: bytes) -> None:
    with pytest.raises(MessageInvalid, match="body"):
        read_body(body)


def test_a_body_is_read() -> None:
    body = orjson.dumps([[EVENT.to_json(), "text"], {}, {}])
    read = read_body(body)
    assert read.events == [EVENT]
    assert [content for content, _ in read.invalid] == [b'"text"']
