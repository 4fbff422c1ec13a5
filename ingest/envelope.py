"""What an authentic body says: a lenient reader of DataWorks' CloudEvents envelope. Pure.

Source: help page "Formats of event messages sent to EventBridge". Published samples lack fields, carry
times that are no RFC 3339 and an empty subject, and write numbers as strings, so only what is needed to
answer an event is asked for, and CloudEvents libraries are too strict.

Leniency: a field of another type than documented counts as missing; only the message id must be readable,
since without it no verdict can be posted. Checks read the rest of the body more strictly
(`workers.checks.event_fields`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from common import extension_points
from common.errors import DwgateError
from common.events import Event

MAX_ID_BYTES = 128
"""EventBridge's own limit (help page "Limits"); AMQP takes up to 255."""

MAX_DEPTH = 64
_MAX_DIGITS = 18

T = TypeVar("T")


class MalformedEnvelope(DwgateError, ValueError):
    """The body cannot be answered as an event: keep it in the reject list, answer 200 `rejected`."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A body that nobody waits for: no extension point has its type."""

    message_id: str | None
    type: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """A body that is a JSON object.

    Attributes:
        account: UID of the account that the event comes from; None when it does not say.
        fields: the object.
    """

    account: str | None
    fields: dict[str, Any]

    def event(self, received_at: float) -> Event | Ignored:
        """Return the event of an extension point, or that nobody waits for it.

        Args:
            received_at: seconds since the epoch.

        Raises:
            Malformed: it is meant for us, but cannot be answered.
        """
        type_ = self.fields.get("type")
        if not isinstance(type_, str) or not type_:
            raise MalformedEnvelope("type is missing or no text")
        point = extension_points.extension_point_for(type_)
        if point is None:
            return Ignored(_text(self.fields.get("id")), type_)
        message_id = _message_id(self.fields.get("id"))
        data = self.fields.get("data")
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise MalformedEnvelope("data is no object")
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
    """Return the body as an envelope.

    Raises:
        Malformed: it is not a JSON object.
    """
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MalformedEnvelope("body is not JSON") from None
    if not isinstance(fields, dict):
        raise MalformedEnvelope("body is no JSON object")
    return Envelope(_text(fields.get("aliyunaccountid")), fields)


def parse_event(body: bytes, received_at: float) -> Event | Ignored:
    """Return the event of `body`, or that nobody waits for it.

    Raises:
        Malformed: it is neither.
    """
    return read_envelope(body).event(received_at)


def _message_id(value: object) -> str:
    text = _text(value)
    if text is None:
        raise MalformedEnvelope("id is missing or no text: cannot be answered")
    if len(text.encode()) > MAX_ID_BYTES:
        raise MalformedEnvelope(f"id is longer than {MAX_ID_BYTES} bytes")
    if not text.isprintable():
        raise MalformedEnvelope("id has characters that cannot be printed")
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
    """Return whether `value` has few levels: orjson writes fewer than it reads."""
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
