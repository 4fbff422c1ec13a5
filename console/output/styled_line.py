"""Lines for terminals: text with styles, and without them in files and pipes.

They need nothing but the standard library: importing a library for terminals would take as long as the review
of a small file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TextIO

_CODES = {
    "": "",
    "blue": "34",
    "bold": "1",
    "bold cyan": "1;36",
    "bold red": "1;31",
    "bold yellow": "1;33",
}
"""Styles, with the parameters of the control sequence SGR. Source: ECMA-48, 8.3.117."""


@dataclass(frozen=True, slots=True)
class StyledLine:
    """A line of parts, each with a style of `_CODES`; an empty style is none."""

    parts: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> str:
        """The text without styles."""
        return "".join(text for text, _ in self.parts)

    @property
    def colored(self) -> str:
        """The text with the control sequences of its styles."""
        return "".join(
            f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style and text else text for text, style in self.parts
        )

    def without_trailing_space(self) -> StyledLine:
        """Return the line without white space at its end."""
        parts = list(self.parts)
        while parts and not parts[-1][0].rstrip():
            parts.pop()
        if parts:
            text, style = parts[-1]
            parts[-1] = (text.rstrip(), style)
        return StyledLine(tuple(parts))


def styled(*parts: str | tuple[str, str]) -> StyledLine:
    """Return a line of texts without a style, and of texts with one."""
    return StyledLine(tuple((part, "") if isinstance(part, str) else part for part in parts))


def is_colored(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that shows colours, and `NO_COLOR` (https://no-color.org) is not set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
