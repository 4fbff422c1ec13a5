"""Fields of an event's own body: numbers may come as text, keys may be missing, anything may be null."""

from __future__ import annotations

from common.events import Event, Json
from common.i18n import Language, Text
from common.verdicts import Finding, Severity
from workers.checks.findings import clipped

_LONGEST_NUMBER = 19


class Unreadable(ValueError):
    """A field is not what it should be; the text says which and what is wanted.

    Args:
        en: the text in English, without a full stop.
        zh: the same in Chinese; the English one when it is empty.
    """

    def __init__(self, en: str, zh: str = "") -> None:
        super().__init__(en)
        self.text = Text(en, zh or en)


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
        raise Unreadable(f"{key} is not a list of numbers", f"{key} 不是数字列表")
    return tuple(dict.fromkeys(_number(item, key) for item in value))


def text(data: Json, key: str) -> str:
    """Return a text without blanks around it; empty when the body has none, or something else."""
    value = data.get(key)
    return value.strip() if isinstance(value, str) else ""


def word(data: Json, key: str) -> str:
    """Return a text or a whole number as text; empty when the body has none.

    Raises:
        Unreadable: there is something else.
    """
    return _word(data.get(key), key)


def words(data: Json, key: str) -> tuple[str, ...]:
    """Return a list of texts, each once; a text with commas is a list, too. Empty when the body has none.

    Raises:
        Unreadable: there is something else.
    """
    value = data.get(key)
    if isinstance(value, str):
        value = value.split(",")
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Unreadable(f"{key} is not a list of texts", f"{key} 不是文本列表")
    return tuple(dict.fromkeys(found for item in value if (found := _word(item, key))))


def truth(data: Json, key: str) -> bool | None:
    """Return true or false, or None when the body does not say.

    Raises:
        Unreadable: there is something else.
    """
    value = data.get(key)
    if value is None or value == "" or isinstance(value, bool):
        return None if value == "" else value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise Unreadable(f"{key} is neither true nor false", f"{key} 不是 true 或 false")


def part(data: Json, key: str) -> Json:
    """Return an object within the body; empty when there is none.

    Raises:
        Unreadable: there is something else.
    """
    value = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable(f"{key} is not an object", f"{key} 不是对象")
    return value


def parts(data: Json, key: str) -> tuple[Json, ...]:
    """Return a list of objects within the body; empty when there is none.

    Raises:
        Unreadable: there is something else.
    """
    value = data.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unreadable(f"{key} is not a list of objects", f"{key} 不是对象列表")
    return tuple(value)


def nodes(event: Event) -> tuple[int, ...]:
    """Return the nodes that an operation of the Operation Center works on (`nodeIds`).

    Raises:
        Unreadable: the event names none.
    """
    found = numbers(event.data, "nodeIds")
    if not found:
        raise Unreadable("nodeIds names no node", "nodeIds 中没有节点")
    return found


_TRY_AGAIN = Text(
    "Try again; if it stays, tell who runs dwgate.", "请重试；若仍如此，请告知 dwgate 的维护者。"
)
_LOOK = Text("Have a person look at it.", "请人工检查。")


def unreadable(error: Unreadable, language: Language = Language.ENGLISH) -> Finding:
    """Return the finding for an event that cannot be checked as it came."""
    message = Text(
        f"The event cannot be checked as it came: {error.text.en}.", f"事件无法检查：{error.text.zh}。"
    )
    return Finding("event-unreadable", Severity.BLOCK, message.said(language), help=_TRY_AGAIN.said(language))


def untold(what: str, language: Language) -> Finding:
    """Return the finding for something that the policy asks about and the event does not tell."""
    message = Text(f"Not looked at: the event does not tell {what}.", f"未检查：事件中没有 {what}。")
    said = clipped(message.said(language))
    return Finding("event-untold", Severity.WARN, said, help=_LOOK.said(language))


def _word(value: object, key: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Unreadable(f"{key} is not a text", f"{key} 不是文本")


def _number(value: object, key: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    digits = value.strip() if isinstance(value, str) else ""
    if digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST_NUMBER:
        return int(digits)
    raise Unreadable(f"{key} is not a number", f"{key} 不是数字")
