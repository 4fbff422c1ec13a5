"""Traces a string in a Python module from its use to the literals that it is built from."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from review.dialects import Dialect
from review.languages.embedded import Fragment, Sql, placeholder
from review.languages.python import python_strings
from review.languages.python.inserted_values import (
    FormatArguments,
    InsertedValue,
    InsertedValues,
    PercentArguments,
    StringValues,
    formatted_values,
)
from review.languages.python.python_module import (
    Assignment,
    ElementOf,
    LoopEntry,
    PythonModule,
    Scope,
    Value,
    is_text,
)

_MAX_DEPTH = 12
"""Maximum names and calls through which a string is traced."""
_MAX_VALUES = 100
"""Maximum values that a name can have; if there are more, the rest counts as built in an unsupported way."""
_MAX_USES = 20
"""Maximum uses of a template whose inserted values are read; in the others they count as unknown."""
_NO_ARGUMENTS = ast.Call(ast.Name("format", ast.Load()), [], [])
KEPT = frozenset({"strip", "lstrip", "rstrip", "replace", "lower", "upper", "dedent", "expandtabs", "split"})
"""Methods whose result is much like the text they are called on."""


class StringResolver:
    """Traces an expression to its possible string literals."""

    def __init__(self, module: PythonModule, code: str, dialect: Dialect, *, bound: bool = False) -> None:
        """Trace strings of `module`; with `bound`, a driver binds values to `%s`."""
        self._module, self._code, self._dialect, self._bound = module, code, dialect, bound
        self._inserted = InsertedValues(module)
        # Results by the identities of nodes and of lists of assignments, which the module holds.
        self._named_values: dict[tuple[int, int], tuple[Sql | None, ...]] = {}
        self._template_values: dict[tuple[int, int], tuple[Sql | None, ...]] = {}
        self._template_uses: Counter[int] = Counter()
        self._literals: dict[int, Sql | None] = {}
        self.traced: set[int] = set()
        """Identities of the nodes of the literals that were found so far."""
        self.given_up: set[int] = set()
        """Identities of the nodes of the literals in what is built in an unsupported way."""
        self._searched: set[int] = set()

    def values(self, node: ast.expr, scope: Scope) -> tuple[Sql | None, ...]:
        """Return the possible values of `node`; None for each one built in an unsupported way.

        The same literal is the same object each time, as long as the resolver exists.
        """
        return _limited(self.of(node, scope))

    def of(self, node: ast.expr, scope: Scope, depth: int = 0) -> Iterator[Sql | None]:
        """Yield the possible values of `node`; None for each one built in an unsupported way."""
        if depth > _MAX_DEPTH:
            self._give_up(node)
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
            case ast.BinOp(op=ast.Mod(), left=ast.Name() as template, right=right):
                yield from self._templates(template, scope, depth, right)
            case _:
                yield self._literal(node, scope)

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
            yield from self._concatenated(settings, scope) if not depth else self._named(name, scope, 0)
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
            self._give_up(value)
            yield None

    def _concatenated(self, settings: list[Assignment], scope: Scope) -> Iterator[Sql | None]:
        """Read `sql = "…"` followed by `sql += "…"` in sequence; any other form is not supported."""
        if len({setting.body for setting in settings}) != 1 or isinstance(settings[0].value, ast.AugAssign):
            for setting in settings:
                self._give_up(setting.value)
            yield None
            return
        grown: list[Fragment] = []
        for setting in settings:
            value = setting.value
            if not isinstance(value, (ast.AugAssign, ast.expr)):
                self._give_up(value)
                yield None
                return
            if isinstance(value, ast.expr) and grown:
                yield self._sql(grown)
                grown = []
            grown.extend(self._pieces(value.value if isinstance(value, ast.AugAssign) else value, scope))
        yield self._sql(grown)

    def _called(self, node: ast.Call, scope: Scope, depth: int) -> Iterator[Sql | None]:
        receiver = _receiver(node)
        attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if attribute == "format" and isinstance(receiver, ast.Name):
            yield from self._templates(receiver, scope, depth, node)
        elif attribute == "format":
            yield self._literal(node, scope)
        elif (attribute == "dedent" or wraps_sql(self._module, node)) and node.args:
            yield from self.of(node.args[0], scope, depth + 1)
        elif attribute in KEPT and receiver is not None:
            yield from self.of(receiver, scope, depth + 1)
        else:
            self._give_up(node)
            yield None

    def _templates(self, node: ast.Name, scope: Scope, depth: int, given: ast.expr) -> Iterator[Sql | None]:
        """Read a name whose value is a template: its literals are read with the values that `given` inserts.

        Args:
            node: the name.
            scope: where it is used.
            depth: number of names and calls traced so far.
            given: the right operand of `%`, or the call of `.format`.
        """
        where, settings = self._module.visible(scope, node.id)
        if not settings or depth > _MAX_DEPTH:
            yield None
            return
        is_format = isinstance(given, ast.Call) and _receiver(given) is node
        key = id(settings), id(given)
        if key not in self._template_values:
            self._template_uses[id(settings)] += 1
            known = self._template_uses[id(settings)] <= _MAX_USES
            arguments = (given if known else None), scope, is_format
            key = key if known else (id(settings), int(is_format))
            if key not in self._template_values:
                self._template_values[key] = _limited(
                    self._read_templates(settings, node.id, where, arguments)
                )
        yield from self._template_values[key]

    def _read_templates(
        self,
        settings: list[Assignment],
        name: str,
        where: Scope,
        arguments: tuple[ast.expr | None, Scope, bool],
    ) -> Iterator[Sql | None]:
        given, scope, is_format = arguments
        for setting in settings:
            value = setting.value
            if isinstance(value, ast.expr) and self._module.has_text(value):
                percent = None if is_format else PercentArguments(given, scope)
                call = given if isinstance(given, ast.Call) else _NO_ARGUMENTS
                braces = FormatArguments(call, scope) if is_format else None
                yield self._sql(list(self._pieces(value, where, percent, braces)))
            elif not isinstance(value, ast.expr) or name not in _names(value):
                self._give_up(value)
                yield None

    def _literal(self, node: ast.expr, scope: Scope) -> Sql | None:
        if id(node) not in self._literals:
            self._literals[id(node)] = self._sql(list(self._pieces(node, scope)))
        return self._literals[id(node)]

    def _pieces(
        self,
        node: ast.expr,
        scope: Scope,
        percent: PercentArguments | None = None,
        braces: FormatArguments | None = None,
    ) -> Iterator[Fragment]:
        """Yield the literals of a concatenation; anything between them becomes one placeholder."""
        if percent is None and self._bound:
            percent = PercentArguments(None, scope)
        parts = list(_summands(self._module, node, scope))
        if not any(is_text(part) for part, _, _ in parts):
            return
        last_end: int | None = None
        between: list[ast.expr] = []
        for part, p, b in parts:
            if not is_text(part):
                between.append(part)
                continue
            self.traced.add(id(part))
            at = self._module.lines.at(part)
            values = StringValues(self._inserted, scope, p or percent, b or braces, formatted_values(part))
            found = list(python_strings.string_fragments(self._code, at.begin, at.end, values))
            if not found:
                continue
            if between:
                begin = self._module.lines.at(between[0]).begin if last_end is None else last_end
                yield placeholder(begin, found[0].begin, *self._between(between, scope))
            yield from found
            between, last_end = [], found[-1].end
        if between and last_end is not None:
            end = self._module.lines.at(between[-1]).end
            yield placeholder(last_end, end, *self._between(between, scope))

    def _between(self, parts: list[ast.expr], scope: Scope) -> InsertedValue:
        """Return what the expressions between two literals insert together."""
        found = [self._inserted.of(part, scope) for part in parts]
        expression = "".join(item.expression for item in found)
        if all(item.value is None for item in found):
            return InsertedValue(expression)
        return InsertedValue(
            expression, "".join(item.expression if item.value is None else item.value for item in found)
        )

    def _give_up(self, value: Value) -> None:
        """Record the literals of a value that is built in an unsupported way."""
        node = value.context if isinstance(value, LoopEntry) else value
        node = node.of if isinstance(node, ElementOf) else node
        if id(node) not in self._searched:
            self._searched.add(id(node))
            self.given_up.update(id(part) for part in ast.walk(node) if is_text(part))

    def _sql(self, fragments: list[Fragment]) -> Sql | None:
        return Sql(tuple(fragments), self._dialect) if fragments else None


def wraps_sql(module: PythonModule, node: ast.Call) -> bool:
    """Whether it is `text("…")` of SQLAlchemy or `SQL("…")` of psycopg."""
    top, _, name = module.origin(node.func).rpartition(".")
    return name in ("text", "SQL") and top.partition(".")[0] in ("sqlalchemy", "psycopg2", "psycopg")


def _limited(values: Iterator[Sql | None]) -> tuple[Sql | None, ...]:
    found = tuple(islice(values, _MAX_VALUES + 1))
    return found if len(found) <= _MAX_VALUES else (*found[:_MAX_VALUES], None)


_Summand = tuple[ast.expr, PercentArguments | None, FormatArguments | None]


def _summands(module: PythonModule, node: ast.expr, scope: Scope) -> Iterator[_Summand]:
    """Yield the parts of a concatenation, each with the values that `%` and `.format` insert into it."""
    waiting: list[_Summand] = [(node, None, None)]
    while waiting:
        part, percent, braces = waiting.pop()
        match part:
            case ast.BinOp(op=ast.Add()):
                waiting += [(part.right, percent, braces), (part.left, percent, braces)]
            case ast.BinOp(op=ast.Mod()) if module.has_text(part.left):
                waiting.append((part.left, PercentArguments(part.right, scope), braces))
            case ast.Call(func=ast.Attribute(attr="format", value=inner)) if module.has_text(inner):
                waiting.append((inner, percent, FormatArguments(part, scope)))
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
