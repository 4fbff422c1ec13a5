from __future__ import annotations

import orjson
import pytest
from aiormq import spec
from pamqp.header import ContentHeader

from common import topology
from common.events import Event
from ingest.envelope import parse
from ingest.message import CONTENT_ENCODING, CONTENT_TYPE, PERSISTENT, Message, build
from ingest.properties import EncodedProperties
from tests.signing import envelope


def message(message_id: str) -> Message:
    event = parse(envelope(id=message_id), 12.5)
    assert isinstance(event, Event)
    return build(event)


def test_the_body_is_protocol_2() -> None:
    event = parse(envelope(), 12.5)
    assert isinstance(event, Event)
    args, kwargs, embed = orjson.loads(build(event).body)
    assert args == [event.to_json()]
    assert kwargs == {}
    assert embed == {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def test_the_headers_name_the_task_and_hide_the_event() -> None:
    headers = message("a-1").headers
    assert headers["task"] == topology.TASK_INTAKE
    assert headers["id"] == headers["root_id"] == "a-1"
    assert headers["argsrepr"] == "'a-1'"
    assert "dwd_order_di" not in str(headers)


@pytest.mark.parametrize("message_id", ["a-1", "17", "中" * 42, 'quote"', "x" * 128])
def test_the_encoded_properties_say_what_pamqp_would(message_id: str) -> None:
    built = message(message_id)
    wanted = spec.Basic.Properties(
        content_type=CONTENT_TYPE,
        content_encoding=CONTENT_ENCODING,
        headers=built.headers,
        delivery_mode=PERSISTENT,
        correlation_id=message_id,
        message_id=message_id,
    )
    header = ContentHeader()
    header.unmarshal(ContentHeader(properties=EncodedProperties(built), body_size=3).marshal())
    assert header.body_size == 3
    assert dict(header.properties) == dict(wanted)
