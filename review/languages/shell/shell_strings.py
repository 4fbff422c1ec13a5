"""Reads a shell word or here-document as SQL of the same length (bash manual: Quoting, Shell Expansions)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from review.languages.embedded import Fragment, join_fragments, placeholder
from review.languages.python.python_strings import plain_text
from review.languages.shell.shell_lexer import Heredoc, ShellWord, WordPart

_EXPANSION = re.compile(
    r"(?P<named>\$\{[A-Za-z_][^{}\n]*\}|\$\[[A-Za-z][^\[\]\n]*\]|\$[A-Za-z_]\w*)|(?P<escape>\\[\s\S])"
    r"|(?P<other>\$[\d@*#?$!-]|`(?:[^`\\]|\\[\s\S])*+`|\$\(|\$\{)"
)
"""A scheduling parameter or a variable, read as a scheduling parameter as written; anything else expanded."""
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
        begin, end = part.at
        if part.quote == "'" and not self.is_expanded:
            yield from plain_text(self.code, begin, end, raw=True)
            return
        if part.quote == "$'":
            yield from plain_text(self.code, begin, end, raw=False)
            return
        offset = begin
        while offset < end:
            match = _EXPANSION.search(self.code, offset, end)
            stop = match.start() if match else end
            yield from plain_text(self.code, offset, stop, raw=True)
            if match is None:
                return
            if match.lastgroup == "escape":
                yield self._escaped(match, part.quote)
                offset = match.end()
            else:
                offset = _expansion_end(match, end)
                yield self._expanded(match, offset)

    def _escaped(self, match: re.Match[str], quote: str) -> Fragment:
        text = match.group()
        if quote == "'" or text == r"\\" or (quote and text[1] not in _ESCAPED[quote]):
            return Fragment(match.start(), text)
        before = self.code[match.start() - 1 : match.start()]
        if text == r"\$" and (before.isalnum() or before == "_"):
            # The blank of the backslash would divide a name: `v\$session`.
            return Fragment(match.start(), "p$", expression="$")
        return Fragment(match.start(), f" {text[1]}")

    def _expanded(self, match: re.Match[str], end: int) -> Fragment:
        begin = match.start()
        written = self.code[begin:end]
        variable = _VARIABLE.fullmatch(written)
        name = (variable["bare"] or variable["braced"]) if variable else ""
        value = self.constants.get(name)
        if match.lastgroup == "named":
            expression = f"${{{name}}}" if name else written
            return Fragment(begin, written, is_placeholder=True, expression=expression, value=value)
        return placeholder(begin, end, f"${name}" if name else _in_one_spelling(written))


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
