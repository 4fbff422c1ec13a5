"""Where a thing stands in a script."""

from typing import NamedTuple


class Span(NamedTuple):
    """Offsets of the first character of a thing in the script, and of the one after its last."""

    begin: int
    end: int
