"""An index of a Python module: its calls, assignments and functions, and positions of nodes."""

from __future__ import annotations

import ast
import re
import time
from bisect import bisect_right
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from review.errors import ReviewTimeout
from review.facts import Span
from review.facts.python import PythonText

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None
"""The function that encloses a node; None for the module itself."""
Loop = ast.For | ast.AsyncFor


@dataclass(frozen=True, slots=True)
class ElementOf:
    """The value of a loop variable: an element of `of`."""

    of: ast.expr


@dataclass(frozen=True, slots=True)
class LoopEntry:
    """The value assigned by `with … as name`."""

    context: ast.expr


Value = ast.expr | ast.AugAssign | ElementOf | LoopEntry


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment of `value` to a name.

    Attributes:
        body: identity of the enclosing statement list: two assignments in the same list run in sequence.
    """

    value: Value
    body: int


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call and its enclosing nodes.

    Attributes:
        loops: the enclosing `for` loops within its function.
    """

    node: ast.Call
    scope: Scope
    loops: tuple[Loop, ...]

    @property
    def name(self) -> str:
        """The last part of the called name: `execute_sql` of `o.execute_sql(…)`; empty without a name."""
        function = self.node.func
        if isinstance(function, ast.Attribute):
            return function.attr
        return function.id if isinstance(function, ast.Name) else ""

    @property
    def receiver(self) -> ast.expr | None:
        """The object that the method is called on; None for a plain function."""
        return self.node.func.value if isinstance(self.node.func, ast.Attribute) else None

    def argument(self, name: str, position: int | None = None) -> ast.expr | None:
        """Return the argument `name`, or the one at `position`; None if neither is passed."""
        for keyword in self.node.keywords:
            if keyword.arg == name:
                return keyword.value
        if position is None or position >= len(self.node.args):
            return None
        found = self.node.args[position]
        return None if any(isinstance(item, ast.Starred) for item in self.node.args) else found


_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


class Lines:
    """Converts positions of nodes to offsets in the code."""

    def __init__(self, code: str) -> None:
        # Lines as Python counts them; `splitlines` would also split at form feeds and other characters.
        self._lines = [line.group() for line in _LINE.finditer(code)]
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        self._ascii = [line.isascii() for line in self._lines]
        self._bytes: dict[int, list[int]] = {}
        """Offsets in bytes of the characters of lines that are not ASCII, by the line's number."""

    def offset(self, line: int, column: int) -> int:
        """Return the offset of the byte `column` (0-based, UTF-8) of the 1-based `line`."""
        if not self._ascii[line - 1]:
            column = bisect_right(self._byte_offsets(line), column) - 1
        return self._starts[line - 1] + column

    def _byte_offsets(self, line: int) -> list[int]:
        known = self._bytes.get(line)
        if known is None:
            lengths = (len(letter.encode("utf-8", "surrogatepass")) for letter in self._lines[line - 1])
            known = self._bytes[line] = list(accumulate(lengths, initial=0))
        return known

    def line_end(self, line: int) -> int:
        """Return the offset of the end of the 1-based `line`, without what separates lines."""
        return self._starts[line - 1] + len(self._lines[line - 1].rstrip("\r\n"))

    def at(self, node: ast.expr | ast.stmt) -> Span:
        """Return the span of `node`."""
        begin = self.offset(node.lineno, node.col_offset)
        if node.end_lineno is None or node.end_col_offset is None:
            return Span(begin, begin + 1)
        return Span(begin, self.offset(node.end_lineno, node.end_col_offset))


@dataclass
class PythonModule:
    """The indexed nodes of a module."""

    tree: ast.Module
    lines: Lines
    calls: list[CallSite] = field(default_factory=list)
    assignments: dict[tuple[Scope, str], list[Assignment]] = field(default_factory=dict)
    functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    """Full dotted names of imported names: `hive` is `pyhive.hive`."""
    attributes: set[str] = field(default_factory=set)
    """Attributes that are assigned somewhere: `lifecycle` of `options.lifecycle = 7`."""
    sliced: set[str] = field(default_factory=set)
    """Names that are subscripted somewhere."""
    kept: dict[int, set[str]] = field(default_factory=dict)
    """Names to which the result of a call is assigned, by the identity of the call's node."""

    enclosing: dict[Scope, Scope] = field(default_factory=dict)
    """The function around each function."""

    _positions: dict[Scope, dict[str, int]] = field(default_factory=dict)
    _arguments: dict[Scope, frozenset[str]] = field(default_factory=dict)

    def assignments_of(self, scope: Scope, name: str) -> list[Assignment]:
        """Return the assignments to `name` that are visible in `scope`; empty if there are none."""
        return self.visible(scope, name)[1]

    def visible(self, scope: Scope, name: str) -> tuple[Scope, list[Assignment]]:
        """Return the assignments to `name` that are visible in `scope`, and the scope that they are in.

        The same list is returned each time, unless it is empty.
        """
        if own := self.assignments.get((scope, name)):
            return scope, own
        return None, self.assignments.get((None, name), [])

    def only_assignment(self, scope: Scope, name: str) -> tuple[Scope, ast.expr | None]:
        """Return the expression that `name` has wherever it is read in `scope`, and the scope that it is in.

        None if it is an argument, or is assigned more than once or in any other way than `name = …`.
        """
        where = self._binding_scope(scope, name)
        settings = self.assignments.get((where, name), [])
        if (
            len(settings) != 1
            or name in self._rebound
            or (where is not None and name in self.arguments(where))
        ):
            return where, None
        value = settings[0].value
        return where, value if isinstance(value, ast.expr) and not isinstance(value, ast.AugAssign) else None

    def may_change(self, scope: Scope, name: str) -> bool:
        """Whether `name` may have different values at different places of `scope`."""
        where = self._binding_scope(scope, name)
        settings = self.assignments.get((where, name), [])
        is_argument = where is not None and name in self.arguments(where)
        return (
            name in self._rebound
            or len(settings) + is_argument > 1
            or any(not isinstance(setting.value, ast.expr) for setting in settings)
        )

    def _binding_scope(self, scope: Scope, name: str) -> Scope:
        """Return the function in which `name` is assigned or an argument; None for the module."""
        while (
            scope is not None and (scope, name) not in self.assignments and name not in self.arguments(scope)
        ):
            scope = self.enclosing.get(scope)
        return scope

    @cached_property
    def _rebound(self) -> Container[str]:
        """The names that are assigned in other ways than by the assignments of the index."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            match node:
                case ast.Name(id="exec"):
                    return _EveryName()
                case ast.Subscript(
                    ctx=ast.Store(), value=ast.Call(func=ast.Name(id="globals" | "locals" | "vars"))
                ):
                    return _EveryName()
                case ast.Name(id=name, ctx=ast.Del()) | ast.Starred(value=ast.Name(id=name), ctx=ast.Store()):
                    found.add(name)
                case ast.Global(names=names) | ast.Nonlocal(names=names):
                    found.update(names)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                case (
                    ast.ExceptHandler(name=str(name))
                    | ast.MatchAs(name=str(name))
                    | ast.MatchStar(name=str(name))
                    | ast.MatchMapping(rest=str(name))
                ):
                    found.add(name)
                case ast.alias(name=name, asname=other):
                    found.add((other or name).partition(".")[0])
                case _:
                    pass
        return found

    def positions(self, scope: Scope) -> dict[str, int]:
        """Return the positions of a function's positional arguments; empty for a module or lambda."""
        if not isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return {}
        if (known := self._positions.get(scope)) is None:
            names = [argument.arg for argument in (*scope.args.posonlyargs, *scope.args.args)]
            known = self._positions[scope] = {name: place for place, name in enumerate(names)}
        return known

    def arguments(self, scope: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> frozenset[str]:
        """Return the names of all arguments of a function, and of functions in its defaults."""
        if (known := self._arguments.get(scope)) is None:
            known = self._arguments[scope] = frozenset(
                item.arg for item in ast.walk(scope.args) if isinstance(item, ast.arg)
            )
        return known

    @cached_property
    def _with_text(self) -> frozenset[int]:
        """Identities of the nodes that are a string, or contain one."""
        parents: list[tuple[ast.AST, int]] = [(self.tree, -1)]
        for index, (node, _) in enumerate(parents):
            parents.extend((child, index) for child in ast.iter_child_nodes(node))
        found: set[int] = set()
        for node, parent in reversed(parents):
            if id(node) in found or is_text(node):
                found.add(id(node))
                if parent >= 0:
                    found.add(id(parents[parent][0]))
        return frozenset(found)

    def has_text(self, node: ast.expr) -> bool:
        """Whether `node` is a string, or contains one."""
        return id(node) in self._with_text

    @cached_property
    def _dotted(self) -> tuple[frozenset[str], int]:
        """Imported names with a dot, and their maximum number of parts."""
        names = frozenset(name for name in self.origins if "." in name)
        return names, max((name.count(".") + 1 for name in names), default=0)

    def called_at(self, call: CallSite) -> Span:
        """Return the span of the called name, without its receiver."""
        span = self.lines.at(call.node.func)
        return Span(span.end - len(call.name), span.end) if call.name else span

    def origin(self, node: ast.expr) -> str:
        """Return the full dotted name of an imported object; empty for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        dotted = ".".join((node.id, *reversed(parts)))
        known = self.origins.get(node.id)
        if known is not None:
            return ".".join((known, *reversed(parts)))
        names, longest = self._dotted
        leading = list(accumulate(dotted.split(".", longest + 1)[:-1], "{}.{}".format))
        return dotted if any(name in names for name in leading) else ""

    def text(self, node: ast.expr | None) -> PythonText | None:
        """Return `node` as a plain string with its span; None if it is not one."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return PythonText(self.lines.at(node), node.value)
        return None


class _EveryName:
    """Contains every name."""

    def __contains__(self, _: object) -> bool:
        return True


def index_module(tree: ast.Module, code: str, deadline: float) -> PythonModule:
    """Return the index of `tree`, the parsed `code`. The tree is traversed without recursion.

    Raises:
        ReviewTimeout: it is later than `deadline`, by `time.monotonic()`.
    """
    module = PythonModule(tree, Lines(code))
    waiting: list[tuple[ast.AST, Scope, tuple[Loop, ...], int]] = [(tree, None, (), 0)]
    while waiting:
        node, scope, loops, body = waiting.pop()
        if isinstance(node, ast.stmt) and time.monotonic() > deadline:
            raise ReviewTimeout
        _index_node(module, node, scope, loops, body)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            module.enclosing[node] = scope
            scope, loops = node, ()
        waiting.extend(
            (child, scope, (*loops, node) if inner and isinstance(node, Loop) else loops, place)
            for child, inner, place in reversed(list(_children(node, body)))
        )
    return module


_LEAVES = (ast.Constant, ast.Name, ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)
"""Nodes that contain nothing to index; most nodes of a tree are of these types."""


def _children(node: ast.AST, body: int) -> Iterator[tuple[ast.AST, bool, int]]:
    """Yield each child, whether it is in the node's body, and the identity of its statement list."""
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            statements = name in ("body", "orelse", "finalbody")
            for item in value:
                if isinstance(item, ast.AST) and not isinstance(item, _LEAVES):
                    yield item, name == "body", id(value) if statements else body
        elif isinstance(value, ast.AST) and not isinstance(value, _LEAVES):
            yield value, False, body


def _index_node(  # noqa: C901 - one case per kind of node
    module: PythonModule, node: ast.AST, scope: Scope, loops: tuple[Loop, ...], body: int
) -> None:
    match node:
        case ast.Call():
            module.calls.append(CallSite(node, scope, loops))
        case ast.Assign():
            for target in node.targets:
                _set(module, scope, target, node.value, body)
        case ast.AnnAssign() | ast.NamedExpr():
            _set(module, scope, node.target, node.value, body)
        case ast.AugAssign():
            _set(module, scope, node.target, node, body)
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            _set(module, scope, node.target, ElementOf(node.iter), body)
        case ast.withitem(optional_vars=ast.expr()):
            _set(module, scope, node.optional_vars, LoopEntry(node.context_expr), body)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            module.functions.setdefault(node.name, []).append(node)
        case ast.Import():
            # `import odps.dbapi` binds only `odps`; the full name is kept because it identifies the driver.
            module.origins.update((alias.asname or alias.name, alias.name) for alias in node.names)
        case ast.ImportFrom(module=str(name), level=0):
            module.origins.update(
                (alias.asname or alias.name, f"{name}.{alias.name}") for alias in node.names
            )
        case ast.Subscript(value=ast.Name(id=name)):
            module.sliced.add(name)
        case _:
            pass


def _set(module: PythonModule, scope: Scope, target: ast.expr | None, value: Value | None, body: int) -> None:
    if value is None:
        return
    if isinstance(target, ast.Name):
        module.assignments.setdefault((scope, target.id), []).append(Assignment(value, body))
        made = value.context if isinstance(value, LoopEntry) else value
        module.kept.setdefault(id(made), set()).add(target.id)
    elif isinstance(target, ast.Attribute):
        module.attributes.add(target.attr)
    elif isinstance(target, (ast.Tuple, ast.List)):
        parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        for index_, part in enumerate(target.elts):
            one: Value = parts[index_] if len(parts) == len(target.elts) else _part(value)
            _set(module, scope, part, one, body)


def is_text(node: ast.AST) -> bool:
    """Whether `node` is a string literal."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _part(value: Value) -> Value:
    # `for i, sql in enumerate(…)`: each name may be any part of an element.
    return ElementOf(value) if isinstance(value, ast.expr) else value
