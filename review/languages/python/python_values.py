"""Traces a string in a Python module from its use to the literals that it is built from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice

from review.dialects import Dialect
from review.facts import Span
from review.languages.embedded import Fragment, Sql, placeholder
from review.languages.python import python_strings
from review.languages.python.python_module import Assignment, ElementOf, PythonModule, Scope, is_text

_MAX_DEPTH = 12
"""Maximum names and calls through which a string is traced."""
_MAX_VALUES = 100
"""Maximum values that a name can have; if there are more, the rest counts as built in an unsupported way."""
KEPT = frozenset({"strip", "lstrip", "rstrip", "replace", "lower", "upper", "dedent", "expandtabs", "split"})
"""Methods whose result is much like the text they are called on."""


class StringResolver:
    """Traces an expression to its possible string literals."""

    def __init__(self, module: PythonModule, code: str, dialect: Dialect, *, bound: bool = False) -> None:
        """Trace strings of `module`; with `bound`, a driver binds values to `%s`."""
        self._module, self._code, self._dialect, self._bound = module, code, dialect, bound
        # Results by the identities of nodes and of lists of assignments, which the module holds.
        self._named_values: dict[tuple[int, int], tuple[Sql | None, ...]] = {}
        self._template_values: dict[tuple[int, bool, bool], tuple[Sql | None, ...]] = {}
        self._literals: dict[tuple[int, bool, bool], Sql | None] = {}

    def values(self, node: ast.expr, scope: Scope) -> tuple[Sql | None, ...]:
        """Return the possible values of `node`; None for each one built in an unsupported way.

        The same literal is the same object each time, as long as the resolver exists.
        """
        return _limited(self.of(node, scope))

    def of(self, node: ast.expr, scope: Scope, depth: int = 0) -> Iterator[Sql | None]:
        """Yield the possible values of `node`; None for each one built in an unsupported way."""
        if depth > _MAX_DEPTH:
            yield None
            return
        match node:
            case ast.Name():
                yield from self._named(node.id, scope, depth)
            case ast.IfExp():
                yield from self.of(node.body, scope, depth + 1)
                yield from self.of(node.orelse, scope, depth + 1)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items) | ast.Dict(values=items):
                for item in items:
                    yield from self.of(item, scope, depth + 1)
            case ast.Subscript():
                yield from self.of(node.value, scope, depth + 1)
            case ast.Call():
                yield from self._called(node, scope, depth)
            case ast.BinOp(op=ast.Mod(), left=ast.Name() as template):
                yield from self._templates(template, scope, depth, percent=True)
            case _:
                yield self._literal(node)

    def _named(self, name: str, scope: Scope, depth: int) -> tuple[Sql | None, ...]:
        where, settings = self._module.visible(scope, name)
        if not settings:
            return (None,)
        key = id(settings), depth
        if key not in self._named_values:
            self._named_values[key] = _limited(self._assigned(settings, name, where, depth))
        return self._named_values[key]

    def _assigned(
        self, settings: list[Assignment], name: str, scope: Scope, depth: int
    ) -> Iterator[Sql | None]:
        if any(isinstance(setting.value, ast.AugAssign) for setting in settings):
            # Read once: the value is the same at every depth.
            yield from self._concatenated(settings) if not depth else self._named(name, scope, 0)
        else:
            for setting in settings:
                yield from self._value(setting, name, scope, depth)

    def _value(self, setting: Assignment, name: str, scope: Scope, depth: int) -> Iterator[Sql | None]:
        value = setting.value
        if isinstance(value, ElementOf):
            value = value.of
            # `for i, sql in enumerate(…)`, `for name, sql in queries.items()`
            while isinstance(value, ast.Call) and not _is_split(value):
                inner = value.args[0] if value.args else _receiver(value)
                if inner is None:
                    break
                value = inner
        if isinstance(value, ast.expr):
            # `sql = sql.strip()` and `sql = sql % day` add no value.
            if not any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(value)):
                yield from self.of(value, scope, depth + 1)
        else:
            yield None

    def _concatenated(self, settings: list[Assignment]) -> Iterator[Sql | None]:
        """Read `sql = "…"` followed by `sql += "…"` in sequence; any other form is not supported."""
        if len({setting.body for setting in settings}) != 1 or isinstance(settings[0].value, ast.AugAssign):
            yield None
            return
        grown: list[Fragment] = []
        for setting in settings:
            value = setting.value
            if not isinstance(value, (ast.AugAssign, ast.expr)):
                yield None
                return
            if isinstance(value, ast.expr) and grown:
                yield self._sql(grown)
                grown = []
            grown.extend(self._pieces(value.value if isinstance(value, ast.AugAssign) else value))
        yield self._sql(grown)

    def _called(self, node: ast.Call, scope: Scope, depth: int) -> Iterator[Sql | None]:
        receiver = _receiver(node)
        attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if attribute == "format" and isinstance(receiver, ast.Name):
            yield from self._templates(receiver, scope, depth, braces=True)
        elif attribute == "format":
            yield self._literal(node)
        elif (attribute == "dedent" or wraps_sql(self._module, node)) and node.args:
            yield from self.of(node.args[0], scope, depth + 1)
        elif attribute in KEPT and receiver is not None:
            yield from self.of(receiver, scope, depth + 1)
        else:
            yield None

    def _templates(
        self, node: ast.Name, scope: Scope, depth: int, *, percent: bool = False, braces: bool = False
    ) -> Iterator[Sql | None]:
        """Read a name whose value is a template: its literals are read as templates."""
        settings = self._module.assignments_of(scope, node.id)
        if not settings or depth > _MAX_DEPTH:
            yield None
            return
        key = id(settings), percent, braces
        if key not in self._template_values:
            self._template_values[key] = _limited(self._read_templates(settings, node.id, percent, braces))
        yield from self._template_values[key]

    def _read_templates(
        self, settings: list[Assignment], name: str, percent: bool, braces: bool
    ) -> Iterator[Sql | None]:
        for setting in settings:
            value = setting.value
            if isinstance(value, ast.expr) and self._module.has_text(value):
                yield self._literal(value, percent=percent, braces=braces)
            elif not isinstance(value, ast.expr) or name not in _names(value):
                yield None

    def _literal(self, node: ast.expr, *, percent: bool = False, braces: bool = False) -> Sql | None:
        key = id(node), percent, braces
        if key not in self._literals:
            self._literals[key] = self._sql(list(self._pieces(node, percent=percent, braces=braces)))
        return self._literals[key]

    def _pieces(self, node: ast.expr, *, percent: bool = False, braces: bool = False) -> Iterator[Fragment]:
        """Yield the literals of a concatenation; anything between them becomes one placeholder."""
        percent = percent or self._bound
        parts = list(_summands(self._module, node))
        if not any(is_text(part) for part, _, _ in parts):
            return
        last_end: int | None = None
        between: Span | None = None
        for part, p, b in parts:
            at = self._module.lines.at(part)
            if not is_text(part):
                between = Span(between.begin if between else at.begin, at.end)
                continue
            found = list(
                python_strings.string_fragments(
                    self._code, at.begin, at.end, percent=p or percent, braces=b or braces
                )
            )
            if between is not None and found:
                yield placeholder(between.begin if last_end is None else last_end, found[0].begin)
            yield from found
            between, last_end = None, found[-1].end if found else last_end
        if between is not None and last_end is not None:
            yield placeholder(last_end, between.end)

    def _sql(self, fragments: list[Fragment]) -> Sql | None:
        return Sql(tuple(fragments), self._dialect) if fragments else None


def wraps_sql(module: PythonModule, node: ast.Call) -> bool:
    """Whether it is `text("…")` of SQLAlchemy or `SQL("…")` of psycopg."""
    top, _, name = module.origin(node.func).rpartition(".")
    return name in ("text", "SQL") and top.partition(".")[0] in ("sqlalchemy", "psycopg2", "psycopg")


def _limited(values: Iterator[Sql | None]) -> tuple[Sql | None, ...]:
    found = tuple(islice(values, _MAX_VALUES + 1))
    return found if len(found) <= _MAX_VALUES else (*found[:_MAX_VALUES], None)


def _summands(module: PythonModule, node: ast.expr) -> Iterator[tuple[ast.expr, bool, bool]]:
    """Yield the parts of a concatenation, each with whether `%` and `.format` insert values into it."""
    waiting: list[tuple[ast.expr, bool, bool]] = [(node, False, False)]
    while waiting:
        part, percent, braces = waiting.pop()
        match part:
            case ast.BinOp(op=ast.Add()):
                waiting += [(part.right, percent, braces), (part.left, percent, braces)]
            case ast.BinOp(op=ast.Mod()) if module.has_text(part.left):
                waiting.append((part.left, True, braces))
            case ast.Call(func=ast.Attribute(attr="format", value=inner)) if module.has_text(inner):
                waiting.append((inner, percent, True))
            case ast.Call(func=ast.Attribute(attr=name, value=inner)) if name in KEPT and module.has_text(
                inner
            ):
                waiting.append((inner, percent, braces))
            case _:
                yield part, percent, braces


def _is_split(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in KEPT


def _receiver(node: ast.Call) -> ast.expr | None:
    return node.func.value if isinstance(node.func, ast.Attribute) else None


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
