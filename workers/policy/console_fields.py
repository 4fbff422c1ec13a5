"""What administrators may set in the DataWorks console: the settings that the policy lists, typed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common.plan import Mode
from common.verdicts import Result
from workers.checks.api import Check
from workers.policy.model import CheckPart, ConsolePart

LONGEST_TEXT = 1000
"""Characters of a text that is set in the console at the most."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_BETWEEN = re.compile(r"[\n,，;；]")

Json = dict[str, Any]


class Kind(StrEnum):
    """What a setting's value is."""

    INTEGER = "integer"
    NUMBER = "number"
    SWITCH = "switch"
    TEXT = "text"
    CHOICE = "choice"
    TEXTS = "texts"
    CHOICES = "choices"


RANKED: Mapping[str, tuple[str, ...]] = {
    "mode": tuple(mode.value for mode in sorted(Mode, key=lambda mode: mode.most.rank)),
    "on_error": tuple(result.value.lower() for result in Result),
    "on_timeout": tuple(result.value.lower() for result in Result),
}
"""The settings that every check has, with their values, mildest first."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with an entry of `console`: at which key of it, and what is wanted."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that administrators may make.

    Attributes:
        check: the check.
        name: `mode`, `on_error`, `on_timeout` or an option of the check.
        kind: what its value is.
        doc: what it means, in a few words.
        choices: the values there are, for a choice; those that the policy allows, when it names some.
        bounds: the least and the greatest number allowed; None for none.
        free: whether the policy names the values, so that they may be milder than its own.
    """

    check: str
    name: str
    kind: Kind
    doc: str
    choices: tuple[str | int | float, ...] = ()
    bounds: tuple[float | None, float | None] = (None, None)
    free: bool = False

    @property
    def key(self) -> str:
        """Its name in the form; dots would make parts there."""
        return f"{self.check}__{self.name}".replace("-", "_").replace(".", "_")

    def read(self, value: object) -> Any:
        """Return a value of the form, which may be anything, as the policy would have it.

        Raises:
            ValueError: it is not of this kind, or not allowed.
        """
        read = _READERS[self.kind](value)
        each = read if isinstance(read, list) else [read]
        if self.choices and any(item not in self.choices for item in each):
            raise ValueError("not one of the values that the policy allows")
        least, most = self.bounds
        if isinstance(read, int | float) and not (
            (least is None or least <= read) and (most is None or read <= most)
        ):
            raise ValueError("not within what the policy allows")
        return read


def names(checks: Mapping[str, Check]) -> list[str]:
    """Return every setting that a policy may list."""
    return [
        f"{name}.{item}"
        for name, check in sorted(checks.items())
        for item in (*RANKED, *(each for each in check.options.model_fields if _option(check, each)[1]))
    ]


def setting(part: ConsolePart, checks: Mapping[str, Check]) -> Setting:
    """Return an entry of `console` as a setting; it must be one without a mistake."""
    check, _, name = part.setting.partition(".")
    if name in RANKED:
        doc, kind, choices = str(CheckPart.model_fields[name].description), Kind.CHOICE, RANKED[name]
    else:
        doc, found, choices = _option(checks[check], name)
        kind = found or Kind.TEXT
    read = Setting(check, name, kind, doc).read
    return Setting(
        check,
        name,
        kind,
        doc,
        tuple(read(_one(kind, value)) for value in part.values) if part.values else choices,
        (part.least, part.most),
        bool(part.values),
    )


def wrong(part: ConsolePart, checks: Mapping[str, Check]) -> Mistake | None:
    """Return what is wrong with an entry of `console`, or None."""
    check, _, name = part.setting.partition(".")
    if check not in checks:
        return Mistake("setting", f"unknown check {check}; expected CHECK.mode or CHECK.OPTION")
    names = (*RANKED, *checks[check].options.model_fields)
    if name not in names:
        return Mistake("setting", f"{check} has no such option; expected one of {', '.join(names)}")
    kind = Kind.CHOICE if name in RANKED else _option(checks[check], name)[1]
    if kind is None:
        return Mistake(
            "setting", "too complex for a form; expected a number, a word, a text or a list of them"
        )
    bounds = [bound for bound in (part.least, part.most) if bound is not None]
    if bounds and kind not in (Kind.INTEGER, Kind.NUMBER):
        return Mistake("least" if part.least is not None else "most", "is for numbers only")
    if bounds != sorted(bounds):
        return Mistake("most", "is less than least")
    return _wrong_values(part, checks)


def _wrong_values(part: ConsolePart, checks: Mapping[str, Check]) -> Mistake | None:
    plain = setting(part.model_copy(update={"values": ()}), checks)
    try:
        for value in part.values:
            plain.read(_one(plain.kind, value))
    except ValueError as error:
        return Mistake("values", str(error))
    return None


def _one(kind: Kind, value: object) -> object:
    return [value] if kind in (Kind.TEXTS, Kind.CHOICES) else value


def _option(check: Check, name: str) -> tuple[str, Kind | None, tuple[str, ...]]:
    """Return what an option means, the kind of its value (None: too rich for a form), and its choices."""
    schema = check.options.model_json_schema()
    field = check.options.model_fields[name]
    shape = _shape(schema["properties"][field.alias or name], schema.get("$defs", {}))
    items = _shape(shape.get("items", {}), schema.get("$defs", {}))
    doc = field.description or name
    if choices := shape.get("enum"):
        return doc, Kind.CHOICE, tuple(choices)
    if choices := items.get("enum"):
        return doc, Kind.CHOICES, tuple(choices)
    if items.get("type") == "string":
        return doc, Kind.TEXTS, ()
    return doc, _KINDS.get(str(shape.get("type"))), ()


_KINDS = {
    "integer": Kind.INTEGER,
    "number": Kind.NUMBER,
    "boolean": Kind.SWITCH,
    "string": Kind.TEXT,
}


def _shape(schema: Json, parts: Json) -> Json:
    """Return the part of a schema that says what a value is; that it may be null too is left out."""
    if "$ref" in schema:
        return _shape(parts[schema["$ref"].rpartition("/")[2]], parts)
    ways = [way for way in schema.get("anyOf", ()) if way.get("type") != "null"]
    return _shape(ways[0], parts) if len(ways) == 1 else schema


def _integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise ValueError("expected an integer")


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    raise ValueError("expected a number")


def _switch(value: object) -> bool:
    word = str(value).strip().lower()
    if word not in ("true", "false"):
        raise ValueError("expected true or false")
    return word == "true"


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ValueError(f"expected a text of at most {LONGEST_TEXT} characters")
    return value.strip()


def _texts(value: object) -> list[str]:
    given = _BETWEEN.split(value) if isinstance(value, str) else value
    if isinstance(given, list):
        return [text for text in map(_text, given) if text]
    raise ValueError("expected a list of words")


_READERS = {
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.SWITCH: _switch,
    Kind.TEXT: _text,
    Kind.CHOICE: _text,
    Kind.TEXTS: _texts,
    Kind.CHOICES: _texts,
}
