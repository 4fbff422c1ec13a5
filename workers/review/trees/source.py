"""A statement with its place in the script: names and places of the things in its tree."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from workers.review.mask import Masked
from workers.review.places import Place, Places
from workers.review.split import Piece


@dataclass(frozen=True, slots=True)
class Source:
    """Where a tree comes from.

    Attributes:
        code: the whole script as its author wrote it.
        masked: the same with its parameters masked.
        places: the script's lines.
        piece: the statement.
    """

    code: str
    masked: Masked
    places: Places
    piece: Piece

    @property
    def at(self) -> Place:
        """Where the statement begins."""
        return self.place(0)

    def place(self, offset: int) -> Place:
        """Return the place of the character at `offset` of the statement."""
        return self.places.at(self.piece.start + offset)

    def written(self, begin: int, end: int) -> str:
        """Return what the author wrote between two offsets of the statement."""
        return self.code[self.piece.start + begin : self.piece.start + end]

    def name(self, table: exp.Expr | None) -> str:
        """Return the name of a table as its author wrote it, without quotes; empty when it has none."""
        if not isinstance(table, exp.Table):
            return ""
        words = []
        for part in table.parts:
            begin, end = _span(part)
            words.append(self.written(begin, end).strip('`"[]') or part.name)
        return ".".join(words)

    def first(self, tree: exp.Expr) -> int | None:
        """Return the offset of the first thing in `tree` whose offset is known."""
        return min((node.meta["start"] for node in tree.walk() if "start" in node.meta), default=None)

    def place_of(self, tree: exp.Expr) -> Place:
        """Return where `tree` begins, as nearly as it is known."""
        return self.place(self.first(tree) or 0)

    def has_parameter(self, begin: int, end: int) -> bool:
        """Whether a scheduling parameter stands between two offsets of the statement."""
        return self.masked.has_parameter(self.piece.start + begin, self.piece.start + end)

    def is_parameter(self, column: exp.Column) -> bool:
        """Whether what looks like a column is wholly or partly a scheduling parameter."""
        return self.has_parameter(*_span(column.this))


def _span(part: exp.Expr) -> tuple[int, int]:
    begin, end = part.meta.get("start"), part.meta.get("end")
    return (begin, end + 1) if isinstance(begin, int) and isinstance(end, int) else (0, 0)
