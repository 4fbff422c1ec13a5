"""A script cut into statements: on semicolons outside strings, comments and quoted names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from workers.review.dialects import Lexis

_CLIENT = re.compile(
    r"(?:set|use|tunnel|pai|desc|describe|show|list|whoami|kill|status|wait|explain|export|alias|quit"
    r"|add\s+(?:jar|jars|file|files|archive|archives|py|table))\b",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(r"@\w+\s*:=\s*")
_VERB = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement of a script.

    Attributes:
        start: offset of its first character in the script.
        text: the statement; its comments are blanks.
        bare: the same, and the insides of its strings are blanks too.
        client: whether it is a command of the client (`SET`, `ADD JAR`, `USE` …), which has no tree.
    """

    start: int
    text: str
    bare: str
    client: bool

    @property
    def verb(self) -> str:
        """Its first word in upper case; empty when it begins with none."""
        match = _VERB.match(self.text)
        return match.group().upper() if match else ""


def split(text: str, lexis: Lexis) -> Iterator[Piece]:
    """Yield the statements of `text`, which has its parameters masked; empty ones are left out."""
    whole: list[str] = []
    bare: list[str] = []
    begin = done = 0

    def keep(part: str, shown: str | None = None) -> None:
        whole.append(part)
        bare.append(part if shown is None else shown)

    for match in _marks(lexis).finditer(text):
        keep(text[done : match.start()])
        done = match.end()
        kind, token = match.lastgroup, match.group()
        if kind == "end":
            yield from _piece(begin, "".join(whole), "".join(bare))
            whole, bare, begin = [], [], done
        elif kind == "comment":
            keep(_blank(token))
        elif kind == "string":
            keep(token, token[0] + _blank(token[1:-1]) + token[-1] if len(token) > 1 else token)
        else:
            keep(token)
    keep(text[done:])
    yield from _piece(begin, "".join(whole), "".join(bare))


def _piece(begin: int, text: str, bare: str) -> Iterator[Piece]:
    lead = len(text) - len(text.lstrip())
    # Script mode gives queries names (`@a := SELECT …`): the query is what is read.
    if assignment := _ASSIGNMENT.match(text, lead):
        lead = assignment.end()
    statement = text[lead:].rstrip()
    if statement:
        yield Piece(
            begin + lead,
            statement,
            bare[lead : lead + len(statement)],
            _CLIENT.match(statement) is not None,
        )


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


@cache
def _marks(lexis: Lexis) -> re.Pattern[str]:
    def quoted(mark: str) -> str:
        inside = rf"(?:[^{mark}\\]|\\.?)*+" if lexis.backslash else rf"[^{mark}]*+"
        return rf"{mark}{inside}(?:{mark}|\Z)"

    strings = [quoted("'")]
    names = [r"`[^`]*(?:`|\Z)"]
    (strings if lexis.double_string else names).append(quoted('"'))
    if lexis.dollar_string:
        strings.append(r"\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)")
    comments = [r"--[^\n]*", r"/\*.*?(?:\*/|\Z)"]
    if lexis.hash_comment:
        comments.append(r"\#[^\n]*")
    return re.compile(
        rf"(?P<comment>{'|'.join(comments)})|(?P<string>{'|'.join(strings)})|(?P<name>{'|'.join(names)})|(?P<end>;)",
        re.DOTALL,
    )
