"""Converts Python 2 code to Python 3 of the same length, so that its SQL and calls can be read."""

from __future__ import annotations

import re
from collections.abc import Callable

_SKIPPED = r"(?P<skip>'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*+'?|\"(?:[^\"\\\n]|\\.)*+\"?|\#[^\n]*)"
_MARK = re.compile(
    rf"{_SKIPPED}"
    r"|(?P<print>\b(?:print|exec)[ \t]*+(?:>>[ \t]*+)?(?=[^\s=(,.)\]:]|\())"
    r"|(?P<comma>(?<=[\w)]),[ \t]*\w+[ \t]*(?=:[ \t]*(?:\#[^\n]*)?$))"
    r"|(?P<raised>\braise[ \t]+[\w.]+[ \t]*,)"
    r"|(?P<unequal><>)|(?P<tick>`)"
    r"|(?P<long>\b\d+[lL]\b)|(?P<octal>\b0\d+\b)"
    r"|(?P<unicode>\b[uU][rR](?=['\"]))",
    re.DOTALL | re.MULTILINE,
)
"""Syntax of Python 2 to replace; strings and comments are matched first, so that they are skipped."""
_SIGNS = re.compile(
    r"^[ \t]*print[ \t]+[^\s=(.,]|^[ \t]*print[ \t]*>>"
    r"|^[ \t]*except[ \t]+[\w.()]+(?:,[ \t]*[\w.]+\))?[ \t]*,[ \t]*\w+[ \t]*:"
    r"|^[ \t]*exec[ \t]+['\"\w]|^[ \t]*raise[ \t]+[\w.]+[ \t]*,|<>|\b\d+[lL]\b|\b[uU][rR]['\"]"
    r"|\bfrom[ \t]+__future__|reload\(sys\)|\.setdefaultencoding\(|\.has_key\(|\bxrange\(|\bunicode\(",
    re.MULTILINE,
)
"""Syntax and names that occur only in Python 2."""


def is_python2(code: str) -> bool:
    """Whether `code`, which does not parse as Python 3, has signs of Python 2."""
    return _SIGNS.search(code) is not None


def convert(code: str) -> str:
    """Return `code` with Python 2 syntax replaced by Python 3 syntax of the same length."""
    ticks = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal ticks
        kind, text = match.lastgroup or "skip", match.group()
        if kind == "tick":
            ticks += 1
            return "(" if ticks % 2 else ")"
        return _REPLACED.get(kind, str)(text)

    return _MARK.sub(replaced, code)


_REPLACED: dict[str, Callable[[str], str]] = {
    "print": lambda text: "pass;".ljust(len(text)) if len(text) > len("pass") else text,
    "comma": lambda text: " " * len(text),
    "raised": lambda text: f"{text[:-1]};",
    "unequal": lambda _: "!=",
    "long": lambda text: f"{text[:-1]} ",
    "octal": lambda text: text.lstrip("0").rjust(len(text)) or text,
    "unicode": lambda _: " r",
}
