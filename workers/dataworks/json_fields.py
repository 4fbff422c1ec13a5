"""Typed access to the JSON fields of OpenAPI responses.

Absent and null are equivalent, and a scalar may be a string or a number, since both occur. Any other
deviation from the documented structure raises `MalformedResponse`, so that a broken response is never
mistaken for an empty one. The exception is a boolean that is neither true nor false: the API omits such flags
or leaves them empty.

Events are read by other rules: by `ingest.envelope`, where an unreadable field counts as missing, since a
verdict must be posted anyway, and by `workers.checks.event_fields`, where it is a finding.
"""

from __future__ import annotations

from common.errors import DwgateError
from common.json_types import Json


class MalformedResponse(DwgateError, ValueError):
    """The response does not have the documented structure; the message names the field."""


def object_field(raw: Json, field: str) -> Json:
    """Return an object; empty if absent or null."""
    value = raw.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedResponse(f"{field} is not an object")
    return value


def object_list(raw: Json, field: str) -> list[Json]:
    """Return a list of objects; empty if absent or null."""
    value = raw.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MalformedResponse(f"{field} is not a list of objects")
    return value


def text_field(raw: Json, field: str) -> str | None:
    """Return a string, also from a number; None if absent or null."""
    value = raw.get(field)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise MalformedResponse(f"{field} is not a string")
    return str(value)


def number_field(raw: Json, field: str) -> int | None:
    """Return an integer, also from a string; None if absent, null or empty."""
    value = raw.get(field)
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise MalformedResponse(f"{field} is not a number") from None


def bool_field(raw: Json, field: str) -> bool:
    """Return a boolean, also from a string; False if absent or null."""
    return str(raw.get(field, False)).lower() == "true"


def optional_bool(raw: Json, field: str) -> bool | None:
    """Return a boolean, also from a string; None if it is neither true nor false."""
    return {"true": True, "false": False}.get(str(raw.get(field)).lower())
