"""A statement's source text next to its tree: positions of nodes, and the text that the author wrote."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlglot import exp

from review.facts import Span
from review.source.insertions import InsertedText
from review.source.statement_splitter import StatementText

_QUOTES = "`\"'[]"
_span = tuple.__new__
"""Creates a Span in half the time of its constructor; a review creates one per word."""
_OPENER = re.compile(
    r"\b(?P<name>[a-z_]\w*)\s*\(\s*(?:(?:distinct|all|both|leading|trailing|\w+\s+from)\s+)?$", re.IGNORECASE
)
"""A function name with its opening parenthesis, up to the first argument."""
_KEYWORDS = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "on",
        "by",
        "as",
        "is",
        "like",
        "between",
        "exists",
        "select",
        "from",
        "where",
        "having",
        "when",
        "then",
        "else",
        "case",
        "over",
        "values",
    ]
)
_SPACE = re.compile(r"\s*")
_BRACKET = re.compile(r"[()]")
_BLANK = frozenset(" \t\r\n\f\v")


def span_of(node: exp.Expr) -> tuple[int, int] | None:
    """Return the offsets that the parser recorded for `node` itself; None if it recorded none."""
    meta: dict[str, Any] | None = node._meta  # `meta` would create a dict for each node without one
    if meta and "start" in meta and "end" in meta:
        return meta["start"], meta["end"] + 1
    return None


class SourceText:
    """One statement: its text as written, masked, and bare. Offsets are relative to the script."""

    __slots__ = ("_bare", "_code", "_end", "_masked", "_pairs", "_start", "_written")

    def __init__(self, code: str, piece: StatementText, written: InsertedText | None = None) -> None:
        """Keep the text of `piece` in `code`; `written` is `code` with what is inserted into it."""
        self._start, self._end = piece.start, piece.start + len(piece.text)
        self._code = code[self._start : self._end]
        self._written = written
        self._masked = piece.text
        self._bare = piece.stripped
        self._pairs: dict[int, int] | None = None

    @property
    def at(self) -> Span:
        """The span of the whole statement."""
        return Span(self._start, self._end)

    def span(self, node: exp.Expr) -> Span | None:
        """Return the span of `node` itself; None if the parser did not record it."""
        meta = node._meta
        if meta is None or (end := meta.get("end")) is None or (begin := meta.get("start")) is None:
            return None
        return _span(Span, (self._start + begin, self._start + end + 1))

    def begin(self, node: exp.Expr) -> int | None:
        """Return the start of `node` itself; None if the parser did not record it."""
        meta: dict[str, Any] | None = node._meta
        return self._start + meta["start"] if meta and "start" in meta else None

    def author(self, begin: int, end: int) -> str:
        """Return the text as the author wrote it, with the expressions that other code inserts."""
        if self._written is not None:
            return self._written.with_expressions(begin, end)
        return self._code[begin - self._start : end - self._start]

    def name_at(self, begin: int, end: int) -> str:
        """Return the name between two offsets without quotes, with the values that other code inserts."""
        if self._written is not None:
            return self._written.with_values(begin, end).strip(_QUOTES)
        return self._code[begin - self._start : end - self._start].strip(_QUOTES)

    def unfilled(self) -> str:
        """Return the whole statement at its own offsets: what stands for an inserted value is left in it."""
        return self._code

    def has_parameter(self, begin: int, end: int) -> bool:
        """Whether a name, number or string contains a scheduling parameter."""
        begin, end = begin - self._start, end - self._start
        return self._code[begin:end] != self._masked[begin:end]

    def name(self, node: exp.Expr | None) -> str:
        """Return a name as written, without quotes; its parts are joined by dots."""
        if isinstance(node, exp.Table):
            return ".".join(self.name(part) for part in node.parts)
        if node is None:
            return ""
        found = span_of(node)
        if found is None:
            return node.name
        if node.args.get("temporary"):
            return f"#{node.name}"  # T-SQL; the position is without the mark
        return self.name_at(self._start + found[0], self._start + found[1]) or node.name

    def table(self, node: exp.Table) -> tuple[str, Span | None]:
        """Return the name of a table as `name` does, and its span."""
        this = node.args.get("this")
        if node.args.get("db") is None and type(this) is exp.Identifier and (span := self.span(this)):
            return self.name(this), span
        spans = [span for part in node.parts if (span := self.span(part)) is not None]
        at = Span(min(spans)[0], max(span[1] for span in spans)) if spans else None
        return self.name(node), at

    def closing_end(self, begin: int, end: int) -> int:
        """Return `end` moved past the closing parentheses of those left open between `begin` and `end`."""
        bare, first, last = self._bare, begin - self._start, end - self._start
        missing = bare.count("(", first, last) - bare.count(")", first, last)
        while missing > 0:
            at = self._past_blanks(last)
            while bare[at : at + 1] == "]":
                at = self._past_blanks(at + 1)
            if at >= len(bare) or bare[at] != ")":
                break
            last, missing = at + 1, missing - 1
        return last + self._start

    def is_called(self, end: int) -> int | None:
        """Return the end of the parentheses that open right after `end`; None if none do."""
        at = self._past_blanks(end - self._start)
        if self._bare[at : at + 1] != "(":
            return None
        closing = self._brackets().get(at)
        return None if closing is None else closing + 1 + self._start

    def is_empty_call(self, end: int) -> bool:
        """Whether empty parentheses follow `end`."""
        closing = self.is_called(end)
        return closing is not None and not self.author(end, closing).strip("( )\n\t\r")

    def _brackets(self) -> dict[int, int]:
        """Return the offset of each closing parenthesis by that of its opening one."""
        if self._pairs is None:
            self._pairs, open_ = {}, []
            for match in _BRACKET.finditer(self._bare):
                if match.group() == "(":
                    open_.append(match.start())
                elif open_:
                    self._pairs[open_.pop()] = match.start()
        return self._pairs

    def balanced(self, begin: int, end: int) -> bool:
        """Whether the range closes as many parentheses as it opens."""
        first, last = begin - self._start, end - self._start
        return self._bare.count("(", first, last) == self._bare.count(")", first, last)

    def enclosing_bracket(self, begin: int, end: int, limit: int = 1_000) -> tuple[int, int]:
        """Return the two offsets moved outwards over up to `limit` pairs of enclosing parentheses."""
        bare, first, last = self._bare, begin - self._start, end - self._start
        for _ in range(limit):
            before, after = first - 1, self._past_blanks(last)
            while before >= 0 and bare[before] in _BLANK:
                before -= 1
            if before < 0 or after >= len(bare) or bare[before] != "(" or bare[after] != ")":
                break
            first, last = before, after + 1
        return first + self._start, last + self._start

    def follows(self, end: int, pattern: str) -> int | None:
        """Return the end of `pattern` if it follows `end`, after optional blanks."""
        blank = _SPACE.match(self._bare, end - self._start)
        match = _compiled_start(pattern).match(self._bare, blank.end() if blank else end - self._start)
        return match.end() + self._start if match else None

    def precedes(self, begin: int, pattern: str) -> int | None:
        """Return the start of `pattern` if it directly precedes `begin`, before optional blanks."""
        first = begin - self._start
        low = max(0, first - 60)
        match = _compiled(rf"(?:{pattern})\Z").search(self._bare[low:first].rstrip())
        return low + match.start() + self._start if match else None

    def opener(self, begin: int) -> Span | None:
        """Return the name of the function whose first argument starts at `begin`; None if there is none."""
        last = begin - self._start
        match = _OPENER.search(self._bare[max(0, last - 60) : last])
        if match is None or match["name"].lower() in _KEYWORDS:
            return None
        low = max(0, last - 60) + self._start
        return Span(low + match.start("name"), low + match.end("name"))

    def search(self, pattern: str, begin: int, end: int | None = None) -> Span | None:
        """Return the span of the first match of `pattern` from `begin` on."""
        last = len(self._bare) if end is None else end - self._start
        match = _compiled(pattern).search(self._bare, max(0, begin - self._start), last)
        return Span(match.start() + self._start, match.end() + self._start) if match else None

    def last(self, pattern: str, begin: int, end: int) -> Span | None:
        """Return the span of the last match of `pattern` before `end`."""
        first, last = max(0, begin - self._start), end - self._start
        found = [match.span() for match in _compiled(pattern).finditer(self._bare, first, last)]
        return Span(found[-1][0] + self._start, found[-1][1] + self._start) if found else None

    def after_comma(self, begin: int) -> bool:
        """Whether a comma precedes `begin`, ignoring blanks and parentheses."""
        at = begin - self._start - 1
        while at >= 0 and (self._bare[at] in _BLANK or self._bare[at] == "("):
            at -= 1
        return at >= 0 and self._bare[at] == ","

    def outside_brackets(self) -> str:
        """Return the bare text with everything in parentheses blanked."""
        parts: list[str] = []
        depth = done = 0
        for match in _BRACKET.finditer(self._bare):
            part = self._bare[done : match.start()]
            parts.append((" " * len(part) if depth else part) + " ")
            depth = max(0, depth + (1 if match.group() == "(" else -1))
            done = match.end()
        return "".join(parts) + self._bare[done:]

    def _past_blanks(self, at: int) -> int:
        bare = self._bare
        while at < len(bare) and bare[at] in _BLANK:
            at += 1
        return at


@cache
def _compiled_start(pattern: str) -> re.Pattern[str]:
    """Return a pattern that is only matched at a given offset, not searched for."""
    return re.compile(pattern, re.IGNORECASE)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
