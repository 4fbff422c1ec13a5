"""Reads a Python string literal as SQL of the same length, with placeholders for inserted values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from review.languages.embedded import Fragment, join_fragments, placeholder
from review.languages.python.inserted_values import StringValues

_OPEN = re.compile(r"(?P<prefix>[A-Za-z]{0,3})(?P<quote>'''|\"\"\"|'|\")")
_GAP = re.compile(r"(?:\s|\\\n|#[^\n]*|[()])*")
_ESCAPE = re.compile(
    r"\\\\\\\\|\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^{}\\\n]*\}|[0-7]{1,3}|[\s\S])"
)
_PERCENT = re.compile(
    r"%%(?:\([^()\n]*\))?s(?!\w)"
    r"|%(?:\([^()\n]*\))?[#0\- +]*+(?:\*|\d++)?(?:\.(?:\*|\d++))?[hlL]?[diouxXeEfFgGcrsa%]"
)
"""Conversions of `%`; `%%s` remains for the driver to bind."""
_BRACES = re.compile(r"\{\{|\}\}|\{[^{}\n]*(?:\{[^{}\n]*\}[^{}\n]*)*\}")
_DOUBLED = re.compile(r"\{\{|\}\}")
_WHITE = {"n": "\n", "r": "\n", "t": " ", "f": " ", "v": " ", "a": " ", "b": " ", "0": " "}

_PAIR = 2
"""The length of a backslash and a letter."""


def string_fragments(code: str, begin: int, end: int, values: StringValues) -> Iterator[Fragment]:
    """Yield the SQL of the literals (one, or several adjacent ones) in `code` from `begin` to `end`.

    Args:
        code: the node's code.
        begin: offset of the first literal.
        end: offset after the last.
        values: what is inserted into them.
    """
    yield from join_fragments(code, list(_adjacent(code, begin, end, values)))


def _adjacent(code: str, begin: int, end: int, values: StringValues) -> Iterator[Fragment]:
    offset = begin
    while offset < end:
        opening = _OPEN.match(code, offset, end)
        if opening is None:
            return
        prefix, quote = opening["prefix"].lower(), opening["quote"]
        first = opening.end()
        last = _closing(code, first, end, quote)
        yield from _body(code, first, last, prefix, values)
        offset = last + len(quote)
        gap = _GAP.match(code, offset, end)
        offset = gap.end() if gap else offset


def _closing(code: str, first: int, end: int, quote: str) -> int:
    offset = first
    while offset < end:
        if code[offset] == "\\":
            offset += 2
        elif code.startswith(quote, offset):
            return offset
        else:
            offset += 1
    return end


def _body(code: str, first: int, last: int, prefix: str, values: StringValues) -> Iterator[Fragment]:
    offset = first
    for begin, stop, filled in _fillings(code, first, last, "f" in prefix, values):
        yield from plain_text(code, offset, begin, raw="r" in prefix)
        yield filled
        offset = stop
    yield from plain_text(code, offset, last, raw="r" in prefix)


def _fillings(
    code: str, first: int, last: int, formatted: bool, values: StringValues
) -> Iterator[tuple[int, int, Fragment]]:
    if formatted:
        yield from _formatted(code, first, last, values)
    elif values.percent is not None:
        for match in _PERCENT.finditer(code, first, last):
            begin, end = match.span()
            if match.group() == "%%":
                yield begin, end, Fragment(begin, "% ")
            else:
                yield begin, end, placeholder(begin, end, *values.values.of_percent(match[0], values.percent))
    elif values.braces is not None:
        for match in _BRACES.finditer(code, first, last):
            begin, end = match.span()
            yield (
                begin,
                end,
                _doubled(begin, match.group())
                or placeholder(begin, end, *values.values.of_field(match[0], values.braces)),
            )


def _doubled(begin: int, text: str) -> Fragment | None:
    return Fragment(begin, f"{text[0]} ") if _DOUBLED.fullmatch(text) else None


def _formatted(code: str, first: int, last: int, values: StringValues) -> Iterator[tuple[int, int, Fragment]]:
    offset = first
    while offset < last:
        if code.startswith(("{{", "}}"), offset):
            yield offset, offset + 2, Fragment(offset, f"{code[offset]} ")
            offset += 2
        elif code[offset] == "{":
            end = _hole_end(code, offset, last)
            yield offset, end, placeholder(offset, end, *values.next_formatted(code[offset:end]))
            offset = end
        else:
            offset += 1


def _hole_end(code: str, offset: int, last: int) -> int:
    depth = 0
    quote = ""
    for index in range(offset, last):
        letter = code[index]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "{[(":
            depth += 1
        elif letter in "}])":
            depth -= 1
            if depth == 0:
                return index + 1
    return last


def plain_text(code: str, begin: int, end: int, *, raw: bool) -> Iterator[Fragment]:
    """Yield `code` from `begin` to `end`, unescaped unless `raw`."""
    if begin < end:
        text = code[begin:end]
        yield Fragment(begin, text if raw else _ESCAPE.sub(_unescape, text))


def _unescape(match: re.Match[str]) -> str:
    escape = match.group()
    if len(escape) != _PAIR:
        # Four backslashes are two in SQL; a letter escaped by its number becomes an arbitrary letter.
        return r"  \\" if escape.startswith(r"\\") else "p".rjust(len(escape))
    letter = escape[1]
    if letter in "'\"\\\n":
        return f" {letter}"
    return f" {_WHITE[letter]}" if letter in _WHITE else escape
