from __future__ import annotations

import orjson

from common import topology
from common.events import Event
from ingest.envelope import parse
from ingest.message import Item, Message, build
from tests.signing import envelope


def message(message_id: str) -> Message:
    event = parse(envelope(id=message_id), 12.5)
    assert isinstance(event, Event)
    return build([Item.of(event)])


def test_the_body_is_protocol_2() -> None:
    event = parse(envelope(), 12.5)
    assert isinstance(event, Event)
    args, kwargs, embed = orjson.loads(build([Item.of(event)]).body)
    assert args == [event.to_json()]
    assert kwargs == {}
    assert embed == {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def test_the_headers_name_the_task_and_hide_the_event() -> None:
    headers = message("a-1").headers
    assert headers["task"] == topology.TASK_INTAKE
    assert headers["id"] == headers["root_id"] == "a-1"
    assert headers["argsrepr"] == "'a-1'"
    assert "dwd_order_di" not in str(headers)


def test_several_events_go_into_one_message() -> None:
    events = [parse(envelope(id=message_id), 12.5) for message_id in ("a-1", "a-2")]
    built = build([Item.of(event) for event in events if isinstance(event, Event)])
    args, kwargs, _ = orjson.loads(built.body)

    assert [arg["message_id"] for arg in args] == ["a-1", "a-2"]
    assert kwargs == {}
    assert built.task_id == "a-1"
    assert built.headers["argsrepr"] == "'a-1 a-2'"
