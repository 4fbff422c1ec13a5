"""The values that other code inserts into SQL: what stands in the SQL for them, and how names show them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Insertion:
    """A piece of SQL that stands for other text.

    Attributes:
        begin: offset of its first character in the SQL.
        end: offset after its last.
        expression: the inserted expression in one spelling: `${day}` of a shell, `{day}` of Python.
        value: its value if the code determines it; otherwise `expression`.
    """

    begin: int
    end: int
    expression: str
    value: str


class InsertedText:
    """SQL in which some pieces stand for other text, which may have another length."""

    __slots__ = ("_begins", "_insertions", "_text")

    def __init__(self, text: str, insertions: tuple[Insertion, ...] = ()) -> None:
        """Keep `text` and its insertions, which are in order and do not overlap."""
        self._text, self._insertions = text, insertions
        self._begins = [item.begin for item in insertions]

    def with_expressions(self, begin: int, end: int) -> str:
        """Return the text between two offsets with the expressions of the insertions that begin there."""
        return self._filled(begin, end, lambda item: item.expression)

    def with_values(self, begin: int, end: int) -> str:
        """Return the text between two offsets with the values of the insertions that begin there."""
        return self._filled(begin, end, lambda item: item.value)

    def _filled(self, begin: int, end: int, shown: Callable[[Insertion], str]) -> str:
        if not self._insertions:
            return self._text[begin:end]
        parts: list[str] = []
        index = bisect_left(self._begins, begin)
        while index < len(self._begins) and self._begins[index] < end:
            item, index = self._insertions[index], index + 1
            parts += (self._text[begin : item.begin], shown(item))
            begin = item.end
        parts.append(self._text[begin:end])
        return "".join(parts)
