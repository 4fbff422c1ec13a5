"""Typed fields of the JSON that the OpenAPI answers.

Leniency: absent and null are the same, and a scalar may come as text or as a number, since both occur. Any
other shape than documented is a `MalformedResponse`, so that a broken answer is never taken for "there is
nothing". A boolean that is neither true nor false is the one exception: the API leaves such flags out or
empty.

Events are read with other leniencies, by `ingest.envelope` (what cannot be read is missing, since a verdict
must be posted all the same) and by `workers.checks.event_fields` (what cannot be read is a finding, in either
language).
"""

from __future__ import annotations

from common.errors import DwgateError
from common.json_types import Json


class MalformedResponse(DwgateError, ValueError):
    """The answer has another shape than documented; the text names the field."""


def object_field(raw: Json, field: str) -> Json:
    """Return an object; empty when it is absent or null."""
    value = raw.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedResponse(f"{field} is not an object")
    return value


def object_list(raw: Json, field: str) -> list[Json]:
    """Return a list of objects; empty when it is absent or null."""
    value = raw.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MalformedResponse(f"{field} is not a list of objects")
    return value


def text_field(raw: Json, field: str) -> str | None:
    """Return a string; a number is written out. None when it is absent or null."""
    value = raw.get(field)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise MalformedResponse(f"{field} is not a string")
    return str(value)


def number_field(raw: Json, field: str) -> int | None:
    """Return an integer, also from a string; None when it is absent, null or empty."""
    value = raw.get(field)
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise MalformedResponse(f"{field} is not a number") from None


def bool_field(raw: Json, field: str) -> bool:
    """Return a boolean, also from a string; false when it is absent or null."""
    return str(raw.get(field, False)).lower() == "true"


def optional_bool(raw: Json, field: str) -> bool | None:
    """Return a boolean, also from a string; None when it is neither true nor false."""
    return {"true": True, "false": False}.get(str(raw.get(field)).lower())
