"""Names the values that Python code inserts into a string: `{table}`, or the value of a constant.

Sources: the Python library reference, "printf-style String Formatting" and "Format String Syntax"; PEP 498.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from review.languages.embedded import name_value
from review.languages.python.python_module import PythonModule, Scope

_MAX_DEPTH = 12
"""Maximum expressions within each other from which a value is computed."""
_MAX_TEXT = 200
"""Maximum characters of an expression in a name."""
_PERCENT = re.compile(r"%(?:\((?P<key>[^()\n]*)\))?(?P<format>[#0\- +*.\d]*[hlL]?)(?P<type>.)")
_CONVERSIONS = re.compile(
    r"%%|%(?:\([^()\n]*\))?[#0\- +]*+(?:\*|\d++)?(?:\.(?:\*|\d++))?[hlL]?[diouxXeEfFgGcrsa]"
)
_BRACES = re.compile(r"\{\{|\}\}|\{[^{}]*\}")
_FIELD = re.compile(r"\{(?P<name>[^!:.\[{}]*+)(?P<rest>(?:[.\[][^!:{}]*+)?)(?P<format>(?:[!:][^{}]*+)?)\}")
_PLAIN_FORMATS = frozenset({"", "!s", ":", ":s", ":d"})
_NAMESPACES = frozenset({"locals", "vars", "globals"})


class InsertedValue(NamedTuple):
    """An inserted value.

    Attributes:
        expression: as names show it, in one spelling.
        value: the constant that it is; None if it is not constant.
    """

    expression: str
    value: str | None = None


@dataclass(slots=True)
class PercentArguments:
    """The right operand of `%`, whose values are inserted in turn; None if a driver binds them later."""

    node: ast.expr | None
    scope: Scope
    _taken: int = 0
    _plain: int = field(init=False)
    """Number of values before the first starred one, which may be any number."""

    def __post_init__(self) -> None:
        self._plain = _count_plain(self.node.elts) if isinstance(self.node, ast.Tuple) else 0

    def take(self, conversion: str) -> tuple[ast.expr | None, str]:
        """Return the expression that the next conversion inserts, and its format beyond plain text."""
        match = _PERCENT.fullmatch(conversion)
        if match is None or self.node is None:
            return None, conversion
        kind = "" if match["type"] in "sd" else match["type"]
        form = match["format"] + (match["type"] if match["format"] else kind)
        if match["key"] is not None:
            return _of_mapping(self.node, match["key"]), form
        self._taken += match["format"].count("*") + 1
        return self._positional(self._taken - 1), form

    def _positional(self, index: int) -> ast.expr | None:
        if not isinstance(self.node, ast.Tuple):
            return _item(self.node, index) if index and self.node is not None else self.node
        return self.node.elts[index] if index < self._plain else None


@dataclass(slots=True)
class FormatArguments:
    """The arguments of `.format`."""

    call: ast.Call
    scope: Scope
    _taken: int = 0
    _plain: int = field(init=False)
    """Number of values before the first starred one, which may be any number."""
    _keywords: dict[str | None, ast.expr] = field(init=False)

    def __post_init__(self) -> None:
        self._plain = _count_plain(self.call.args)
        self._keywords = {keyword.arg: keyword.value for keyword in self.call.keywords}

    def take(self, text: str) -> tuple[ast.expr | None, str]:
        """Return the expression of a replacement field, and what is read of it (`.name`) with its format."""
        match = _FIELD.fullmatch(text)
        if match is None:
            return None, text
        name = match["name"].strip()
        form = match["rest"] + ("" if match["format"] in _PLAIN_FORMATS else match["format"])
        if not name:
            name, self._taken = str(self._taken), self._taken + 1
        if name.isdecimal():
            return self._positional(int(name)), form
        return self._named(name), form

    def _positional(self, index: int) -> ast.expr | None:
        if index < self._plain:
            return self.call.args[index]
        starred = self.call.args[self._plain] if self._plain < len(self.call.args) else None
        return _item(starred.value, index - self._plain) if isinstance(starred, ast.Starred) else None

    def _named(self, name: str) -> ast.expr | None:
        if name in self._keywords:
            return self._keywords[name]
        other = self._keywords.get(None)
        return _of_mapping(other, name) if other is not None else None


def _count_plain(items: list[ast.expr]) -> int:
    return next((place for place, item in enumerate(items) if isinstance(item, ast.Starred)), len(items))


def _item(node: ast.expr, key: int | str) -> ast.expr:
    return ast.Subscript(node, ast.Constant(key), ast.Load())


def _of_mapping(node: ast.expr, key: str) -> ast.expr | None:
    """Return the expression of an entry of a mapping: a dict as written, `locals()`, or any other."""
    match node:
        case ast.Dict():
            found = [
                value
                for name, value in zip(node.keys, node.values, strict=True)
                if isinstance(name, ast.Constant) and name.value == key
            ]
            return found[-1] if found else None
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]) if name in _NAMESPACES:
            return ast.Name(key, ast.Load())
        case ast.Call(func=ast.Name(id="dict"), args=[]):
            given = [keyword.value for keyword in node.keywords if keyword.arg == key]
            return given[0] if given else None
    return _item(node, key)


class InsertedValues:
    """Names the expressions of a module that are inserted into strings."""

    def __init__(self, module: PythonModule) -> None:
        self._module = module
        self._assigned: dict[int, str | None] = {}
        """Values of assigned expressions, by their identities."""

    def of(self, node: ast.expr, scope: Scope) -> InsertedValue:
        """Return the inserted value of an expression."""
        node = _without_str(node)
        value = self._value(node, scope, 0)
        return InsertedValue(_expression(node), None if value is None else name_value(value))

    def of_formatted(self, node: ast.FormattedValue, scope: Scope) -> InsertedValue:
        """Return the inserted value of a replacement field of an f-string."""
        if _is_plain(node):
            return self.of(node.value, scope)
        form = f"!{chr(node.conversion)}" if node.conversion > 0 else ""
        return InsertedValue(_expression(node.value, form + _format_of(node)))

    def of_percent(self, conversion: str, arguments: PercentArguments) -> InsertedValue:
        """Return the inserted value of a conversion of `%`."""
        node, form = arguments.take(conversion)
        if node is None:
            return InsertedValue(conversion)
        return InsertedValue(_expression(node, f":{form}")) if form else self.of(node, arguments.scope)

    def of_field(self, text: str, arguments: FormatArguments) -> InsertedValue:
        """Return the inserted value of a replacement field of `.format`."""
        node, form = arguments.take(text)
        if node is None:
            return InsertedValue(text)
        return InsertedValue(_expression(node, form)) if form else self.of(node, arguments.scope)

    def _value(self, node: ast.expr, scope: Scope, depth: int) -> str | None:
        """Return the text of an expression; parts that do not change may be expressions in it."""
        if depth > _MAX_DEPTH:
            return None
        node = _without_str(node)
        match node:
            case ast.Constant(value=str() | int() as value) if not isinstance(value, bool):
                return str(value)
            case ast.Name(id=name):
                where, only = self._module.only_assignment(scope, name)
                if only is not None and id(only) not in self._assigned:
                    self._assigned[id(only)] = self._value(only, where, depth + 1)
                return self._assigned[id(only)] if only is not None else None
        return self._built(node, scope, depth)

    def _built(self, node: ast.expr, scope: Scope, depth: int) -> str | None:
        """Return the text of a string that is built from others; None if `node` is anything else."""
        match node:
            case ast.JoinedStr(values=parts):
                return self._joined(parts, scope, depth)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self._joined([left, right], scope, depth)
            case ast.BinOp(op=ast.Mod(), left=left, right=right):
                return self._filled(left, scope, depth, PercentArguments(right, scope))
            case ast.Call(func=ast.Attribute(attr="format", value=template)):
                return self._filled(template, scope, depth, FormatArguments(node, scope))
        return None

    def _joined(self, parts: list[ast.expr], scope: Scope, depth: int) -> str | None:
        texts: list[str] = []
        for part in parts:
            if isinstance(part, ast.FormattedValue) and not _is_plain(part):
                return None
            text = self._part(part.value if isinstance(part, ast.FormattedValue) else part, scope, depth)
            if text is None:
                return None
            texts.append(text)
        joined = "".join(texts)
        return joined if len(joined) <= _MAX_TEXT else None

    def _part(self, node: ast.expr, scope: Scope, depth: int) -> str | None:
        """Return the value of a part of a string, or its expression if that does not change."""
        value = self._value(node, scope, depth + 1)
        node = _without_str(node)
        return value if value is not None else _expression(node) if self._is_stable(node, scope) else None

    def _is_stable(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression has the same value wherever it is evaluated."""
        for _ in range(_MAX_DEPTH):
            match node:
                case ast.Name(id=name):
                    return not self._module.may_change(scope, name)
                case ast.Attribute(value=inner) | ast.Subscript(value=inner, slice=ast.Constant()):
                    node = inner
                case _:
                    return False
        return False

    def _filled(
        self, template: ast.expr, scope: Scope, depth: int, arguments: PercentArguments | FormatArguments
    ) -> str | None:
        text = self._value(template, scope, depth + 1)
        if text is None or len(text) > _MAX_TEXT:
            return None
        parts: list[str] = []
        done = 0
        pattern = _CONVERSIONS if isinstance(arguments, PercentArguments) else _BRACES
        for match in pattern.finditer(text):
            parts.append(text[done : match.start()])
            done = match.end()
            if match.group() in ("%%", "{{", "}}"):
                parts.append(match.group()[0])
                continue
            node, form = arguments.take(match.group())
            value = None if node is None or form else self._part(node, scope, depth)
            if value is None:
                return None
            parts.append(value)
        return "".join([*parts, text[done:]])


def _is_plain(node: ast.FormattedValue) -> bool:
    return node.conversion in (-1, ord("s")) and node.format_spec is None


def _format_of(node: ast.FormattedValue) -> str:
    """Return the format of a replacement field with its colon; empty without one."""
    if not isinstance(node.format_spec, ast.JoinedStr):
        return ""
    parts = (
        str(part.value) if isinstance(part, ast.Constant) else _expression(part)
        for part in node.format_spec.values
    )
    return f":{''.join(parts)}"


def _without_str(node: ast.expr) -> ast.expr:
    """Return the argument of `str(…)`, which inserts the same text."""
    while (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("str", "unicode")
    ):
        if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
            break
        node = node.args[0]
    return node


def _expression(node: ast.expr, suffix: str = "") -> str:
    try:
        text = ast.unparse(node)
    except (RecursionError, ValueError):  # an f-string within an f-string may have no other spelling
        text = type(node).__name__
    return f"{{{' '.join(text.split())[:_MAX_TEXT]}{suffix}}}"


def formatted_values(node: ast.expr) -> Iterator[ast.FormattedValue]:
    """Yield the replacement fields of an f-string in text order."""
    if isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.FormattedValue))


@dataclass(frozen=True, slots=True)
class StringValues:
    """What a string literal's conversions insert.

    Attributes:
        percent: the values of `%`; None if it inserts none.
        braces: the values of `.format`; None if it inserts none.
        formatted: the replacement fields of an f-string.
    """

    values: InsertedValues
    scope: Scope
    percent: PercentArguments | None = None
    braces: FormatArguments | None = None
    formatted: Iterator[ast.FormattedValue] = field(default_factory=lambda: iter(()))

    def next_formatted(self, text: str) -> InsertedValue:
        """Return the value of the next replacement field of an f-string, written as `text`."""
        node = next(self.formatted, None)
        return InsertedValue(text) if node is None else self.values.of_formatted(node, self.scope)
