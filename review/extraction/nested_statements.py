"""Finds the statements within a statement: in routines, compound statements and strings of SQL."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from sqlglot import exp

from review.builtin_functions import BUILT_IN
from review.dialects import Dialect, LexicalRules, lexical_rules
from review.errors import NestedTooDeeply
from review.parsing.ast_nodes import AlterTable, Compound, Condition, Definition, Routine
from review.parsing.parse import MAX_LENGTH, Unparsed, parse_statement
from review.source.carried_sql import is_named_for_text
from review.source.compound_splitter import CARRIERS, InnerStatement, find_body, split_compound
from review.source.routine_headers import defines_routine
from review.source.statement_splitter import StatementText, blank_strings, split_script

Parsed = tuple[StatementText, exp.Expr | Unparsed | None]
"""A statement with its tree, the reason it has none, or None for a client command."""

BUILT_AT_RUN_TIME = "its SQL is built at run time"
_TOO_LONG = "it is too long"
INCOMPLETE = "a part of it could not be parsed"

_MAX_DEPTH = 5
"""Maximum statements in statements in statements."""
_MAX_CONDITIONS = 200
"""Maximum conditions in conditions: `IF a IF b SELECT 1`."""
_MAX_INNER = 2_000
"""Maximum statements within one statement."""


@dataclass(frozen=True, slots=True)
class NestedStatements:
    """The statements within a statement.

    Attributes:
        parsed: those that could be parsed.
        reason: why the outer statement is not read as a whole; None if it is.
        is_added: whether the outer statement has effects besides those of `parsed`.
    """

    parsed: tuple[Parsed, ...] = ()
    reason: str | None = None
    is_added: bool = False

    def outer(self, tree: exp.Expr | Unparsed) -> exp.Expr | Unparsed:
        """Return the tree of the outer statement without the statements within it."""
        if self.reason is not None:
            return Unparsed(self.reason)
        if self.is_added:
            return tree
        if isinstance(tree, exp.Create):
            if str(tree.args.get("kind")).upper() not in _ROUTINES:
                return Compound()  # the parser took it for the table of a statement in it
            tree.set("expression", None)
            return tree
        if isinstance(tree, exp.Command):
            return Compound() if tree.name.upper() in CARRIERS else tree
        is_altered = isinstance(tree, AlterTable) and str(tree.args.get("kind")).upper() not in _ROUTINES
        return tree if is_altered or isinstance(tree, Condition) else Compound()


def find_nested(piece: StatementText, tree: exp.Expr | Unparsed, dialect: Dialect) -> NestedStatements | None:
    """Return the statements within a statement; None if it cannot contain any, or is too long to read."""
    if len(piece.text) > MAX_LENGTH:
        return None
    return _Nested(dialect, lexical_rules(dialect)).find(piece, tree, 0)


def find_in_command(piece: StatementText, dialect: Dialect) -> Iterator[Parsed]:
    """Yield the queries of a client command `SET v = (SELECT …)`, or the command itself as unread.

    In T-SQL, also the statements that follow a command without a semicolon.
    """
    words = lexical_rules(dialect)
    is_followed = words.separator == "GO" and "\n" in piece.text
    if is_followed or (piece.verb == "SET" and _SUBQUERY.search(piece.stripped)):
        nested = _Nested(dialect, words).of_body(piece, 0)
        yield from nested.parsed
        if nested.reason is not None:
            yield piece, Unparsed(nested.reason)


_SUBQUERY = re.compile(r"\(\s*(?:select|with)\b", re.IGNORECASE)


class _Nested:
    def __init__(self, dialect: Dialect, words: LexicalRules) -> None:
        self._dialect, self._words = dialect, words

    def find(self, piece: StatementText, tree: exp.Expr | Unparsed, depth: int) -> NestedStatements | None:
        """Return the statements within `piece`; None if it cannot contain any."""
        if isinstance(tree, Condition):
            return _of_condition(piece, tree)
        if (carried := self._carried(piece, tree, depth)) is not None:
            return carried
        if isinstance(tree, _SKIPPING) and _SELECT.search(piece.stripped) and not tree.find(exp.Query):
            return self._body(piece, depth) or self.of_body(piece, len(piece.verb), depth)
        is_routine = isinstance(tree, _ROUTINE_TREES) and defines_routine(piece.stripped)
        if _is_whole(tree) and not is_routine:
            # The parser may take a verb on a line of its own for an alias.
            return self._sequence(piece, depth) if "\n" in piece.text else None
        nested = self._body(piece, depth) or self._sequence(piece, depth)
        if nested is None and is_routine and _PASSED_SQL.search(piece.text):
            return NestedStatements(reason=INCOMPLETE)  # a body in a string, in a dialect that has none
        return nested

    def _carried(
        self, piece: StatementText, tree: exp.Expr | Unparsed, depth: int
    ) -> NestedStatements | None:
        """Return the statements in strings, and those of T-SQL that follow a call; None without any.

        A prepared statement is read where it is prepared: none is found where it runs.
        """
        leads = isinstance(tree, exp.Query) or _LEADING.match(piece.stripped)
        if leads and "\n" in piece.text and (sequence := self._sequence(piece, depth)) is not None:
            return sequence
        strings = self._strings(piece, depth)
        if strings is None and isinstance(tree, Unparsed) and self._runs_prepared(piece, depth):
            return NestedStatements()
        return self._passed_in_query(piece, tree, depth) if strings is None else strings

    def _body(self, piece: StatementText, depth: int) -> NestedStatements | None:
        begin = find_body(piece.stripped, self._words)
        if begin is None:
            return None
        nested = self.of_body(piece, begin, depth)
        if piece.verb in CARRIERS and not nested.parsed and nested.reason is None:
            return NestedStatements(reason=BUILT_AT_RUN_TIME if piece.verb == "PREPARE" else INCOMPLETE)
        return nested

    def _sequence(self, piece: StatementText, depth: int) -> NestedStatements | None:
        """Return the statements of T-SQL that follow each other without a semicolon; None if there is one."""
        if self._words.separator != "GO":
            return None
        spans = list(split_compound(piece.stripped, 0, self._words))
        several = len(spans) > 1 or (spans and piece.stripped[: spans[0].begin].strip())
        return self._read([self._cut(piece, *span) for span in spans], depth) if several else None

    def of_body(self, piece: StatementText, begin: int, depth: int = 0) -> NestedStatements:
        """Return the statements in the body that begins at an offset of `piece`."""
        spans = list(split_compound(piece.stripped, begin, self._words))
        pieces = [self._cut(piece, *span) for span in spans]
        return self._read([*pieces, *self._passed_in_body(piece, begin, spans)], depth)

    def _passed_in_query(
        self, piece: StatementText, tree: exp.Expr | Unparsed, depth: int
    ) -> NestedStatements | None:
        """Return the statements that a query passes to functions of the author; None without any."""
        if not isinstance(tree, exp.Query) or not _PASSED_SQL.search(piece.text):
            return None
        names = {call.name.lower() for call in tree.find_all(exp.Anonymous)}
        found = [
            each
            for name, match in self._passed(piece)
            if name.rpartition(".")[2] in names
            for each in self._of_match(piece, match)
        ]
        return replace(self._read(found, depth), is_added=True) if found else None

    def _passed_in_body(
        self, piece: StatementText, begin: int, spans: list[InnerStatement]
    ) -> Iterator[StatementText]:
        """Yield the statements that the control flow of a body passes to routines: `run('DROP TABLE t');`."""
        if not _PASSED_SQL.search(piece.text):
            return
        ends = [span.end for span in spans]
        for name, match in self._passed(piece):
            index = bisect_right(ends, match.start())
            is_within = index < len(spans) and spans[index].begin <= match.start()
            if match.start() >= begin and not is_within and name and name not in BUILT_IN:
                yield from self._of_match(piece, match)

    def _passed(self, piece: StatementText) -> Iterator[tuple[str, re.Match[str]]]:
        """Yield the strings that are SQL, each with the name of the function that they are an argument of."""
        for match in _strings(self._words).finditer(piece.text):
            if _SQL_TEXT.match(match[str(match.lastgroup)]):
                name = _called_with(piece.stripped, match.start())
                if not is_named_for_text(name):
                    yield name, match

    def _of_match(self, piece: StatementText, match: re.Match[str]) -> Iterator[StatementText]:
        group = str(match.lastgroup)
        return self._of_string(_unescape(match[group], group), piece.start + match.start(group))

    def _read(self, pieces: list[StatementText], depth: int) -> NestedStatements:
        if len(pieces) > _MAX_INNER or depth > _MAX_DEPTH:
            return NestedStatements(reason=_TOO_LONG if depth <= _MAX_DEPTH else str(NestedTooDeeply()))
        parsed: list[Parsed] = []
        reason: str | None = None
        for piece in pieces:
            if piece.client:
                parsed.append((piece, None))
                continue
            tree = parse_statement(piece.text, piece.verb, self._dialect)
            nested = self.find(piece, tree, depth + 1)
            if nested is not None:
                parsed += nested.parsed
                reason = reason or nested.reason
            if not isinstance(tree, Unparsed):
                parsed.append((piece, tree))
            elif nested is None:
                reason = INCOMPLETE
        return NestedStatements(tuple(sorted(parsed, key=lambda item: item[0].start)), reason)

    def _cut(self, piece: StatementText, begin: int, end: int) -> StatementText:
        """Return a part of a statement as a statement; variables that take its results are blanked."""
        text, bare = piece.text[begin:end].rstrip(), piece.stripped[begin:end]
        bare = bare[: len(text)]
        if not self._words.bracket_name:
            for match in _TARGETS.finditer(bare):
                if match["before"] is not None or (_QUERY.match(bare) and not _INSERT.search(bare)):
                    first, last = match.span("into")
                    blank = " " * (last - first)
                    text = text[:first] + blank + text[last:]
                    bare = bare[:first] + blank + bare[last:]
        if _PERFORM.match(bare):
            text, bare = f"SELECT {text[7:]}", f"SELECT {bare[7:]}"
        return StatementText(piece.start + begin, text, bare, client=False)

    def _runs_prepared(self, piece: StatementText, depth: int) -> bool:
        """Whether it runs or drops a prepared statement, which is read where it is prepared.

        Within a function of Postgres, EXECUTE runs the text in a variable.
        """
        return (depth == 0 or not self._words.dollar_string) and _EXECUTED.match(piece.stripped) is not None

    def _strings(self, piece: StatementText, depth: int) -> NestedStatements | None:
        """Return the statements in the strings of a statement; None if its strings contain no SQL."""
        bare = piece.stripped
        if self._words.dollar_string and _STRING_BODY.match(bare):
            language = _LANGUAGE.search(bare)
            if language is not None and language["name"].lower() not in ("sql", "plpgsql"):
                return None
            return self._read(self._in_strings(piece, is_sql_only=False), depth)
        if _DYNAMIC.match(bare) or (depth and self._words.dollar_string and _EXECUTE.match(bare)):
            found = self._in_strings(piece, is_sql_only=False) if _LITERAL.match(bare) else []
            return self._read(found, depth) if found else NestedStatements(reason=BUILT_AT_RUN_TIME)
        if _CALL.match(bare) and (found := self._in_strings(piece, is_sql_only=True)):
            if bare[:4].upper() == "EXEC" and not _LITERAL.match(bare):
                return NestedStatements(reason=BUILT_AT_RUN_TIME)
            nested = self._read(found, depth)
            return _into_table(piece.text, nested) if _OVERWRITE.match(bare) else nested
        return None

    def _in_strings(self, piece: StatementText, *, is_sql_only: bool) -> list[StatementText]:
        found: list[StatementText] = []
        for match in _strings(self._words).finditer(piece.text):
            group = str(match.lastgroup)
            inner = match[group]
            if is_sql_only and _SQL_TEXT.match(inner) is None:
                continue
            found += self._of_match(piece, match)
            if not is_sql_only:
                break
        return found

    def _of_string(self, inner: str, start: int) -> Iterator[StatementText]:
        bare = blank_strings(inner, self._words)
        if _BLOCK.match(bare):
            piece = StatementText(start, inner, bare, client=False)
            yield from (self._cut(piece, *span) for span in split_compound(bare, 0, self._words))
            return
        for piece in split_script(inner, self._words).pieces:
            yield replace(piece, start=piece.start + start)


def _called_with(bare: str, at: int) -> str:
    """Return the name, in lower case, of the function with an argument at an offset; empty without one."""
    depth = 0
    for index in range(at - 1, max(at - _MAX_ARGUMENTS, 0) - 1, -1):
        letter = bare[index]
        if letter == ";":
            break
        depth += (letter == ")") - (letter == "(")
        if depth < 0:
            name = _NAME_BEFORE.search(bare, max(index - _MAX_NAME, 0), index)
            return name.group().lower() if name else ""
    return ""


_MAX_ARGUMENTS = 2_000
"""Maximum characters between the parenthesis of a call and the string in it."""
_MAX_NAME = 100
_NAME_BEFORE = re.compile(r"(?<![\w.$])[\w.$]++\Z")


def _of_condition(piece: StatementText, condition: Condition) -> NestedStatements:
    bodies = list(_detached_bodies(condition))
    if len(bodies) > _MAX_CONDITIONS:
        return NestedStatements(reason=str(NestedTooDeeply()))
    return NestedStatements(tuple((piece, body) for body in bodies))


def _detached_bodies(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield what follows an IF or LOOP without BEGIN: one statement, which may be a condition itself.

    None is left within another, whose reading would go through all of them.
    """
    body = condition.args.get("body")
    while isinstance(body, exp.Expr):
        condition.set("body", None)
        yield body
        condition, body = body, body.args.get("body") if isinstance(body, Condition) else None


def _into_table(text: str, nested: NestedStatements) -> NestedStatements:
    """Return the query of `CALL hg_insert_overwrite('t', 'SELECT …')` as an overwrite of the table.

    Source: page "INSERT OVERWRITE" of Hologres.
    """
    target = _TABLE_NAME.search(text)
    if target is None:
        return nested
    parts = [exp.to_identifier(part.strip('"')) for part in target["name"].split(".")]
    tables = exp.Table(**dict(zip(("this", "db", "catalog"), reversed(parts), strict=False)))
    return replace(
        nested,
        parsed=tuple(
            (
                piece,
                exp.Insert(this=tables.copy(), expression=tree, overwrite=True)
                if isinstance(tree, exp.Query)
                else tree,
            )
            for piece, tree in nested.parsed
        ),
    )


_OVERWRITE = re.compile(r"call\s+(?:\w+\.)?hg_insert_overwrite\s*\(", re.IGNORECASE)
_TABLE_NAME = re.compile(r"\(\s*'(?P<name>[\w\".]{1,200})'")


def _is_whole(tree: exp.Expr | Unparsed) -> bool:
    """Whether a tree has all of a statement: nothing within it must be read from its text."""
    if isinstance(tree, Routine):
        return tree.args.get("body") is not None
    if isinstance(tree, (Unparsed, Definition, exp.IfBlock, exp.WhileBlock, exp.Block)):
        return False
    if isinstance(tree, exp.Command):
        return tree.name.upper() not in CARRIERS
    return not (isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() in _ROUTINES)


_ROUTINE_TREES = (exp.Create, exp.Command, AlterTable)
_SKIPPING = (AlterTable, Definition, exp.Command)
"""Trees of which the parser skips parts, such as `MODIFY QUERY SELECT …`."""
_SELECT = re.compile(r"\bselect\b", re.IGNORECASE)
_ROUTINES = frozenset({"PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "PACKAGE", "EVENT"})
_PERFORM = re.compile(r"perform\b", re.IGNORECASE)
_QUERY = re.compile(r"(?:select|with)\b", re.IGNORECASE)
_INSERT = re.compile(r"\binsert\b", re.IGNORECASE)
_TARGETS = re.compile(
    r"(?P<before>\breturning\b[^;()]{0,500}?)?\b(?P<into>(?:bulk\s+collect\s+)?into\s+(?:strict\s+)?[@\w.:]+(?:\s*,\s*[@\w.:]+)*)",
    re.IGNORECASE,
)
"""`INTO v, w`: the variables of a routine that take the values of a query."""
_STRING_BODY = re.compile(
    r"(?:do\b|create\s+(?:or\s+replace\s+)?(?:function|procedure)\b[^;]*?\bas\s+(?=[$']))", re.IGNORECASE
)
_LANGUAGE = re.compile(r"\blanguage\s+'?(?P<name>\w+)", re.IGNORECASE)
_CALL = re.compile(r"(?:call|exec|execute|prepare|unload)\b", re.IGNORECASE)
_LEADING = re.compile(r"(?:call|exec|execute|deallocate|print)\b", re.IGNORECASE)
"""Statements of T-SQL of which the parser, or a pattern here, knows only the beginning."""
_DYNAMIC = re.compile(
    r"(?:execute\s+immediate\b|exec(?:ute)?\s*\(|exec(?:ute)?\s+(?:sys\.)?sp_executesql\b)", re.IGNORECASE
)
"""Statements that run SQL from an expression."""
_EXECUTE = re.compile(r"execute\b", re.IGNORECASE)
_LITERAL = re.compile(
    r"exec(?:ute)?\s*+(?:immediate\b|(?:sys\.)?sp_executesql\b|\()?\s*+(?:[nN]?(?:'[^']*')++|\"[^\"]*\"|\$[^$]*\$)\s*"
    r"(?:[,;)]|using\b|into\b|\Z)",
    re.IGNORECASE,
)
"""Statements that run the SQL of one literal."""
_EXECUTED = re.compile(
    r"(?:execute\s+(?!immediate\b)\w+\s*(?:\(|using\b|\Z)|deallocate\s+(?:prepare\s+)?\S+\s*\Z)",
    re.IGNORECASE,
)
_SQL_TEXT = re.compile(
    r"\s*(?:select|with|insert|update|delete|merge|replace|truncate|create|alter|drop|call|begin|declare)\s",
    re.IGNORECASE,
)
_PASSED_SQL = re.compile(
    r"['$\"]\s*(?:select|with|insert|update|delete|merge|replace|truncate|create|alter|drop|call|begin|declare)\s",
    re.IGNORECASE,
)
"""The start of a string that may be SQL."""
_BLOCK = re.compile(r"\s*(?:<<\w+>>\s*)?(?:declare|begin)\b", re.IGNORECASE)


@cache
def _strings(words: LexicalRules) -> re.Pattern[str]:
    """Return the pattern of a string; its group is its content."""
    inside = r"(?:[^'\\]|\\.?|'')*+" if words.backslash else r"(?:[^']|'')*+"
    # An unclosed string goes to the end, so that the rest is not searched again for each quote in it.
    parts = [rf"'(?P<plain>{inside})(?:'|\Z)"]
    if words.double_string:
        within = inside.replace("'", '"')
        parts.append(rf'"(?P<double>{within})(?:"|\Z)')
    if words.dollar_string:
        parts.append(r"\$(?P<tag>\w*)\$(?P<dollar>.*?)(?:\$(?P=tag)\$|\Z)")
    return re.compile("|".join(parts), re.DOTALL)


def _unescape(text: str, group: str) -> str:
    """Return the content of a string with its own quotes as such, at the same offsets."""
    mark = {"plain": "'", "double": '"'}.get(group)
    if mark is None:
        return text
    # Of four quotes, two stay side by side: they are one in a string within the string.
    single = re.sub(f"(?:{mark}{mark})++", lambda run: run[0][::2].rjust(len(run[0])), text)
    return single.replace(f"\\{mark}", f" {mark}")
