"""Fields of the JSON of the OpenAPI, with their types made sure.

Absent and null count as the same, and numbers may come as strings: both occur. Anything else of another
shape than documented is a `Malformed`, so that a broken answer is never taken for "there is nothing".
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class Malformed(ValueError):
    """The answer has another shape than documented; the text names the field."""


def part(raw: Json, field: str) -> Json:
    """Return an object; empty when it is absent or null."""
    value = raw.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{field} is not an object")
    return value


def parts(raw: Json, field: str) -> list[Json]:
    """Return a list of objects; empty when it is absent or null."""
    value = raw.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Malformed(f"{field} is not a list of objects")
    return value


def text(raw: Json, field: str) -> str | None:
    """Return a string; a number is written out. None when it is absent or null."""
    value = raw.get(field)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise Malformed(f"{field} is not a string")
    return str(value)


def number(raw: Json, field: str) -> int | None:
    """Return an integer, also from a string; None when it is absent, null or empty."""
    value = raw.get(field)
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Malformed(f"{field} is not a number") from None


def flag(raw: Json, field: str) -> bool:
    """Return a boolean, also from a string; false when it is absent or null."""
    return str(raw.get(field, False)).lower() == "true"


def maybe(raw: Json, field: str) -> bool | None:
    """Return a boolean, also from a string; None when it is neither true nor false."""
    return {"true": True, "false": False}.get(str(raw.get(field)).lower())
