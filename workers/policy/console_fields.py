"""The settings that administrators may change in the DataWorks console: listed in the policy, typed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common.config_files.former_names import CHECKS, current_key
from common.json_types import Json
from common.plan import Mode
from common.verdicts import Result
from workers.checks.api import Check
from workers.policy.model import CheckPart, ConsolePart

MAX_TEXT_LENGTH = 1000
"""Characters of a text that is set in the console."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_SEPARATOR = re.compile(r"[\n,，;；]")


class FieldType(StrEnum):
    """The type of a setting's value."""

    INTEGER = "integer"
    NUMBER = "number"
    SWITCH = "switch"
    TEXT = "text"
    CHOICE = "choice"
    TEXTS = "texts"
    CHOICES = "choices"


SEVERITY_FIELDS: Mapping[str, tuple[str, ...]] = {
    "mode": tuple(mode.value for mode in sorted(Mode, key=lambda mode: mode.max_result.severity_rank)),
    "on_error": tuple(result.value.lower() for result in Result),
    "on_timeout": tuple(result.value.lower() for result in Result),
    "on_unreviewable": tuple(result.value.lower() for result in Result),
}
"""The settings that every check has, with their values in order of severity, mildest first."""


@dataclass(frozen=True, slots=True)
class EntryProblem:
    """A problem of an entry of `console`.

    Attributes:
        key: the key of the entry that is invalid.
        text: what is wrong and what is expected.
    """

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class ConsoleField:
    """One setting that administrators may change.

    Attributes:
        check: the check.
        name: one of `SEVERITY_FIELDS`, or an option of the check.
        kind: the type of its value.
        doc: short description.
        choices: the possible values of a choice, or those that the policy lists.
        bounds: the minimum and the maximum; None if there is none.
        lists_values: whether the policy lists the values, which may then be milder than its own value.
    """

    check: str
    name: str
    kind: FieldType
    doc: str
    choices: tuple[str | int | float, ...] = ()
    bounds: tuple[float | None, float | None] = (None, None)
    lists_values: bool = False

    @property
    def key(self) -> str:
        """Its name in the form, without dots: in a form they separate the levels of a path."""
        return f"{self.check}__{self.name}".replace("-", "_").replace(".", "_")

    def read(self, value: object) -> Any:
        """Return a form's untrusted value as the setting's type.

        Raises:
            ValueError: the value has the wrong type or is not allowed.
        """
        read = _READERS[self.kind](value)
        each = read if isinstance(read, list) else [read]
        if self.choices and any(item not in self.choices for item in each):
            raise ValueError("not among the values that the policy allows")
        minimum, maximum = self.bounds
        if isinstance(read, int | float) and not (
            (minimum is None or minimum <= read) and (maximum is None or read <= maximum)
        ):
            raise ValueError("outside the limits that the policy sets")
        return read


def field_names(checks: Mapping[str, Check]) -> list[str]:
    """Return the names of all settings that a policy may list."""
    return [
        f"{name}.{item}"
        for name, check in sorted(checks.items())
        for item in (
            *SEVERITY_FIELDS,
            *(each for each in check.options.model_fields if _option(check, each)[1]),
        )
    ]


def build_field(part: ConsolePart, checks: Mapping[str, Check]) -> ConsoleField:
    """Return the setting of a valid entry of `console`."""
    check, _, name = part.setting.partition(".")
    if name in SEVERITY_FIELDS:
        doc, kind, choices = (
            str(CheckPart.model_fields[name].description),
            FieldType.CHOICE,
            SEVERITY_FIELDS[name],
        )
    else:
        doc, found, choices = _option(checks[check], name)
        kind = found or FieldType.TEXT
    read = ConsoleField(check, name, kind, doc).read
    return ConsoleField(
        check,
        name,
        kind,
        doc,
        tuple(read(_as_form_value(kind, value)) for value in part.values) if part.values else choices,
        (part.minimum, part.maximum),
        bool(part.values),
    )


def validate_entry(part: ConsolePart, checks: Mapping[str, Check]) -> EntryProblem | None:
    """Return the first problem of an entry of `console`; None if it is valid."""
    return _validate_setting(part, checks) or _validate_bounds(part, checks) or _validate_values(part, checks)


def _validate_setting(part: ConsolePart, checks: Mapping[str, Check]) -> EntryProblem | None:
    check, _, name = part.setting.partition(".")
    if check not in checks:
        expected = (
            f"{check} is now {CHECKS[check]}" if check in CHECKS else "expected CHECK.mode or CHECK.OPTION"
        )
        return EntryProblem("setting", f"unknown check {check}; {expected}")
    names = (*SEVERITY_FIELDS, *checks[check].options.model_fields)
    if name not in names:
        current = current_key(name, names)
        expected = f"{name} is now {current}" if current else f"expected one of {', '.join(names)}"
        return EntryProblem("setting", f"unknown option {part.setting}; {expected}")
    if name not in SEVERITY_FIELDS and _is_pattern(checks[check], name):
        return EntryProblem(
            "setting", "a regular expression cannot be set in the DataWorks console; set it under options"
        )
    if _kind(part, checks) is None:
        return EntryProblem(
            "setting", "too complex for a form; expected a number, a choice, a text or a list of texts"
        )
    return None


def _validate_bounds(part: ConsolePart, checks: Mapping[str, Check]) -> EntryProblem | None:
    bounds = [bound for bound in (part.minimum, part.maximum) if bound is not None]
    if bounds and _kind(part, checks) not in (FieldType.INTEGER, FieldType.NUMBER):
        return EntryProblem("minimum" if part.minimum is not None else "maximum", "only valid for numbers")
    if bounds != sorted(bounds):
        return EntryProblem("maximum", "less than minimum")
    return None


def _kind(part: ConsolePart, checks: Mapping[str, Check]) -> FieldType | None:
    """Return the type of a setting that exists; None if it is too complex for a form."""
    check, _, name = part.setting.partition(".")
    return FieldType.CHOICE if name in SEVERITY_FIELDS else _option(checks[check], name)[1]


def _validate_values(part: ConsolePart, checks: Mapping[str, Check]) -> EntryProblem | None:
    plain = build_field(part.model_copy(update={"values": ()}), checks)
    try:
        for value in part.values:
            plain.read(_as_form_value(plain.kind, value))
    except ValueError as error:
        return EntryProblem("values", str(error))
    return None


def _as_form_value(kind: FieldType, value: object) -> object:
    return [value] if kind in (FieldType.TEXTS, FieldType.CHOICES) else value


def _is_pattern(check: Check, name: str) -> bool:
    """Whether an option is a regular expression, or a list of them: an administrator must not set one."""
    return any(shape.get("format") == "regex" for shape in _shapes(check, name))


def _shapes(check: Check, name: str) -> tuple[Json, Json]:
    """Return the schema of an option, and of its items if it is a list."""
    schema = check.options.model_json_schema()
    field = check.options.model_fields[name]
    shape = _shape_of(schema["properties"][field.alias or name], schema.get("$defs", {}))
    return shape, _shape_of(shape.get("items", {}), schema.get("$defs", {}))


def _option(check: Check, name: str) -> tuple[str, FieldType | None, tuple[str, ...]]:
    """Return an option's description, value type (None: cannot be set in a form) and choices."""
    shape, items = _shapes(check, name)
    doc = check.options.model_fields[name].description or name
    if _is_pattern(check, name):
        return doc, None, ()
    if choices := shape.get("enum"):
        return doc, FieldType.CHOICE, tuple(choices)
    if choices := items.get("enum"):
        return doc, FieldType.CHOICES, tuple(choices)
    if items.get("type") == "string":
        return doc, FieldType.TEXTS, ()
    return doc, _KINDS.get(str(shape.get("type"))), ()


_KINDS = {
    "integer": FieldType.INTEGER,
    "number": FieldType.NUMBER,
    "boolean": FieldType.SWITCH,
    "string": FieldType.TEXT,
}


def _shape_of(schema: Json, parts: Json) -> Json:
    """Return the schema of a value without references and without the alternative null."""
    if "$ref" in schema:
        return _shape_of(parts[schema["$ref"].rpartition("/")[2]], parts)
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return _shape_of(options[0], parts) if len(options) == 1 else schema


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
    if not isinstance(value, str) or len(value) > MAX_TEXT_LENGTH:
        raise ValueError(f"expected a text of at most {MAX_TEXT_LENGTH} characters")
    return value.strip()


def _texts(value: object) -> list[str]:
    items = _SEPARATOR.split(value) if isinstance(value, str) else value
    if isinstance(items, list):
        return [text for text in map(_text, items) if text]
    raise ValueError("expected a list of texts")


_READERS = {
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _number,
    FieldType.SWITCH: _switch,
    FieldType.TEXT: _text,
    FieldType.CHOICE: _text,
    FieldType.TEXTS: _texts,
    FieldType.CHOICES: _texts,
}
