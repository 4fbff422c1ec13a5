"""Reads the events of an intake message. Events of one message share no fate: each is read by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from common.events import MAX_ID_BYTES, Event, EventInvalid, UnknownSchema
from common.extension_points import BY_CODE
from workers.messages.task_message import MessageInvalid

NEWER = "from a newer dwgate: its schema or its extension point is unknown here; upgrade the workers"

_END_OF_TIME = 1e11
"""Seconds since the epoch; the ledger computes with milliseconds in 64-bit integers."""


@dataclass(frozen=True, slots=True)
class ReadEvents:
    """What the arguments of an intake message are.

    Attributes:
        events: the events.
        newer: what a newer dwgate wrote, unchanged: its schema or its extension point is unknown here.
        invalid: what is no event, as JSON, each with the reason.
    """

    events: list[Event] = field(default_factory=list)
    newer: list[dict[str, Any]] = field(default_factory=list)
    invalid: list[tuple[bytes, str]] = field(default_factory=list)


def read_events(arguments: Iterable[Any]) -> ReadEvents:
    """Read the positional arguments of an intake message."""
    read = ReadEvents()
    for raw in arguments:
        try:
            read.events.append(_read_event(raw))
        except UnknownSchema:
            read.newer.append(raw)
        except EventInvalid as error:
            read.invalid.append((to_bytes(raw), str(error)))
    return read


def read_body(body: bytes) -> ReadEvents:
    """Read the body of an intake message.

    Raises:
        MessageInvalid: it is not the body of an intake message.
    """
    try:
        args, _, _ = orjson.loads(body)
    except (ValueError, TypeError):
        raise MessageInvalid("its body is not that of an intake message") from None
    if not isinstance(args, list) or not args:
        raise MessageInvalid("its body has no events")
    return read_events(args)


def _read_event(raw: object) -> Event:
    event = Event.from_json(raw)
    if not event.message_id.isprintable() or not 0 < len(event.message_id.encode()) <= MAX_ID_BYTES:
        raise EventInvalid(f"message_id is empty, not printable, or longer than {MAX_ID_BYTES} bytes")
    if event.event_code not in BY_CODE:
        raise UnknownSchema("its extension point is unknown to this dwgate")
    if not 0 <= event.received_at < _END_OF_TIME:
        raise EventInvalid("received_at is not a time in seconds since the epoch")
    try:
        orjson.dumps(raw)
    except TypeError:
        raise EventInvalid("an event has a depth, a number or a character that JSON lacks") from None
    return event


def to_bytes(raw: object) -> bytes:
    """Return a value that was read from JSON as JSON again, as far as it can be written."""
    try:
        return orjson.dumps(raw)
    except TypeError:
        return b"it cannot be written as JSON"
