"""Typed access to the fields of an event's body, for checks.

Accepted: keys may be missing, any value may be null, and numbers may be strings. Anything else raises
`InvalidField`, which becomes a blocking finding: an event that cannot be read must not pass. The rules for
OpenAPI responses and the envelope differ; see `workers.dataworks.json_fields` and `ingest.envelope`.
"""

from __future__ import annotations

from common.errors import DwgateError
from common.events import Event
from common.json_types import Json
from common.text.i18n import Text

_MAX_NUMBER_DIGITS = 19
"""Digits of a 64-bit integer."""


class InvalidField(DwgateError, ValueError):
    """A field has the wrong type; the text names the field and the expected type.

    Args:
        en: the text in English, without a full stop.
        zh: the same in Chinese; the English text if empty.
    """

    def __init__(self, en: str, zh: str = "") -> None:
        super().__init__(en)
        self.text = Text(en, zh or en)

    def __reduce__(self) -> tuple[type[InvalidField], tuple[str, str]]:
        return type(self), (self.text.en, self.text.zh)


def number(data: Json, key: str) -> int | None:
    """Return an integer, or None if the body has none.

    Raises:
        InvalidField: the value has another type.
    """
    value = data.get(key)
    if value is None or value == "":
        return None
    return _to_number(value, key)


def numbers(data: Json, key: str) -> tuple[int, ...]:
    """Return a list of integers without duplicates; empty if the body has none.

    Raises:
        InvalidField: the value has another type.
    """
    value = data.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidField(f"{key} is not a list of numbers", f"{key} 不是数字列表")
    return tuple(dict.fromkeys(_to_number(item, key) for item in value))


def text(data: Json, key: str) -> str:
    """Return a string without surrounding blanks; empty if the body has none, or another type."""
    value = data.get(key)
    return value.strip() if isinstance(value, str) else ""


def text_or_int(data: Json, key: str) -> str:
    """Return a string or an integer as a string; empty if the body has none.

    Raises:
        InvalidField: the value has another type.
    """
    return _to_text(data.get(key), key)


def text_list(data: Json, key: str) -> tuple[str, ...]:
    """Return a list of strings without duplicates; empty if the body has none.

    A comma-separated string is accepted as a list.

    Raises:
        InvalidField: the value has another type.
    """
    value = data.get(key)
    if isinstance(value, str):
        value = value.split(",")
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidField(f"{key} is not a list of strings", f"{key} 不是字符串列表")
    return tuple(dict.fromkeys(found for item in value if (found := _to_text(item, key))))


def boolean(data: Json, key: str) -> bool | None:
    """Return a boolean, or None if the body has none.

    Raises:
        InvalidField: the value has another type.
    """
    value = data.get(key)
    if value is None or value == "" or isinstance(value, bool):
        return None if value == "" else value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise InvalidField(f"{key} is neither true nor false", f"{key} 不是 true 或 false")


def object_field(data: Json, key: str) -> Json:
    """Return an object within the body; empty if there is none.

    Raises:
        InvalidField: the value has another type.
    """
    value = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidField(f"{key} is not an object", f"{key} 不是对象")
    return value


def object_list(data: Json, key: str) -> tuple[Json, ...]:
    """Return a list of objects within the body; empty if there is none.

    Raises:
        InvalidField: the value has another type.
    """
    value = data.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidField(f"{key} is not a list of objects", f"{key} 不是对象列表")
    return tuple(value)


def backfill_nodes(data: Json) -> tuple[int, ...]:
    """Return the nodes of a backfill, the root first, without the excluded ones.

    Raises:
        InvalidField: it names no nodes, or a node id is not a number.
    """
    root = number(data, "rootNodeId")
    nodes = dict.fromkeys((*(() if root is None else (root,)), *numbers(data, "includeNodeIds")))
    if not nodes:
        raise InvalidField(
            "includeNodeIds and rootNodeId name no node", "includeNodeIds 和 rootNodeId 中没有节点"
        )
    excluded = set(numbers(data, "excludeNodeIds"))
    return tuple(node for node in nodes if node not in excluded)


def nodes(event: Event) -> tuple[int, ...]:
    """Return the nodes of an operation in the Operation Center (`nodeIds`).

    Raises:
        InvalidField: the event names no nodes.
    """
    found = numbers(event.data, "nodeIds")
    if not found:
        raise InvalidField("nodeIds names no node", "nodeIds 中没有节点")
    return found


def _to_text(value: object, key: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidField(f"{key} is not a string", f"{key} 不是字符串")


def _to_number(value: object, key: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    digits = value.strip() if isinstance(value, str) else ""
    if digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_NUMBER_DIGITS:
        return int(digits)
    raise InvalidField(f"{key} is not a number", f"{key} 不是数字")
