"""One statement with all its facts."""

import re
from collections.abc import Iterator
from enum import StrEnum

from review.dialects import Dialect
from review.facts.base import Span, fact
from review.facts.blocks import CTE, Block, Union
from review.facts.definitions import Alteration, Creation, Removal
from review.facts.sources import Source
from review.facts.writes import Write


@fact(frozen=True, slots=True)
class SessionSetting:
    """A client's `SET name = value`; both as written, the name in lower case."""

    at: Span
    name: str
    value: str


_WORD = re.compile(r"\w+")


class ReadAs(StrEnum):
    """What the review knows of a statement that it could parse."""

    FACTS = "facts"
    """Its effects on data, and its queries, are facts."""
    CALL = "call"
    """It calls a routine: what that does is not in the statement."""
    NO_EFFECT = "no effect"
    """It changes no rows and defines no table, by its kind: SET, COMMIT, ANALYZE …"""
    PARTS = "parts"
    """It consists of statements that are read on their own."""


@fact(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes:
        at: the whole statement.
        verb: its first word in upper case.
        bare: its text with parameters masked, and comments and the contents of strings blanked.
        unread: the reason it could not be read; None if it could.
        unread_at: where parsing stopped.
        read_as: what is known of it; None exactly if it is unread.
        blocks: every SELECT; an enclosing block comes before the blocks in it.
        misplaced: clauses in an order that the engine rejects, each with its keyword.
        dialect: of SQL within another language; None for the script's own dialect.
        in_routine: whether it is, or is within, the definition of a routine: the node does not run it.
    """

    at: Span
    verb: str = ""
    bare: str = ""
    unread: str | None = None
    unread_at: Span | None = None
    blocks: tuple[Block, ...] = ()
    ctes: tuple[CTE, ...] = ()
    unions: tuple[Union, ...] = ()
    writes: tuple[Write, ...] = ()
    removals: tuple[Removal, ...] = ()
    creations: tuple[Creation, ...] = ()
    alterations: tuple[Alteration, ...] = ()
    setting: SessionSetting | None = None
    misplaced: tuple[tuple[Span, str], ...] = ()
    dialect: Dialect | None = None
    read_as: ReadAs | None = None
    in_routine: bool = False

    def words(self) -> list[str]:
        """Return the words of its text in lower case: the names that it may contain if it is unread."""
        return _WORD.findall(self.bare.lower())

    def reads(self) -> Iterator[tuple[Block, Source]]:
        """Yield every read of a database table with its block; not the target of a change."""
        for block in self.blocks:
            for source in block.sources:
                if source.table and not source.target:
                    yield block, source
