"""Python 2 code made readable as Python 3, every place kept, so that its SQL and calls can be looked at."""

from __future__ import annotations

import re
from collections.abc import Callable

_SKIPPED = r"(?P<skip>'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|\#[^\n]*)"
_MARK = re.compile(
    rf"{_SKIPPED}"
    r"|(?P<print>\b(?:print|exec)[ \t]*(?:>>)?[ \t]*(?=[^\s=(,.)\]:]|\())"
    r"|(?P<comma>(?<=[\w)]),[ \t]*\w+[ \t]*(?=:[ \t]*(?:\#[^\n]*)?$))"
    r"|(?P<raised>\braise[ \t]+[\w.]+[ \t]*,)"
    r"|(?P<unequal><>)|(?P<tick>`)"
    r"|(?P<long>\b\d+[lL]\b)|(?P<octal>\b0\d+\b)"
    r"|(?P<unicode>\b[uU][rR](?=['\"]))",
    re.DOTALL | re.MULTILINE,
)
_SIGNS = re.compile(
    r"^[ \t]*print[ \t]+[^\s=(.,]|^[ \t]*print[ \t]*>>"
    r"|^[ \t]*except[ \t]+[\w.()]+(?:,[ \t]*[\w.]+\))?[ \t]*,[ \t]*\w+[ \t]*:"
    r"|^[ \t]*exec[ \t]+['\"\w]|^[ \t]*raise[ \t]+[\w.]+[ \t]*,|<>|\b\d+[lL]\b|\b[uU][rR]['\"]"
    r"|\bfrom[ \t]+__future__|reload\(sys\)|\.setdefaultencoding\(|\.has_key\(|\bxrange\(|\bunicode\(",
    re.MULTILINE,
)


def looks_so(code: str) -> bool:
    """Whether `code`, which is no Python 3, has signs of Python 2."""
    return _SIGNS.search(code) is not None


def as_python3(code: str) -> str:
    """Return `code` with what only Python 2 has replaced by something of the same length."""
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
