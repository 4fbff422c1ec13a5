"""Spans of text in a script."""

from typing import NamedTuple


class Span(NamedTuple):
    """Offsets in the script of the first character, and of the character after the last."""

    begin: int
    end: int
