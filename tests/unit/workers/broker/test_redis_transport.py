"""Which entries of a list are messages of kombu's Redis transport."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kombu.transport.virtual import Channel

from workers.broker.redis_transport import is_message

MESSAGE: dict[str, Any] = {
    "body": "W10=",
    "content-encoding": "utf-8",
    "content-type": "application/json",
    "headers": {},
    "properties": {
        "body_encoding": "base64",
        "delivery_tag": "t-1",
        "delivery_info": {"exchange": "", "routing_key": "q"},
    },
}


class Codecs:
    """A channel, as far as it decodes bodies."""

    codecs = Channel.codecs
    decode_body = Channel.decode_body


def test_a_message_is_one() -> None:
    assert is_message(json.dumps(MESSAGE).encode(), Codecs())


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"7",
        b"null",
        b"[]",
        b"{}",
        b"no json",
        b"\xff\xfe",
        b"\x80\x04N.",
        b"[" * 100_000,
        json.dumps({**MESSAGE, "body": 7}).encode(),
        json.dumps({**MESSAGE, "headers": [1]}).encode(),
        json.dumps({**MESSAGE, "properties": None}).encode(),
        json.dumps({**MESSAGE, "properties": {**MESSAGE["properties"], "body_encoding": "rot13"}}).encode(),
        json.dumps({**MESSAGE, "properties": {**MESSAGE["properties"], "delivery_tag": {}}}).encode(),
        json.dumps({**MESSAGE, "properties": {**MESSAGE["properties"], "delivery_info": {}}}).encode(),
        json.dumps({**MESSAGE, "properties": {**MESSAGE["properties"], "delivery_info": None}}).encode(),
    ],
    ids=lambda entry: str(entry)[:40],
)
def test_anything_else_is_none(entry: bytes) -> None:
    assert not is_message(entry, Codecs())
