"""Reads a Python node: its syntax tree as facts, and its SQL."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from review.errors import PYTHON_2_REVIEWED, ReviewTimeout
from review.facts import Comment, Span, Statement
from review.facts.python import PythonFacts
from review.languages.embedded import Sql
from review.languages.python import python2, python_sql, python_tables
from review.languages.python.loose_sql import find_loose_sql
from review.languages.python.python_module import index_module
from review.languages.python.started_clients import find_started_clients

_MAX_LENGTH = 1 << 19
"""Maximum characters of a module that is read; DataWorks' own limit is far lower."""


@dataclass(frozen=True, slots=True)
class PythonNode:
    """The facts of a Python node."""

    facts: PythonFacts = field(default_factory=PythonFacts)
    literals: tuple[Sql, ...] = ()
    unread: tuple[Statement, ...] = ()
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class _SyntaxProblem:
    reason: str
    at: Span | None = None


def read_python(code: str, deadline: float) -> PythonNode:
    """Return the facts of the module `code`; syntax errors and modules too large or too deep are reported."""
    code = f"\n{code[1:]}" if code.startswith("\ufeff") else code
    read_as = code
    unread: tuple[Statement, ...] = ()
    tree = _parsed(code)
    if isinstance(tree, _SyntaxProblem) and python2.is_python2(code):
        unread = (_unread(code, _SyntaxProblem(PYTHON_2_REVIEWED, tree.at)),)
        read_as = python2.convert(code)
        tree = _parsed(read_as)
        if isinstance(tree, _SyntaxProblem):
            tree = _SyntaxProblem("it is Python 2, which cannot be parsed", tree.at)
            unread = ()
    if isinstance(tree, _SyntaxProblem):
        return PythonNode(unread=(_unread(code, tree),), comments=tuple(_comments(code)))
    try:
        module = index_module(tree, read_as, deadline)
    except ReviewTimeout as error:
        return PythonNode(unread=(_unread(code, _SyntaxProblem(str(error))),))
    found = python_sql.find_sql(module, code)
    queries = (*found.queries, *find_started_clients(module))
    facts = PythonFacts(
        tuple(python_tables.find_logins(module)),
        (*queries, *find_loose_sql(module, found.traced, queries)),
        tuple(python_tables.find_accesses(module)),
    )
    return PythonNode(facts, found.literals, unread, tuple(_comments(code)))


def is_python3(code: str) -> bool:
    """Whether `code` parses as Python 3."""
    return isinstance(_parsed(code), ast.Module)


def _parsed(code: str) -> ast.Module | _SyntaxProblem:
    if len(code) > _MAX_LENGTH:
        return _SyntaxProblem("it is too long")
    try:
        with warnings.catch_warnings():
            # Python warns of invalid escapes in the node's code, which does not concern this process.
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except SyntaxError as error:
        return _SyntaxProblem("its syntax is not understood", _place(code, error))
    except (RecursionError, MemoryError):  # the latter is how the parser reports the depth of its stack
        return _SyntaxProblem("it is nested too deeply")
    except (ValueError, UnicodeError):
        return _SyntaxProblem("it contains invalid characters")


def _place(code: str, error: SyntaxError) -> Span | None:
    if error.lineno is None:
        return None
    lines = code.split("\n")
    line = min(max(error.lineno, 1), len(lines))
    column = min(max((error.offset or 1) - 1, 0), len(lines[line - 1]))
    begin = sum(len(text) + 1 for text in lines[: line - 1]) + column
    return Span(begin, min(begin + 1, len(code)))


def _unread(code: str, failure: _SyntaxProblem) -> Statement:
    return Statement(Span(0, len(code)), unread=failure.reason, unread_at=failure.at)


_COMMENT = re.compile(
    r"[rRbBuUfF]{0,2}(?:'''.*?(?:'''|\Z)|\"\"\".*?(?:\"\"\"|\Z)|'(?:[^'\\\n]|\\.)*+'?|\"(?:[^\"\\\n]|\\.)*+\"?)"
    r"|(?P<comment>\#[^\r\n]*)",
    re.DOTALL,
)
"""A comment; strings are matched first, so that a `#` in them is skipped. An open one ends with its line."""


def _comments(code: str) -> Iterator[Comment]:
    """Yield its comments, excluding `#` in strings."""
    for match in _COMMENT.finditer(code):
        if match["comment"]:
            yield Comment(Span(*match.span()), match.group())
