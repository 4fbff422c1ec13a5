"""A statement's text beside its tree: where things stand, and what their author wrote there."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlglot import exp

from review.facts import Span
from review.source.statement_splitter import Piece

_QUOTES = "`\"'[]"
_span = tuple.__new__
"""Makes a Span in half the time; there is one for each word."""
_OPENER = re.compile(
    r"\b(?P<name>[a-z_]\w*)\s*\(\s*(?:(?:distinct|all|both|leading|trailing|\w+\s+from)\s+)?$", re.IGNORECASE
)
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
_BRACKET = re.compile(r"[()]")
_BLANK = frozenset(" \t\r\n\f\v")


def place(node: exp.Expr) -> tuple[int, int] | None:
    """Return the offsets that the parser noted for `node` itself; None when it noted none."""
    meta: dict[str, Any] | None = node._meta  # `meta` would make a dict for each node without one
    if meta and "start" in meta and "end" in meta:
        return meta["start"], meta["end"] + 1
    return None


class Written:
    """One statement: its text as the author wrote it, masked, and bare. Offsets are those of the script."""

    __slots__ = ("_bare", "_code", "_end", "_masked", "_pairs", "_start")

    def __init__(self, code: str, piece: Piece) -> None:
        self._start, self._end = piece.start, piece.start + len(piece.text)
        self._code = code[self._start : self._end]
        self._masked = piece.text
        self._bare = piece.bare
        self._pairs: dict[int, int] | None = None

    @property
    def at(self) -> Span:
        """The whole statement."""
        return Span(self._start, self._end)

    def span(self, node: exp.Expr) -> Span | None:
        """Return where `node` itself stands; None when the parser did not note it."""
        meta = node._meta
        if meta is None or (end := meta.get("end")) is None or (begin := meta.get("start")) is None:
            return None
        return _span(Span, (self._start + begin, self._start + end + 1))

    def begin(self, node: exp.Expr) -> int | None:
        """Return where `node` itself begins; None when the parser did not note it."""
        meta: dict[str, Any] | None = node._meta
        return self._start + meta["start"] if meta and "start" in meta else None

    def author(self, begin: int, end: int) -> str:
        """Return what the author wrote."""
        return self._code[begin - self._start : end - self._start]

    def has_parameter(self, begin: int, end: int) -> bool:
        """Whether a scheduling parameter stands in a name, number or string."""
        begin, end = begin - self._start, end - self._start
        return self._code[begin:end] != self._masked[begin:end]

    def name(self, node: exp.Expr | None) -> str:
        """Return a name as its author wrote it, without quotes; dots between its parts."""
        if isinstance(node, exp.Table):
            return ".".join(self.name(part) for part in node.parts)
        if node is None:
            return ""
        found = place(node)
        if found is None:
            return node.name
        return self._code[found[0] : found[1]].strip(_QUOTES) or node.name

    def table(self, node: exp.Table) -> tuple[str, Span | None]:
        """Return the name of a table as `name` does, and where it stands."""
        this = node.args.get("this")
        if node.args.get("db") is None and type(this) is exp.Identifier and (span := self.span(this)):
            return self.author(*span).strip(_QUOTES) or this.name, span
        spans = [span for part in node.parts if (span := self.span(part)) is not None]
        at = Span(min(spans)[0], max(span[1] for span in spans)) if spans else None
        return self.name(node), at

    def closed(self, begin: int, end: int) -> int:
        """Return `end` moved behind the brackets that are opened from `begin` on and not closed yet."""
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

    def called(self, end: int) -> int | None:
        """Return the end of the brackets that open right behind `end`; None when none do."""
        at = self._past_blanks(end - self._start)
        if self._bare[at : at + 1] != "(":
            return None
        closing = self._brackets().get(at)
        return None if closing is None else closing + 1 + self._start

    def is_empty_call(self, end: int) -> bool:
        """Whether brackets with nothing in them stand behind `end`."""
        closing = self.called(end)
        return closing is not None and not self.author(end, closing).strip("( )\n\t\r")

    def _brackets(self) -> dict[int, int]:
        """Return the offset of each closing bracket by that of the one that it closes."""
        if self._pairs is None:
            self._pairs, open_ = {}, []
            for match in _BRACKET.finditer(self._bare):
                if match.group() == "(":
                    open_.append(match.start())
                elif open_:
                    self._pairs[open_.pop()] = match.start()
        return self._pairs

    def balanced(self, begin: int, end: int) -> bool:
        """Whether as many brackets are closed there as are opened."""
        first, last = begin - self._start, end - self._start
        return self._bare.count("(", first, last) == self._bare.count(")", first, last)

    def enclosed(self, begin: int, end: int, most: int = 1_000) -> tuple[int, int]:
        """Return the two offsets moved outwards over the brackets around."""
        bare, first, last = self._bare, begin - self._start, end - self._start
        for _ in range(most):
            before, after = first - 1, self._past_blanks(last)
            while before >= 0 and bare[before] in _BLANK:
                before -= 1
            if before < 0 or after >= len(bare) or bare[before] != "(" or bare[after] != ")":
                break
            first, last = before, after + 1
        return first + self._start, last + self._start

    def follows(self, end: int, pattern: str) -> int | None:
        """Return the end of `pattern` when it comes right behind `end`, blanks aside."""
        match = _compiled(rf"\s*(?:{pattern})").match(self._bare, end - self._start)
        return match.end() + self._start if match else None

    def precedes(self, begin: int, pattern: str) -> int | None:
        """Return the begin of `pattern` when it stands right before `begin`, blanks aside."""
        first = begin - self._start
        low = max(0, first - 60)
        match = _compiled(rf"(?:{pattern})\s*$").search(self._bare[low:first])
        return low + match.start() + self._start if match else None

    def opener(self, begin: int) -> Span | None:
        """Return the name of the function whose first argument begins at `begin`; None when there is none."""
        last = begin - self._start
        match = _OPENER.search(self._bare[max(0, last - 60) : last])
        if match is None or match["name"].lower() in _KEYWORDS:
            return None
        low = max(0, last - 60) + self._start
        return Span(low + match.start("name"), low + match.end("name"))

    def search(self, pattern: str, begin: int, end: int | None = None) -> Span | None:
        """Return where `pattern` stands first from `begin` on."""
        last = len(self._bare) if end is None else end - self._start
        match = _compiled(pattern).search(self._bare, max(0, begin - self._start), last)
        return Span(match.start() + self._start, match.end() + self._start) if match else None

    def last(self, pattern: str, begin: int, end: int) -> Span | None:
        """Return where `pattern` stands last before `end`."""
        first, last = max(0, begin - self._start), end - self._start
        found = [match.span() for match in _compiled(pattern).finditer(self._bare, first, last)]
        return Span(found[-1][0] + self._start, found[-1][1] + self._start) if found else None

    def after_comma(self, begin: int) -> bool:
        """Whether a comma stands before `begin`, blanks and brackets aside."""
        at = begin - self._start - 1
        while at >= 0 and (self._bare[at] in _BLANK or self._bare[at] == "("):
            at -= 1
        return at >= 0 and self._bare[at] == ","

    def outside_brackets(self) -> str:
        """Return the bare text in which all that stands in brackets is blank."""
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
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
