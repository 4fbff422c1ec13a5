"""AMQP properties of an event's message, encoded faster than field by field.

Every message has the same headers but three. pamqp encodes the constant ones once here: 4 instead of 25
microseconds a message, measured alone. A test reads the bytes back with pamqp.
"""

from __future__ import annotations

import struct

from aiormq import spec
from pamqp import encode

from ingest.message import CONTENT_ENCODING, CONTENT_TYPE, PERSISTENT, STATIC_HEADERS, Message

_STATIC = encode.field_table(STATIC_HEADERS)[4:]
_FIXED = encode.short_string(CONTENT_TYPE) + encode.short_string(CONTENT_ENCODING)
_FLAGS = spec.Basic.Properties.flags
_PRESENT = sum(
    _FLAGS[name]
    for name in (
        "content_type",
        "content_encoding",
        "headers",
        "delivery_mode",
        "correlation_id",
        "message_id",
    )
)
_HEAD = struct.pack(">H", _PRESENT) + _FIXED


class EncodedProperties(spec.Basic.Properties):
    """The properties of `message`, in their wire form (AMQP 0-9-1, 4.2.6.1)."""

    def __init__(self, message: Message) -> None:
        super().__init__(message_id=message.task_id)
        self._message = message

    def marshal(self) -> bytes:
        """Return the wire form: flags, then the properties in the order of the specification."""
        task_id = _short(self._message.task_id)
        dynamic = b"".join(
            _short(name) + b"S" + _long(self._message.headers[name]) for name in ("id", "root_id", "argsrepr")
        )
        table = struct.pack(">I", len(_STATIC) + len(dynamic)) + _STATIC + dynamic
        return b"%b%b%c%b%b" % (_HEAD, table, PERSISTENT, task_id, task_id)


def _short(text: str) -> bytes:
    raw = text.encode()
    return bytes((len(raw),)) + raw


def _long(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">I", len(raw)) + raw
