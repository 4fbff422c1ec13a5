"""Reads a shell word or here-document as SQL of the same length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from review.languages.embedded import Fragment, placeholder
from review.languages.python.python_strings import plain_text
from review.languages.shell.shell_lexer import Heredoc, ShellWord, WordPart

_NAMED = re.compile(r"\$\{[A-Za-z_][^{}\n]*\}|\$\[[A-Za-z][^\[\]\n]*\]|\$[A-Za-z_]\w*")
"""A scheduling parameter or a variable, read as a scheduling parameter as written."""
_PUT_IN = re.compile(
    rf"(?P<named>{_NAMED.pattern})|(?P<escape>\\[\s\S])"
    r"|(?P<other>\$\{[^{}\n]*\}|\$[\d@*#?$!-]|`(?:[^`\\]|\\.)*`|\$\()"
)

_BEFORE_NAME = " \t\n(,.=<>"


def word_fragments(code: str, word: ShellWord) -> Iterator[Fragment]:
    """Yield the SQL of a word; a value inserted next to a quote also takes the quote's offsets."""
    found = [fragment for part in word.parts for fragment in _part(code, part)]
    for index, fragment in enumerate(found):
        after = found[index + 1] if index + 1 < len(found) else None
        if (
            after is not None
            and fragment.end < after.begin
            and (fragment.is_placeholder or after.is_placeholder)
        ):
            gap = placeholder(fragment.end, after.begin)
            yield Fragment(fragment.begin, fragment.text, fragment.is_placeholder)
            yield Fragment(gap.begin, "p" * len(gap.text), is_placeholder=False)
        else:
            yield fragment


def document_fragments(code: str, document: Heredoc) -> Iterator[Fragment]:
    """Yield the SQL of a here-document or here-string."""
    if document.word is not None:
        yield from word_fragments(code, document.word)
    elif document.at.begin < document.at.end:
        yield from _part(code, WordPart("'" if document.quoted else "", document.at))


def _part(code: str, part: WordPart) -> Iterator[Fragment]:
    begin, end = part.at
    if part.quote == "'":
        yield from plain_text(code, begin, end, raw=True)
        return
    if part.quote == "$'":
        yield from plain_text(code, begin, end, raw=False)
        return
    offset = begin
    while offset < end:
        match = _PUT_IN.search(code, offset, end)
        stop = match.start() if match else end
        yield from plain_text(code, offset, stop, raw=True)
        if match is None:
            return
        offset = _substituted(code, match.end(), end) if match.group() == "$(" else match.end()
        yield _put_in(match, offset)


def _put_in(match: re.Match[str], end: int) -> Fragment:
    text = match.group()
    if match.lastgroup == "named":
        return Fragment(match.start(), text, is_placeholder=True)
    if text == r"\`":
        # A quoted name: the added blank must be outside the name.
        opens = match.string[match.start() - 1 : match.start()] in _BEFORE_NAME
        return Fragment(match.start(), " `" if opens else "` ")
    if match.lastgroup == "escape":
        return Fragment(match.start(), f" {text[1]}" if text[1] in '"$`\n' else text)
    return placeholder(match.start(), end)


def _substituted(code: str, offset: int, end: int) -> int:
    """Return the offset after the command substitution whose content starts at `offset`."""
    depth = 1
    for index in range(offset, end):
        depth += {"(": 1, ")": -1}.get(code[index], 0)
        if depth == 0:
            return index + 1
    return end
