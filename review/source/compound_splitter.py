"""Splits the body of a routine, or a compound statement, into the SQL statements within it.

The procedural languages (PL/SQL, PL/pgSQL, T-SQL, stored programs of MySQL) have no grammar here. Their
words only say where SQL statements begin and end; everything else in a body is control flow, which changes
no rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from review.dialects import LexicalRules
from review.source.routine_headers import match_header

_VERBS = frozenset(
    {
        "SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "TRUNCATE", "CREATE", "ALTER",
        "DROP", "CALL", "EXECUTE", "EXEC", "PERFORM", "PREPARE", "LOAD", "COPY", "RENAME", "GRANT", "REVOKE",
        "LOCK", "UPSERT", "UNLOAD", "EXCHANGE", "PURGE", "IMPORT", "BULK",
    }
)  # fmt: skip
"""First words of the statements that are read as SQL."""
_STRUCTURE = frozenset(
    {"BEGIN", "ELSE", "DO", "LOOP", "REPEAT", "TRY", "CATCH", "ATOMIC", "EXCEPTION", "THEN"}
)
"""Words after which a statement begins."""
_CONTROL_ENDS = frozenset({"THEN", "LOOP", "DO", "BEGIN", "REPEAT"})
"""Words that end the head of control flow (`IF x THEN`, `FOR r IN q LOOP`), outside parentheses."""
_MAIN_VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"})
"""Verbs of the statement that follows the CTEs of a WITH."""
_CONTINUING = {
    "WITH": _MAIN_VERBS,
    "INSERT": frozenset({"SELECT", "EXEC", "EXECUTE"}),
    "UPDATE": frozenset({"SET"}),
    "MERGE": _VERBS | {"SET"},  # it must end with a semicolon
}
"""T-SQL: verbs on a new line that continue a statement, by its verb."""
_COMPLETE = "SELECT"
"""T-SQL: the verb of a statement that no other verb continues."""
_JOINING = frozenset(
    {
        "ROWS", "ROW", "UNION", "ALL", "EXCEPT", "INTERSECT", "AS", "FOR", "INTO", "ON", "THEN", "ELSE", "BY",
        "OR", "AND", "NOT", "IN", "LIKE", "WHERE", "WHEN", "HAVING", "FROM", "JOIN", "SELECT", "DISTINCT",
    }
)  # fmt: skip
"""T-SQL: words that the next word belongs to, even on a new line."""
_CONTINUED = re.compile(r"[,=+\-*/%<>|&(.]\s*\Z")
"""T-SQL: text after which an expression continues on a new line."""
_ALTERS_PART = re.compile(r"\s+(?:column|constraint|member|period|index)\b", re.IGNORECASE)
"""T-SQL: text after an ALTER or DROP that is an action of ALTER TABLE, not a statement."""
_SETS_OPTION = re.compile(r"\s*\(")
"""T-SQL: text after the SET of an ALTER."""
_REFERENTIAL = re.compile(
    r"(?:delete|update)\s+(?:cascade|no\s+action|set\s+(?:null|default))\b", re.IGNORECASE
)
"""T-SQL: what follows the ON of a foreign key."""
_TOKEN = re.compile(
    r"(?P<word>[A-Za-z_@#][\w$#@]*)|(?P<mark>[;()])|(?P<quoted>\"[^\"]*\"|`[^`]*`|'[^']*')|(?P<bracket>\[[^\]\n]{0,200}\])"
)


class InnerStatement(NamedTuple):
    """A statement within another: its start and end offsets."""

    begin: int
    end: int


def split_compound(bare: str, begin: int, words: LexicalRules) -> Iterator[InnerStatement]:
    """Yield the SQL statements and queries within a body, in text order.

    Args:
        bare: the text with comments and the contents of strings blanked.
        begin: offset at which the body begins.
        words: the lexical rules of its dialect.
    """
    yield from _CompoundSplitter(bare, free=words.separator == "GO").split(begin)


class _CompoundSplitter:
    """Args: free: whether statements may follow each other without a semicolon, as in T-SQL."""

    def __init__(self, bare: str, *, free: bool) -> None:
        self._bare, self._free = bare, free
        self._depth = self._cases = 0
        self._first = ""
        self._start: int | None = None
        """Start of the current SQL statement; None in control flow."""
        self._closes = 0
        """Depth of the parenthesis that ends the current SQL statement; 0 if a word or semicolon does."""
        self._embedded = False
        """Whether the current SQL statement is a part of control flow."""
        self._before = ""
        """The word before the current one; empty if it was something else."""
        self._before_end = 0
        self._verb = ""
        """T-SQL: the verb that decides what continues the current SQL statement."""

    def split(self, begin: int) -> Iterator[InnerStatement]:
        """Yield the statements from offset `begin` on."""
        for match in _TOKEN.finditer(self._bare, begin):
            word = (match["word"] or "").upper()
            if match["mark"]:
                yield from self._mark(match)
            elif word:
                yield from self._word(match)
            elif not self._first:
                self._first = "?"  # a quoted name
            self._before, self._before_end = word, match.end()
        yield from self._close(len(self._bare))

    def _close(self, end: int) -> Iterator[InnerStatement]:
        if self._start is not None and self._bare[self._start : end].strip():
            yield InnerStatement(self._start, end)
        self._start = None
        self._closes = 0

    def _finish(self, end: int) -> Iterator[InnerStatement]:
        """End the current statement, whether SQL or control flow."""
        yield from self._close(end)
        self._first = ""
        self._cases = 0

    def _mark(self, match: re.Match[str]) -> Iterator[InnerStatement]:
        mark = match["mark"]
        if mark == "(":
            self._depth += 1
        elif mark == ")":
            if self._start is not None and self._closes and self._depth == self._closes:
                yield from self._close(match.start())
            self._depth = max(self._depth - 1, 0)
        elif not self._depth or self._start is None or not self._closes:
            self._depth = 0
            yield from self._finish(match.start())

    def _word(self, match: re.Match[str]) -> Iterator[InnerStatement]:
        word = match["word"].upper()
        if self._depth == 0 and self._start is not None and self._free:
            yield from self._split_freely(word, match)
            self._advance(word)
        if not self._first:
            self._begin(word, match)
            return
        if self._start is not None:
            ends_head = word in ("LOOP", "THEN", "DO") and not self._free
            if self._embedded and self._depth == 0 and self._cases == 0 and ends_head:
                yield from self._finish(match.start())  # FOR r IN SELECT … LOOP
            self._count_cases(word)
            return
        if word in _VERBS and not self._is_name(word, match):
            self._start, self._closes, self._embedded, self._verb = match.start(), self._depth, True, word
        elif self._depth == 0 and self._ends_control(word):
            self._first, self._cases = "", 0
            if self._free and word not in _STRUCTURE:
                self._begin(word, match)
        else:
            self._count_cases(word)

    def _begin(self, word: str, match: re.Match[str]) -> None:
        """Begin a statement with its first word; structural words begin none."""
        if word in _STRUCTURE or (word == "END" and self._free):
            return
        self._first = word
        if word in _VERBS:
            self._start, self._closes, self._embedded, self._verb = match.start(), 0, False, word

    def _split_freely(self, word: str, match: re.Match[str]) -> Iterator[InnerStatement]:
        """T-SQL: end the current SQL statement before END or ELSE, or a verb on a line of its own."""
        if self._cases:
            return
        before, newline, indent = self._bare[max(0, match.start() - 100) : match.start()].rpartition("\n")
        fresh = bool(newline or not before) and not indent.strip() and not _CONTINUED.search(before)
        starts = word in _VERBS or word in _T_SQL_STARTS
        if word in ("END", "ELSE") or (starts and fresh and not self._continues(word, match)):
            yield from self._finish(match.start())

    def _continues(self, word: str, match: re.Match[str]) -> bool:
        """T-SQL: whether a verb on a line of its own belongs to the current statement."""
        is_next = not self._bare[self._before_end : match.start()].strip()  # not after a number
        if is_next and self._is_joined(word, match):
            return True
        if word == "WITH":
            return self._verb in ("CREATE", "ALTER", "INSERT") or not _CTE.match(self._bare, match.end())
        if word in _CONTINUING.get(self._verb, ()):
            return True
        if self._verb == "ALTER":
            if word == "SET":
                return _SETS_OPTION.match(self._bare, match.end()) is not None
            return word in ("ALTER", "DROP") and _ALTERS_PART.match(self._bare, match.end()) is not None
        return self._verb in ("GRANT", "REVOKE") and self._before in _VERBS  # a list of privileges

    def _is_joined(self, word: str, match: re.Match[str]) -> bool:
        """T-SQL: whether the word before a verb belongs to it."""
        match self._before:
            case "ALL":  # `ALTER TABLE t CHECK CONSTRAINT ALL` is followed by anything
                return word == "SELECT"
            case "ON":  # so is `ALTER DATABASE d SET QUERY_STORE = ON`
                return _REFERENTIAL.match(self._bare, match.start()) is not None
        return self._before in _JOINING

    def _advance(self, word: str) -> None:
        """T-SQL: note which part of the current statement `word` begins."""
        match self._verb:
            case "WITH" if word in _MAIN_VERBS:
                self._verb = word
            case "CREATE" | "ALTER" if self._before == "AS" and word in _VERBS:
                self._verb = word
            case "INSERT" if word in ("SELECT", "EXEC", "EXECUTE", "VALUES"):
                self._verb = _COMPLETE
            case "UPDATE" if word == "SET":
                self._verb = _COMPLETE

    def _ends_control(self, word: str) -> bool:
        if self._first in ("PROCEDURE", "FUNCTION"):
            return word in ("IS", "AS", "BEGIN")
        if self._first == "CASE" and word == "THEN":
            return self._cases == 0
        if self._free and (word in _T_SQL_STARTS or word in ("END", "ELSE")) and word != self._first:
            return self._cases == 0
        return word in _CONTROL_ENDS and self._cases == 0

    def _count_cases(self, word: str) -> None:
        if word == "CASE":
            self._cases += 1
        elif word == "END":
            self._cases = max(self._cases - 1, 0)

    def _is_name(self, word: str, match: re.Match[str]) -> bool:
        """Whether a verb within control flow is a function or an option: `IF UPDATE(x)`, `… WITH NOWAIT`."""
        if word == "WITH" and self._free:
            return _CTE.match(self._bare, match.end()) is None
        called = self._bare[match.end() : match.end() + 2].lstrip()[:1] == "("
        if word == "PREPARE" and _PREPARES.match(self._bare, match.end()):
            return False
        return (called and word not in ("EXEC", "EXECUTE", "SELECT", "WITH")) or word in _NAMES_IN_CONTROL


_T_SQL_STARTS = frozenset(
    {
        "SET", "DECLARE", "IF", "WHILE", "PRINT", "RAISERROR", "THROW", "RETURN", "BEGIN", "OPEN", "FETCH",
        "CLOSE", "DEALLOCATE", "USE", "WAITFOR", "GOTO", "COMMIT", "ROLLBACK", "SAVE",
    }
)  # fmt: skip
_CTE = re.compile(r"\s+[^\s()]{1,200}\s*(?:\(|as\b)", re.IGNORECASE)
"""Text after the WITH of a query."""
_NAMES_IN_CONTROL = frozenset({"LOCK", "LOAD", "IMPORT", "BULK", "REPLACE", "COPY", "PREPARE", "RENAME"})
_PREPARES = re.compile(r"\s+\S+\s+(?:from|as)\b", re.IGNORECASE)

_COMPOUND = re.compile(r"(?:begin|declare|if|while)\b", re.IGNORECASE)
_CARRIER = re.compile(
    r"(?:prepare\s+\S+\s+(?:\([^()]{0,200}\)\s*)?(?:as|from)\b|submit\s+(?:task|job)\b[^;]{0,200}?\b(?:as\b|(?=insert\b)))",
    re.IGNORECASE,
)
"""Statements that carry another one at their end."""
CARRIERS = frozenset({"PREPARE", "SUBMIT"})
"""The first words of statements that carry another one."""
_BODY_STARTS = frozenset(
    {"BEGIN", "RETURN", "IF", "CASE", "WHILE", "LOOP", "REPEAT", "SET", "DECLARE", "FOR"} | _VERBS
)


def find_body(bare: str, words: LexicalRules) -> int | None:
    """Return the offset at which the body of a routine or compound statement begins; None without one.

    A body in a string (`AS $$ … $$`) is not found: its contents are blank in `bare`.
    """
    if header := match_header(bare):
        kind = (header["kind"] or "function").lower()
        return _body_of_routine(bare, header.end(), kind, words)
    if carrier := _CARRIER.match(bare):
        return carrier.end()
    compound = _COMPOUND.match(bare)
    return 0 if compound and words.block and " " in bare.strip() else None


def _body_of_routine(bare: str, begin: int, kind: str, words: LexicalRules) -> int | None:
    """Return the offset after the AS, IS, DO or EACH ROW, or that of the first word of the body."""
    if kind == "model":
        return begin
    if kind == "trigger" and words.dollar_string:
        return None  # it calls a function
    depth, before = 0, ""
    done = kind in ("event", "job", "rule")
    marked = done or words.separator != ""
    for match in _TOKEN.finditer(bare, begin):
        if match["mark"]:
            depth = max(depth + {"(": 1, ")": -1}.get(match["mark"], 0), 0)
            before = match["mark"]
        if not match["word"] or depth:
            continue
        word = match["word"].upper()
        if word == "DO" or (word in ("AS", "IS") and not done and before != "EXECUTE"):
            if marked or (words.script and bare[match.end() :][:100].lstrip()[:5].upper() == "BEGIN"):
                return match.end()
        elif word in ("DECLARE", "BEGIN") or (word == "ROW" and before == "EACH" and words.separator != "/"):
            return match.start() if word != "ROW" else match.end()
        elif not marked and word in _BODY_STARTS and before in _ENDS_HEADER:
            return match.start()
        before = word
    return None


_ENDS_HEADER = frozenset({")", "DETERMINISTIC", "DATA", "SQL", "INVOKER", "DEFINER", "ROW", "COMMENT"})
