"""Text of people in a page: invisible characters are replaced, and text from right to left is isolated.

HTML is escaped by the templates. What remains are characters that change the order of the text around them,
or hide a part of it: see `common.text.printable`.
"""

from __future__ import annotations

import re
import unicodedata

from common.text.printable import printable

FIRST_STRONG_ISOLATE = "\u2068"
POP_DIRECTIONAL_ISOLATE = "\u2069"
"""They surround text whose direction its own first letter decides (Unicode Standard Annex 9)."""

_ISOLATES = re.compile(f"([{FIRST_STRONG_ISOLATE}{POP_DIRECTIONAL_ISOLATE}])")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def isolate(text: str) -> str:
    """Return `text` on one line, printable, and isolated if it has letters written from right to left."""
    shown = printable(text)
    if shown.isascii() or not any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in shown):
        return shown
    return f"{FIRST_STRONG_ISOLATE}{shown}{POP_DIRECTIONAL_ISOLATE}"


def display(value: object) -> object:
    """Return a value of a template as it is shown: texts are printable, isolates of `isolate` are kept."""
    if type(value) is not str or (value.isascii() and value.isprintable()):
        return value
    return "".join(part if _ISOLATES.fullmatch(part) else printable(part) for part in _ISOLATES.split(value))


def shorten(text: str, limit: int) -> str:
    """Return `text` on one line, at most `limit` characters long; what is too long loses its middle."""
    line = printable(" ".join(text[: 8 * limit].split())) if len(text) > limit else printable(text)
    if len(text) <= limit:
        return line
    head = limit // 2
    tail = printable(" ".join(text[-limit:].split()))[-(limit - head - 1) :]
    return f"{line[:head]}…{tail}"
