"""SQL literals laid out on a blank text of the code's length, so that their offsets stay valid."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from review.dialects import Dialect, LexicalRules, lexical_rules
from review.facts import Span
from review.source.insertions import Insertion


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of SQL at its own position.

    Attributes:
        begin: offset in the code.
        text: its SQL; as long as the code it replaces.
        is_placeholder: whether it is a value inserted at run time.
        expression: what it stands for in names and messages; None if it stands for itself.
        value: the constant that `expression` is; None if it is not constant.
    """

    begin: int
    text: str
    is_placeholder: bool = False
    expression: str | None = None
    value: str | None = None

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.begin + len(self.text)


@dataclass(frozen=True, slots=True)
class Sql:
    """One SQL literal.

    Attributes:
        fragments: its fragments in text order.
        run_at: offset of the first command or call that runs it; None if it is not known.
    """

    fragments: tuple[Fragment, ...]
    dialect: Dialect
    run_at: int | None = None

    @property
    def at(self) -> Span:
        """The span from its first to its last character."""
        return Span(self.fragments[0].begin, self.fragments[-1].end)


def placeholder(begin: int, end: int, expression: str | None = None, value: str | None = None) -> Fragment:
    """Return the placeholder of a value inserted at run time: a scheduling parameter without a name."""
    length = end - begin
    text = _SHORT.get(length) or f"$[{'p' * (length - 3)}]"
    return Fragment(begin, text, is_placeholder=True, expression=expression, value=value)


def filler(begin: int, end: int) -> Fragment:
    """Return a fragment that is part of the surrounding word in the SQL, and stands for nothing."""
    return Fragment(begin, "p" * (end - begin), expression="")


_ENDS_WORD = re.compile(r"(?<!\w)[^\W\d]\w*\Z")
_BEGINS_WORD = re.compile(r"\w")
_MAX_WORD = 200
"""Maximum characters of a word that is recognized at the end of a fragment."""
_BESIDE_VALUE = re.compile(r"[\w'\"`%.$:/-]")
"""Characters that may belong to the same name or string as a value next to them."""


def join_fragments(code: str, fragments: list[Fragment]) -> Iterator[Fragment]:
    """Yield the fragments of one text; the quotes between two parts of the same word become a filler."""
    for one, other in pairwise(fragments):
        gap = code[one.end : other.begin]
        if gap and "\n" not in gap and _are_joined(one, other):
            # The filler would be taken for a part of a parameter's name (`$db`).
            yield placeholder(one.begin, one.end, one.expression, one.value) if one.is_placeholder else one
            yield filler(one.end, other.begin)
        else:
            yield one
    yield from fragments[-1:]


def _are_joined(one: Fragment, other: Fragment) -> bool:
    """Whether two fragments are parts of the same word or string."""
    if one.is_placeholder or other.is_placeholder:
        if one.is_placeholder and other.is_placeholder:
            return True
        beside = other.text[:1] if one.is_placeholder else one.text[-1:]
        return _BESIDE_VALUE.match(beside) is not None
    begin = max(0, len(one.text) - _MAX_WORD)
    return _ENDS_WORD.search(one.text, begin) is not None and _BEGINS_WORD.match(other.text) is not None


_NAME = re.compile(r"(?:[\w.$-]|\{[^{}]*\})++")
_NAME_QUOTES = str.maketrans("", "", '`"[]')


def name_value(text: str) -> str | None:
    """Return `text` without quotes if it is a name or a part of one, which may contain expressions."""
    bare = text.translate(_NAME_QUOTES)
    return bare if _NAME.fullmatch(bare) else None


_SHORT = {0: "", 1: "p", 2: "$p", 3: "${}"}
"""Placeholders too short for `$[…]`, by length."""

_VERB = re.compile(
    r"(?:\s|--[^\n]*+(?:\n|\Z)|/\*.*?\*/|[(;])*+"
    r"(?:select|with|from|insert|replace|update|delete|merge|create|alter|rename|drop|truncate|load|unload|set|use|add|msck"
    r"|analyze|explain|grant|revoke|desc|describe|show|call|begin|declare|copy|vacuum|refresh|@\w+)\b",
    re.IGNORECASE | re.DOTALL,
)


def is_sql(text: str) -> bool:
    """Whether `text` starts like a statement."""
    return _VERB.match(text) is not None


def sql_text(sql: Sql) -> str:
    """Return the literal as SQL, with a blank for other code between two fragments."""
    return " ".join(_join_fragments(sql.fragments))


def _join_fragments(fragments: Iterable[Fragment]) -> Iterator[str]:
    """Yield the texts of fragments, with those that touch each other as one."""
    joined: list[str] = []
    end = -1
    for fragment in fragments:
        if joined and fragment.begin != end:
            yield "".join(joined)
            joined = []
        joined.append(fragment.text)
        end = fragment.end
    if joined:
        yield "".join(joined)


_BEFORE_VALUE = re.compile(
    r"select|distinct|all|from|join|table|into|overwrite|update|by|limit|offset|as|like|rlike|between|in|then|else"
    r"|exists|view|database|schema|use|values|lifecycle|comment|interval|is|using|set|location|to|truncate|case"
    r"|desc|describe|div"
)
"""Keywords before a value or a name: a placeholder after them does not change the structure."""
_BEFORE_CONDITION = re.compile(r"where|and|or|on|having|not|when|qualify")
"""Keywords before a condition: a placeholder after them is an operand only if a comparison follows."""
_COMPARES = re.compile(r"\s*(?:[=<>!+\-*/%.]|(?:in|not|like|rlike|between|is|regexp)\b)", re.IGNORECASE)
_PART_OF_NAME = re.compile(r"[\w`.$'\"]")
_LAST_WORD = re.compile(r"([A-Za-z_][\w.]*)$")


def changes_shape(sql: Sql) -> bool:
    """Whether a value inserted at run time may be more than a value or a name: a clause or a condition.

    What the statement reads is unknown then, so it is not reviewed.
    """
    text, marks = sql_text(sql), _holes(sql)
    if not marks:
        return False
    quoted = [match.span() for match in _marks(lexical_rules(sql.dialect)).finditer(text)]
    return any(_is_clause(text, begin, end) for begin, end in marks if not _is_inside(begin, quoted))


def _is_inside(offset: int, spans: list[tuple[int, int]]) -> bool:
    """Whether `offset` is within one of the ordered `spans`, after its first character."""
    index = bisect_left(spans, (offset, 0)) - 1
    return index >= 0 and offset < spans[index][1]


def _holes(sql: Sql) -> list[tuple[int, int]]:
    """Return the spans of the placeholders in `body(sql)`."""
    found, offset, last = [], 0, sql.fragments[0].begin if sql.fragments else 0
    for fragment in sql.fragments:
        offset += 1 if fragment.begin != last else 0
        if fragment.is_placeholder:
            found.append((offset, offset + len(fragment.text)))
        offset += len(fragment.text)
        last = fragment.end
    return found


def _is_clause(text: str, begin: int, end: int) -> bool:
    if _PART_OF_NAME.search(text[max(0, begin - 1) : begin]) or _PART_OF_NAME.match(text[end : end + 1]):
        return False
    last = begin
    while last and text[last - 1].isspace():
        last -= 1
    if not last or text[last - 1] == ";":
        return True
    word = _LAST_WORD.search(text[max(0, last - 60) : last])
    if word is None:
        return text[last - 1] not in "=<>(,+-*/%!|[:"
    name = word.group(1).lower()
    if _BEFORE_CONDITION.fullmatch(name):
        return _COMPARES.match(text, end) is None
    return _BEFORE_VALUE.fullmatch(name) is None


def is_closed(sql: Sql) -> bool:
    """Whether every string, name and comment in it is terminated, so that it cannot include what follows."""
    text = sql_text(sql)
    return not any(
        match.end() == len(text) and not _ends(match.group())
        for match in _marks(lexical_rules(sql.dialect)).finditer(text)
    )


def _ends(token: str) -> bool:
    if token.startswith("--"):
        return True
    if token.startswith("/*"):
        return len(token) > 3 and token.endswith("*/")  # noqa: PLR2004 - the length of the delimiters
    return len(token) > 1 and token[-1] == token[0]


def _marks(words: LexicalRules) -> re.Pattern[str]:
    inside = r"(?:[^{0}\\]|\\.?)*+" if words.backslash else "[^{0}]*+"
    quoted = "|".join(f"{mark}{inside.format(mark)}(?:{mark}|\\Z)" for mark in ("'", '"'))
    return re.compile(rf"--[^\n]*|/\*.*?(?:\*/|\Z)|{quoted}|`[^`]*(?:`|\Z)", re.DOTALL)


def blank_layout(code: str, literals: Iterable[Sql]) -> str:
    """Return a text as long as `code` with only the `literals` in it, each followed by a `;`."""
    out = list(re.sub(r"[^\n]", " ", code))
    for sql in literals:
        for fragment in sql.fragments:
            out[fragment.begin : fragment.end] = fragment.text
        # The literal may end in a comment: the semicolon needs a new line.
        begin, end = sql.at
        _close_quotes(code, out, begin, end, sql.dialect)
        out[end : end + 2] = "\n;"[: max(0, len(out) - end)]
    return "".join(out)


def _close_quotes(code: str, out: list[str], begin: int, end: int, dialect: Dialect) -> None:
    """Move the blank of an escaped closing quote after it: the blank must not belong to the name."""
    text = "".join(out[begin:end])
    for match in _marks(lexical_rules(dialect)).finditer(text):
        last = begin + match.end() - 1
        escaped = last - 1 > begin + match.start() and code[last - 1] == "\\" and out[last - 1] == " "
        if escaped and out[last] in "'\"`":
            out[last - 1], out[last] = out[last], " "


def run_offsets(literals: Iterable[Sql]) -> dict[Span, int]:
    """Return for the span of each literal the offset of what runs it first."""
    return {sql.at: sql.at.begin if sql.run_at is None else sql.run_at for sql in literals}


def insertions_of(literals: Iterable[Sql]) -> tuple[Insertion, ...]:
    """Return what the fragments of literals stand for, in text order."""
    return tuple(
        Insertion(
            item.begin,
            item.end,
            item.expression,
            item.expression if item.value is None else item.value,
        )
        for sql in literals
        for item in sql.fragments
        if item.expression is not None
    )
