"""Reads a shell word or here-document as SQL of the same length (bash manual: Quoting, Shell Expansions)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from review.facts import Span
from review.languages.embedded import Fragment, join_fragments, placeholder
from review.languages.python.python_strings import plain_text
from review.languages.shell.shell_lexer import (
    REMOVED,
    REMOVED_BACKSLASH,
    Heredoc,
    ShellWord,
    WordPart,
    text_at,
)

_NAMED = r"(?P<named>\$\{[A-Za-z_][^{}\n]*\}|\$\[[A-Za-z][^\[\]\n]*\]|\$[A-Za-z_]\w*)"
"""A scheduling parameter, or a variable, which is read as one."""
_OTHER = r"(?P<other>\$[\d@*#?$!-]|`(?:[^`\\]|\\[\s\S])*+`|\$\(|\$\{)"
_ESCAPE = rf"(?P<escape>\\[{REMOVED}]*+[^{REMOVED}])"
_EXPANSION = re.compile(f"{_NAMED}|{_ESCAPE}|{_OTHER}")
_OUTER_EXPANSION = re.compile(f"{_ESCAPE}|(?<!{REMOVED_BACKSLASH})(?:{_NAMED}|{_OTHER})")
"""An expansion in single quotes that are a part of a string; one that is escaped there is none."""
_VARIABLE = re.compile(r"\$(?:(?P<bare>\w+)|\{(?P<braced>\w+)\})")
_ESCAPED = {'"': '"$`\n', "<<": "$`\n"}
"""The characters that lose the backslash before them, by the quote; outside of quotes, all do."""
_CLOSING = {"$(": ("(", ")"), "${": ("{", "}")}
_MAX_EXPRESSION = 200
"""Maximum characters of a command substitution in a name."""


@dataclass(frozen=True, slots=True)
class ShellStrings:
    """Reads the strings of a script.

    Attributes:
        code: the script.
        constants: the values of the variables that have only one.
        is_expanded: whether variables are expanded within single quotes too, because the quotes themselves
            are part of a string: `ssh host "hive -e '$sql'"`.
    """

    code: str
    constants: Mapping[str, str] = field(default_factory=dict)
    is_expanded: bool = False

    def word(self, word: ShellWord) -> list[Fragment]:
        """Return the SQL of a word."""
        found = [fragment for part in word.parts for fragment in self._part(part)]
        return list(join_fragments(self.code, found))

    def document(self, document: Heredoc) -> list[Fragment]:
        """Return the SQL of a here-document or here-string."""
        if document.word is not None:
            return self.word(document.word)
        if document.at.begin == document.at.end:
            return []
        return list(self._part(WordPart("'" if document.quoted else "<<", document.at)))

    def _part(self, part: WordPart) -> Iterator[Fragment]:
        for is_plain, group in groupby(self._fragments(part), key=_is_plain):
            if is_plain:
                joined = list(group)
                text = "".join(fragment.text for fragment in joined)
                yield Fragment(joined[0].begin, _moved_together(text))
            else:
                yield from group

    def _fragments(self, part: WordPart) -> Iterator[Fragment]:
        """Yield the SQL of a part, with `REMOVED` for the backslashes of escapes."""
        offset, end = part.at
        if part.quote == "$'" or (part.quote == "'" and not self.is_expanded):
            yield from plain_text(self.code, offset, end, raw=part.quote == "'")
            return
        expansion = _OUTER_EXPANSION if part.quote == "'" else _EXPANSION
        while offset < end:
            match = expansion.search(self.code, offset, end)
            stop = match.start() if match else end
            yield from plain_text(self.code, offset, stop, raw=True)
            if match is None:
                return
            if match.lastgroup == "escape":
                yield _escape(match, part.quote)
                offset = match.end()
            else:
                offset = _expansion_end(match, end)
                yield self._expanded(match, offset)

    def _expanded(self, match: re.Match[str], end: int) -> Fragment:
        at = Span(match.start(), end)
        written = text_at(self.code, at)
        variable = _VARIABLE.fullmatch(written)
        name = (variable["bare"] or variable["braced"]) if variable else ""
        value = self.constants.get(name)
        if match.lastgroup == "named" and len(written) == end - at.begin:
            expression = f"${{{name}}}" if name else written
            return Fragment(at.begin, written, is_placeholder=True, expression=expression, value=value)
        return placeholder(*at, f"${name}" if name else _in_one_spelling(written))


def _escape(match: re.Match[str], quote: str) -> Fragment:
    text, letter = match.group(), match.group()[-1]
    if quote == "'" or letter == "\\" or (quote and letter not in _ESCAPED[quote]):
        return Fragment(match.start(), text)
    return Fragment(match.start(), letter.rjust(len(text), REMOVED_BACKSLASH))


def _is_plain(fragment: Fragment) -> bool:
    return not fragment.is_placeholder and fragment.expression is None


_UNBROKEN = re.compile(r"\S++")


def _moved_together(text: str) -> str:
    """Return `text` with blanks for removed characters, none of which divides a word."""

    def together(match: re.Match[str]) -> str:
        word = text_at(match[0], Span(0, len(match[0])))
        # The word may go on in the next part.
        is_last = match.end() == len(text) and match.start() > 0
        return word.rjust(len(match[0])) if is_last else word.ljust(len(match[0]))

    return _UNBROKEN.sub(together, text)


def _in_one_spelling(expansion: str) -> str:
    """Return an expansion without needless blanks, and a command in backquotes as `$(…)`."""
    if expansion.startswith("`"):
        expansion = f"$({expansion[1:-1]})"
    return " ".join(expansion[:_MAX_EXPRESSION].split())


def _expansion_end(match: re.Match[str], end: int) -> int:
    """Return the offset after the expansion that starts with `match`."""
    brackets = _CLOSING.get(match.group())
    if brackets is None:
        return match.end()
    opening, closing = brackets
    depth = 1
    for index in range(match.end(), end):
        depth += {opening: 1, closing: -1}.get(match.string[index], 0)
        if depth == 0:
            return index + 1
    return end
