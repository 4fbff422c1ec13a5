"""Text that is safe to show: control, bidirectional and invisible characters are replaced.

Names, comments and code come from people. In a terminal, a tip or an annotation, such characters can move the
cursor, reverse the order of the text or hide a part of it (CVE-2021-42574, "Trojan Source").
"""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that `str.isprintable` accepts although they show nothing: fillers, variation selectors.

Source: Unicode, DerivedCoreProperties.txt, Default_Ignorable_Code_Point; and the blank Braille pattern.
"""

_NOT_ASCII = re.compile(r"[^\n -~]+")


def printable(text: str) -> str:
    """Return `text` on one line, with characters replaced that are invisible or change those around them.

    White space of any kind becomes a space. Control and format characters (bidirectional overrides,
    zero-width characters), lone surrogates, private and unassigned code points become U+FFFD. Other text is
    unchanged.
    """
    if is_printable(text):
        return text
    return _INVISIBLE.sub(REPLACEMENT, "".join(map(_visible, text)))


def is_printable(text: str) -> bool:
    """Whether `printable` leaves `text` unchanged."""
    return text.isprintable() and (text.isascii() or not _INVISIBLE.search(text))


def escape_json(text: str) -> str:
    r"""Return a JSON document with such characters as `\u` escapes; its values are unchanged."""
    return _NOT_ASCII.sub(_escaped_run, text)


def _visible(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() or unicodedata.category(letter).startswith("Z") else REPLACEMENT


def _escaped_run(match: re.Match[str]) -> str:
    run = match[0]
    return run if is_printable(run) else "".join(map(_escaped, run))


def _escaped(letter: str) -> str:
    if is_printable(letter):
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
