"""Fields of an event's own body: numbers may come as text, keys may be missing, anything may be null."""

from __future__ import annotations

from common.events import Event, Json
from common.verdicts import Finding, Severity

_LONGEST_NUMBER = 19


class Unreadable(ValueError):
    """A field is not what it should be; the text says which and what is wanted."""


def number(data: Json, key: str) -> int | None:
    """Return a whole number, or None when the body has none.

    Raises:
        Unreadable: there is something else.
    """
    value = data.get(key)
    if value is None or value == "":
        return None
    return _number(value, key)


def numbers(data: Json, key: str) -> tuple[int, ...]:
    """Return a list of whole numbers, each once; empty when the body has none.

    Raises:
        Unreadable: there is something else.
    """
    value = data.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Unreadable(f"{key} is not a list of numbers")
    return tuple(dict.fromkeys(_number(item, key) for item in value))


def text(data: Json, key: str) -> str:
    """Return a text without blanks around it; empty when the body has none, or something else."""
    value = data.get(key)
    return value.strip() if isinstance(value, str) else ""


def nodes(event: Event) -> tuple[int, ...]:
    """Return the nodes that an operation of the Operation Center works on (`nodeIds`).

    Raises:
        Unreadable: the event names none.
    """
    found = numbers(event.data, "nodeIds")
    if not found:
        raise Unreadable("nodeIds names no node")
    return found


def unreadable(error: Unreadable) -> Finding:
    """Return the finding for an event that cannot be checked as it came."""
    message = f"The event cannot be checked as it came: {error}."
    return Finding(
        "event-unreadable", Severity.BLOCK, message, help="Try again; if it stays, tell who runs dwgate."
    )


def _number(value: object, key: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    digits = value.strip() if isinstance(value, str) else ""
    if digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST_NUMBER:
        return int(digits)
    raise Unreadable(f"{key} is not a number")
