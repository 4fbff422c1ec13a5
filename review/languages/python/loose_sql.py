"""Finds the SQL in a Python module that no known function runs: it may be run all the same."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import islice

from review.facts import Span
from review.facts.queries import EmbeddedQuery
from review.languages.python.python_module import PythonModule, is_text
from review.source.carried_sql import is_named_for_text, starts_statement

_MAX_NODES = 2000
"""Maximum nodes of one expression whose text is put together."""
_OF_TEXT = frozenset(
    {
        *(
            "startswith",
            "endswith",
            "find",
            "rfind",
            "index",
            "count",
            "match",
            "search",
            "fullmatch",
            "sub",
            "subn",
        ),
        *("findall", "finditer", "compile", "getenv", "add_argument", "input", "write", "writelines", "warn"),
    }
)
"""Functions that compare or store their arguments as text."""


def find_loose_sql(
    module: PythonModule, claimed: frozenset[int], reported: Iterable[EmbeddedQuery]
) -> Iterator[EmbeddedQuery]:
    """Yield the texts that have SQL, and that no query of the module is known to run.

    Args:
        module: the module.
        claimed: identities of the nodes that were traced from a call that runs them.
        reported: the queries that are reported as unread; a text in their calls is not reported again.
    """
    unread = {query.at for query in reported if query.unread}
    calls = (call for call in module.calls if module.called_at(call) in unread)
    spans = [module.lines.at(call.node) for call in calls]
    waiting: list[tuple[ast.AST, str]] = [(module.tree, "")]
    while waiting:
        node, call = waiting.pop()
        if isinstance(node, ast.expr) and (is_text(node) or isinstance(node, ast.BinOp)):
            operands = list(_operands(node))
            parts = [part for part in operands if is_text(part)]
            if claimed.isdisjoint(map(id, parts)) and starts_statement("".join(map(_value, parts))):
                at = module.lines.at(node)
                if not any(span.begin <= at.begin and at.end <= span.end for span in spans):
                    yield EmbeddedQuery(Span(at.begin, _line_end(module, node, at)), call, unread=True)
            elif isinstance(node, ast.BinOp):
                waiting += [(operand, call) for operand in reversed(operands)]
            continue
        waiting += reversed(list(_inside(node, call)))


def _inside(node: ast.AST, call: str) -> Iterator[tuple[ast.AST, str]]:
    """Yield what may carry SQL within `node`, each with the name of the function that it is an argument of.

    Docstrings, messages and texts that are compared with others carry none.
    """
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    match node:
        case ast.Raise():
            return
        case ast.Expr() if is_text(node.value):
            return
        case ast.Assert():
            children = (node.test,)
        case ast.Compare():
            children = (child for child in children if not is_text(child))
        case ast.Call():
            call = _name(node.func)
            if call in _OF_TEXT or (call and is_named_for_text(call)):
                children = (child for child in _given(node) if not is_text(child))
        case ast.stmt():
            call = ""
        case _:
            pass
    for child in children:
        yield child, call


def _given(node: ast.Call) -> Iterator[ast.AST]:
    """Yield the receiver and the arguments of a call."""
    yield node.func
    yield from node.args
    yield from (keyword.value for keyword in node.keywords)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the parts of a concatenation in text order; `node` itself if it is none."""
    waiting = [node]
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        part = waiting.pop()
        if isinstance(part, ast.BinOp):
            waiting += [part.right, part.left]
        else:
            yield part
    yield from waiting


def _value(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    values = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "{}" for part in islice(values, _MAX_NODES)
    )


def _line_end(module: PythonModule, node: ast.expr, at: Span) -> int:
    """Return the end of the part of `node` that is on its first line."""
    if node.end_lineno is None or node.end_lineno == node.lineno:
        return at.end
    return min(at.end, module.lines.line_end(node.lineno))
