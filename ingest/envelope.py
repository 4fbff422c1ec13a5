"""A lenient parser of DataWorks' CloudEvents envelope. Pure.

Source: help page "Formats of event messages sent to EventBridge". Published samples have missing fields,
times that are not RFC 3339, an empty subject, and numbers written as strings. So only the fields that are
needed to post a verdict are required; CloudEvents libraries are too strict.

Leniency: a field of another type than documented counts as missing. Only the message id must be valid, since
without it no verdict can be posted. Checks parse the rest of the body more strictly
(`workers.checks.event_fields`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from common import extension_points
from common.errors import DwgateError
from common.events import MAX_ID_BYTES, Event, find_check_process_id

MAX_DEPTH = 64
"""Maximum nesting of `data`: orjson cannot serialize every depth that it parses."""

_MAX_DIGITS = 18
"""Digits that fit into a signed 64-bit integer."""

T = TypeVar("T")


class MalformedEnvelope(DwgateError, ValueError):
    """The body is not a valid event: store it in the reject list, answer 200 `rejected`."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that dwgate cannot answer: no extension point has its type.

    Attributes:
        message_id: its id; None if it has none.
        type: its CloudEvents type.
        is_awaited: whether an operation waits for a verdict: the type is of an extension point that this
            version of dwgate does not know.
    """

    message_id: str | None
    type: str
    is_awaited: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """A body that is a JSON object.

    Attributes:
        account: UID of the account that the event comes from; None if missing.
        fields: the fields of the object.
    """

    account: str | None
    fields: dict[str, Any]

    def event(self, received_at: float) -> Event | Ignored:
        """Return the event, or `Ignored` if no extension point has its type.

        Args:
            received_at: seconds since the epoch.

        Raises:
            MalformedEnvelope: it is an event of an extension point, but invalid.
        """
        type_ = self.fields.get("type")
        if not isinstance(type_, str) or not type_:
            raise MalformedEnvelope("type is missing or not text")
        point = extension_points.extension_point_for(type_)
        if point is None:
            return Ignored(_text(self.fields.get("id")), type_, is_awaited=_is_awaited(self.fields))
        message_id = _message_id(self.fields.get("id"))
        data = self.fields.get("data")
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise MalformedEnvelope("data is not an object")
        if not _is_shallow(data):
            raise MalformedEnvelope(f"data is nested deeper than {MAX_DEPTH} levels")
        return Event(
            message_id=message_id,
            event_code=point.code,
            project_id=_first(_number, data, "projectId", "appId", "queryDwProjectId"),
            operator=_first(_text, data, "operator", "operatorUid"),
            blocking=_boolean(data.get("blockBusiness")),
            data=data,
            received_at=received_at,
        )


def read_envelope(body: bytes) -> Envelope:
    """Parse a body.

    Raises:
        MalformedEnvelope: it is not a JSON object.
    """
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MalformedEnvelope("body is not JSON") from None
    if not isinstance(fields, dict):
        raise MalformedEnvelope("body is not a JSON object")
    return Envelope(_text(fields.get("aliyunaccountid")), fields)


def parse_event(body: bytes, received_at: float) -> Event | Ignored:
    """Parse a body; return the event, or `Ignored` if no extension point has its type.

    Raises:
        MalformedEnvelope: it is neither.
    """
    return read_envelope(body).event(received_at)


def _is_awaited(fields: dict[str, Any]) -> bool:
    data = fields.get("data")
    return isinstance(data, dict) and find_check_process_id(data) is not None


def _message_id(value: object) -> str:
    text = _text(value)
    if text is None:
        raise MalformedEnvelope("id is missing or not text")
    if len(text.encode()) > MAX_ID_BYTES:
        raise MalformedEnvelope(f"id is longer than {MAX_ID_BYTES} bytes")
    if not text.isprintable():
        raise MalformedEnvelope("id has characters that are not printable")
    return text


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def _number(value: object) -> int | None:
    text = _text(value)
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS:
        return None
    return int(text)


def _boolean(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def _first(convert: Callable[[object], T | None], data: dict[str, Any], *names: str) -> T | None:
    values = (convert(data.get(name)) for name in names)
    return next((value for value in values if value is not None), None)


def _is_shallow(value: object) -> bool:
    """Whether `value` has at most MAX_DEPTH levels."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
        if not level:
            return True
    return False


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
