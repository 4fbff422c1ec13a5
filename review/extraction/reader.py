"""The entry point to the trees: converts a script's code to facts.

There are two steps, `parse_all` and `Parsed.script`, so that table metadata can be looked up in between.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from review.context import Given
from review.dialects import Dialect, lexis
from review.errors import NestedTooDeeply, ReviewTimeout
from review.extraction.queries import Variable
from review.extraction.source_text import Written
from review.extraction.statements import Knowledge, client, statement
from review.facts import Comment, Parameter, Script, Span, Statement
from review.parsing.ast_nodes import Assignment
from review.parsing.parse import Unread, parse
from review.source.parameter_mask import Masked, mask
from review.source.parameter_mask import name as parameter_name
from review.source.statement_splitter import Piece, split

OUT_OF_TIME = str(ReviewTimeout())


def read(code: str, dialect: Dialect, given: Given = Given()) -> Script:  # noqa: B008 - frozen
    """Return the facts of `code`. No input text makes this raise."""
    return parse_all(code, dialect).script(given)


def parse_all(code: str, dialect: Dialect, until: float | None = None) -> Parsed:
    """Parse every statement of `code`.

    Args:
        code: SQL as its author wrote it.
        dialect: the dialect of `code`.
        until: when to stop parsing, by `time.monotonic()`; statements not yet parsed then are marked unread.
    """
    words = lexis(dialect)
    masked = mask(code, words)
    cut = split(masked.text, words)
    items = tuple(_parsed(piece, dialect, until) for piece in cut.pieces)
    return Parsed(code, dialect, masked, cut.comments, items, until)


def _parsed(piece: Piece, dialect: Dialect, until: float | None) -> tuple[Piece, exp.Expr | Unread | None]:
    if piece.client:
        return piece, None
    if _late(until):
        return piece, Unread(OUT_OF_TIME)
    return piece, parse(piece.text, piece.verb, dialect)


def _late(until: float | None) -> bool:
    return until is not None and time.monotonic() > until


@dataclass(frozen=True)
class Parsed:
    """A parsed script.

    Attributes:
        comments: start and end offset of each.
        items: its statements, each with its tree, or the reason it has none, or None for a client command.
    """

    code: str
    dialect: Dialect
    masked: Masked
    comments: tuple[tuple[int, int], ...]
    items: tuple[tuple[Piece, exp.Expr | Unread | None], ...]
    until: float | None

    @cached_property
    def tables(self) -> frozenset[str]:
        """Names of the tables that the script reads, writes or changes, as written; without CTEs."""
        found: set[str] = set()
        for piece, tree in self.items:
            if isinstance(tree, exp.Expr):
                text = Written(self.code, piece)
                ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
                names = (text.name(table) for table in tree.find_all(exp.Table))
                found |= {name for name in names if _NAME.fullmatch(name) and name.lower() not in ctes}
        return frozenset(found)

    def script(self, given: Given = Given()) -> Script:  # noqa: B008 - frozen
        """Return the script's facts.

        Args:
            given: known facts about the node and its tables.
        """
        return Script(
            self.code,
            self.dialect,
            given,
            tuple(self._statements(given)),
            tuple(self._parameters()),
            tuple(Comment(Span(*at), self.code[at[0] : at[1]]) for at in self.comments),
        )

    def _statements(self, given: Given) -> Iterator[Statement]:
        knowledge = Knowledge(self.dialect, given, math.inf if self.until is None else self.until)
        later = self._variables_read()
        for piece, tree in self.items:
            if tree is None:
                yield client(self.code, piece)
            elif isinstance(tree, Unread):
                yield _unread(piece, tree.why, tree.offset)
            elif _late(self.until):
                yield _unread(piece, OUT_OF_TIME)
            else:
                text = Written(self.code, piece)
                if _named(tree, text, knowledge) in later:
                    yield _plain(piece)
                else:
                    yield self._statement(piece, text, tree, knowledge)

    def _statement(self, piece: Piece, text: Written, tree: exp.Expr, knowledge: Knowledge) -> Statement:
        try:
            made = statement(piece, text, tree, knowledge)
        except RecursionError:
            return _unread(piece, str(NestedTooDeeply()))
        except ReviewTimeout as error:
            return _unread(piece, str(error))
        except Exception as error:  # noqa: BLE001 - a tree may have any shape; a failure is reported
            return _unread(piece, f"it could not be analyzed ({type(error).__name__})")
        knowledge.learn(made)
        return made

    def _variables_read(self) -> frozenset[str]:
        """Names of the script-mode variables that a statement reads."""
        read: set[str] = set()
        for piece, _ in self.items:
            if "@" in piece.bare:
                begin = match.end() if (match := _ASSIGNED.match(piece.bare)) else 0
                read |= {found.group().lower() for found in _VARIABLE.finditer(piece.bare, begin)}
        return frozenset(read)

    def _parameters(self) -> Iterator[Parameter]:
        for begin, end in self.masked.spans:
            text = self.code[begin:end]
            yield Parameter(Span(begin, end), parameter_name(text), text)


_NAME = re.compile(r"[\w$.${}\[\]:-]+")
_VARIABLE = re.compile(r"@\w+")
_ASSIGNED = re.compile(r"@\w+[^;]*?:=", re.DOTALL)


def _named(tree: exp.Expr, text: Written, knowledge: Knowledge) -> str:
    """Store the query that script mode names (`@v := SELECT …`); return its name, or "" if it names none."""
    rows = tree.args.get("expression") if isinstance(tree, Assignment) else None
    if isinstance(rows, (exp.Query, exp.Table)):
        variable = Variable(text, rows)
    elif isinstance(rows, Assignment) and (other := knowledge.variables.get(rows.name.lower())) is not None:
        variable = other  # `@b := @a`
    else:
        return ""
    knowledge.variables[tree.name.lower()] = variable
    return tree.name.lower()


def _plain(piece: Piece) -> Statement:
    return Statement(Span(piece.start, piece.start + len(piece.text)), piece.verb, piece.bare)


def _unread(piece: Piece, why: str, offset: int | None = None) -> Statement:
    end = piece.start + len(piece.text)
    at = None
    if offset is not None:
        begin = min(piece.start + offset, end)
        at = Span(begin, min(begin + 1, end))
    return Statement(Span(piece.start, end), piece.verb, piece.bare, why, at)
