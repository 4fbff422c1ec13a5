"""The event: one message of one extension point, and its serialized form on the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import NoneType

from common import extension_points
from common.errors import DwgateError
from common.json_types import Json
from common.tracing.context import TraceContext

SCHEMA = 1
"""Version of the JSON that `Event.to_json` writes; readers reject newer versions."""


MAX_ID_BYTES = 128
"""Maximum length of a message id: EventBridge's own limit (help page "Limits")."""


class UnknownSchema(DwgateError, ValueError):
    """The message was written by a newer dwgate: upgrade the workers before ingest."""


def find_check_process_id(data: Json) -> str | None:
    """Return `extensionBizId`, the ID of the check process that waits for extensions; None without one.

    Source: help page "Formats of event messages sent to EventBridge". It is missing from plain notifications,
    and from some extension points (data quality, approval, tenant level).

    Args:
        data: the body of an event of any type.
    """
    value = data.get("extensionBizId")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


class EventInvalid(DwgateError, ValueError):
    """The JSON is not an event; the text names the field, never its value."""


_TYPES: Mapping[str, tuple[type, ...]] = {
    "message_id": (str,),
    "event_code": (str,),
    "project_id": (int, NoneType),
    "operator": (str, NoneType),
    "blocking": (bool, NoneType),
    "data": (dict,),
    "received_at": (int, float),
    "recovered": (bool,),
}
"""The fields of an event in JSON; a bool is no int here."""


@dataclass(frozen=True, slots=True)
class Event:
    """One extension point event, with the fields of its envelope.

    Attributes:
        message_id: the CloudEvents id; the `MessageId` of every callback.
        event_code: code of its extension point (`commit-file`).
        project_id: the workspace; None for tenant-level events without one.
        operator: UID of the user whose operation waits for the verdict; None if unknown.
        blocking: `data.blockBusiness`; None if missing.
        data: the event's own body, as DataWorks sent it.
        received_at: when ingest received it, in seconds since the epoch.
        recovered: whether its message was lost, so that it is only known from DataWorks' list of waiting
            operations.
        traceparent: the context of its trace (W3C Trace Context); None if it has none.
    """

    message_id: str
    event_code: str
    project_id: int | None
    operator: str | None
    blocking: bool | None
    data: Json
    received_at: float
    recovered: bool = False
    traceparent: str | None = None

    @property
    def check_process_id(self) -> str | None:
        """ID of the check process that waits for extensions; None if the event names none."""
        return find_check_process_id(self.data)

    @property
    def point(self) -> extension_points.ExtensionPoint:
        """The extension point that the event belongs to."""
        return extension_points.BY_CODE[self.event_code]

    def to_json(self) -> Json:
        """Return the event as plain JSON, with the schema version."""
        fields: Json = {
            "v": SCHEMA,
            "message_id": self.message_id,
            "event_code": self.event_code,
            "project_id": self.project_id,
            "operator": self.operator,
            "blocking": self.blocking,
            "data": self.data,
            "received_at": self.received_at,
            "recovered": self.recovered,
        }
        if self.traceparent is not None:
            fields["traceparent"] = self.traceparent
        return fields

    @classmethod
    def from_json(cls, raw: object) -> Event:
        """Return the event that `to_json` serialized.

        Raises:
            UnknownSchema: the schema version is newer than this code.
            EventInvalid: a field is missing or has another type.
        """
        if not isinstance(raw, dict):
            raise EventInvalid("an event is not an object")
        require_known_schema(raw.get("v"))
        for name, types in _TYPES.items():
            if type(raw.get(name, _MISSING)) not in types:
                raise EventInvalid(f"{name} of an event is missing or has another type")
        event = cls(**{name: raw[name] for name in _TYPES})
        # One that is invalid is ignored, as its specification says: it concerns the trace only.
        trace = TraceContext.parse(raw["traceparent"]) if "traceparent" in raw else None
        return event if trace is None else replace(event, traceparent=trace.traceparent)


_MISSING = object()


def require_known_schema(version: object) -> None:
    """Check the schema version of an event or a task's arguments.

    Raises:
        UnknownSchema: it is newer than this code.
        EventInvalid: it is not a version.
    """
    if type(version) is not int or version < 1:
        raise EventInvalid("the schema version is missing or not a positive integer")
    if version > SCHEMA:
        raise UnknownSchema(f"schema {version}; this dwgate supports versions up to {SCHEMA}")
