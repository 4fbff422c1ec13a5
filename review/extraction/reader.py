"""The entry point to the trees: converts a script's code to facts.

There are two steps, `parse_script` and `ParsedScript.script`, so that tables can be looked up in between.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from sqlglot import exp

from review.context import ReviewContext
from review.dialects import Dialect, lexical_rules
from review.errors import NestedTooDeeply, ReviewTimeout
from review.extraction.nested_statements import Parsed, find_in_command, find_nested
from review.extraction.queries import TableVariable
from review.extraction.source_text import SourceText
from review.extraction.statements import ScriptState, UnreadError, client_statement, extract_statement
from review.facts import Comment, Parameter, ReadAs, Script, Span, Statement
from review.parsing.ast_nodes import Assignment
from review.parsing.parse import Unparsed, parse_statement
from review.source.insertions import InsertedText
from review.source.parameter_mask import MaskedText, mask_parameters, parameter_name
from review.source.routine_headers import defines_routine
from review.source.statement_splitter import StatementText, split_script

RUNS_FILE = "it runs the statements of a file"
OUT_OF_TIME = str(ReviewTimeout())


def read_code(code: str, dialect: Dialect, context: ReviewContext = ReviewContext()) -> Script:  # noqa: B008 - frozen
    """Return the facts of `code`. No input text makes this raise."""
    return parse_script(code, dialect).script(context)


def parse_script(code: str, dialect: Dialect, deadline: float | None = None) -> ParsedScript:
    """Parse every statement of `code`.

    Args:
        code: SQL as its author wrote it.
        dialect: the dialect of `code`.
        deadline: when to stop parsing, by `time.monotonic()`; statements left by then are marked unread.
    """
    words = lexical_rules(dialect)
    masked = mask_parameters(code, words)
    cut = split_script(masked.text, words)
    items = tuple(item for piece in cut.pieces for item in _parsed(piece, dialect, deadline))
    return ParsedScript(code, dialect, masked, cut.comments, items, deadline)


def _parsed(piece: StatementText, dialect: Dialect, until: float | None) -> Iterator[Parsed]:
    """Yield a statement, and the statements within it."""
    if piece.client:
        yield piece, Unparsed(RUNS_FILE) if piece.verb == "SOURCE" else None
        yield from find_in_command(piece, dialect)
    elif _require_time(until):
        yield piece, Unparsed(OUT_OF_TIME)
    else:
        tree = parse_statement(piece.text, piece.verb, dialect)
        nested = find_nested(piece, tree, dialect)
        yield piece, tree if nested is None else nested.outer(tree)
        if nested is not None:
            yield from nested.parsed


def _require_time(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline


@dataclass(frozen=True)
class ParsedScript:
    """A parsed script.

    Attributes:
        comments: start and end offset of each.
        items: its statements, each with its tree, or the reason it has none, or None for a client command;
            a statement is followed by those within it.
        written: the values that other code inserts into `code`; None if nothing does.
    """

    code: str
    dialect: Dialect
    masked: MaskedText
    comments: tuple[tuple[int, int], ...]
    items: tuple[Parsed, ...]
    deadline: float | None
    written: InsertedText | None = None

    @cached_property
    def tables(self) -> frozenset[str]:
        """Names of the tables that the script reads, writes or changes, as written; without CTEs."""
        found: set[str] = set()
        for piece, tree in self.items:
            if isinstance(tree, exp.Expr):
                text = SourceText(self.code, piece, self.written)
                ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
                names = (text.name(table) for table in tree.find_all(exp.Table))
                found |= {name for name in names if _NAME.fullmatch(name) and name.lower() not in ctes}
        return frozenset(found)

    def script(self, given: ReviewContext = ReviewContext()) -> Script:  # noqa: B008 - frozen
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

    def _statements(self, given: ReviewContext) -> Iterator[Statement]:
        routine_end = 0
        for (piece, _), made in zip(self.items, self._facts(given), strict=True):
            if piece.start >= routine_end and defines_routine(piece.stripped):
                routine_end = piece.start + len(piece.text)
            yield replace(made, in_routine=True) if piece.start < routine_end else made

    def _facts(self, given: ReviewContext) -> Iterator[Statement]:
        """Yield the facts of each item."""
        knowledge = ScriptState(self.dialect, given, math.inf if self.deadline is None else self.deadline)
        later = self._variables_read()
        for piece, tree in self.items:
            if tree is None:
                yield client_statement(self.code, piece)
            elif isinstance(tree, Unparsed):
                yield _unread_statement(piece, tree.reason, tree.offset)
            elif _require_time(self.deadline):
                yield _unread_statement(piece, OUT_OF_TIME)
            else:
                text = SourceText(self.code, piece, self.written)
                knowledge.unused -= _variables_in(piece)
                name = _bind_variable(tree, text, knowledge)
                variable = knowledge.variables.get(name)
                crowded = variable is not None and len(variable.others) >= _MAX_ALTERNATIVES
                if name in later and not crowded:
                    yield _variable_statement(piece)
                else:
                    yield self._statement(piece, text, tree, knowledge)

    def _statement(
        self, piece: StatementText, text: SourceText, tree: exp.Expr, knowledge: ScriptState
    ) -> Statement:
        try:
            made = extract_statement(piece, text, tree, knowledge)
        except MemoryError:
            raise
        except RecursionError:
            return _unread_statement(piece, str(NestedTooDeeply()))
        except (ReviewTimeout, UnreadError) as error:
            return _unread_statement(piece, str(error))
        except Exception as error:  # noqa: BLE001 - a tree may have any shape; a failure is reported
            return _unread_statement(piece, f"it could not be analyzed ({type(error).__name__})")
        knowledge.learn(made)
        return made

    def _variables_read(self) -> frozenset[str]:
        """Names of the script-mode variables that a statement reads."""
        read: set[str] = set()
        for piece, _ in self.items:
            read |= _variables_in(piece)
        return frozenset(read)

    def _parameters(self) -> Iterator[Parameter]:
        for begin, end in self.masked.spans:
            text = self.code[begin:end]
            yield Parameter(Span(begin, end), parameter_name(text), text)


_NAME = re.compile(r"[\w$.${}\[\]:-]+")
_VARIABLE = re.compile(r"@\w+")
_ASSIGNED = re.compile(r"@\w++[^;@]{0,500}?:=", re.DOTALL)


_MAX_ALTERNATIVES = 20
"""Maximum queries of one name that are read together; further ones are read on their own."""


def _variables_in(piece: StatementText) -> set[str]:
    """Return the names of the script-mode variables that a statement reads."""
    bare = piece.stripped
    return {
        found.group().lower()
        for found in (_VARIABLE.finditer(bare) if "@" in bare else ())
        if not _ASSIGNED.match(bare, found.start())
    }


def _bind_variable(tree: exp.Expr, text: SourceText, knowledge: ScriptState) -> str:
    """Store the query that script mode names (`@v := SELECT …`); return its name, or "" if it names none."""
    rows = tree.args.get("expression") if isinstance(tree, Assignment) else None
    if isinstance(rows, (exp.Query, exp.Table)):
        variable = TableVariable(text, rows)
    elif isinstance(rows, Assignment) and (other := knowledge.variables.get(rows.name.lower())) is not None:
        variable = other  # `@b := @a`
    else:
        return ""
    name = tree.name.lower()
    before = knowledge.variables.get(name)
    if before is not None and name in knowledge.unused:
        variable = replace(variable, others=(*before.others, replace(before, others=()))[:_MAX_ALTERNATIVES])
    knowledge.variables[name] = variable
    knowledge.unused.add(name)
    return name


def _variable_statement(piece: StatementText) -> Statement:
    at = Span(piece.start, piece.start + len(piece.text))
    return Statement(at, piece.verb, piece.stripped, read_as=ReadAs.FACTS)


def _unread_statement(piece: StatementText, reason: str, offset: int | None = None) -> Statement:
    end = piece.start + len(piece.text)
    at = None
    if offset is not None:
        begin = min(piece.start + offset, end)
        at = Span(begin, min(begin + 1, end))
    return Statement(Span(piece.start, end), piece.verb, piece.stripped, reason, at)
