"""EventBridge's event patterns, as far as the documentation of dwgate uses them.

Source: help page "Event patterns". A field matches if one of the alternatives in its list does; nested fields
are matched one by one, and an event without a field that the pattern names does not match.
"""

from __future__ import annotations

from typing import Any


def is_match(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether `event` matches `pattern`.

    Raises:
        ValueError: the pattern has a condition that is not known here.
    """
    return all(_is_field_match(wanted, event.get(name)) for name, wanted in pattern.items())


def _is_field_match(wanted: object, value: object) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and is_match(wanted, value)
    if isinstance(wanted, list):
        return any(_is_alternative_match(each, value) for each in wanted)
    raise ValueError(f"neither a list nor an object: {wanted}")


def _is_alternative_match(wanted: object, value: object) -> bool:
    if not isinstance(wanted, dict):
        return wanted == value
    if wanted.keys() != {"prefix"}:
        raise ValueError(f"unknown condition: {wanted}")
    return isinstance(value, str) and value.startswith(wanted["prefix"])
