"""Statements as facts."""

from __future__ import annotations

from workers.review import alter
from workers.review.dialects import Dialect, lexis
from workers.review.facts import Gone, Removal, Statement
from workers.review.mask import mask
from workers.review.places import Places
from workers.review.split import split
from workers.review.trees.changes import changes, fills, makes, removals
from workers.review.trees.pairings import pairings
from workers.review.trees.parse import Unread, parse
from workers.review.trees.source import Source
from workers.review.trees.stars import stars


def read(code: str, dialect: Dialect) -> tuple[Statement, ...]:
    """Return what each statement of `code` does, in order; commands of the client do nothing to data."""
    words = lexis(dialect)
    masked, places = mask(code, dollar_strings=words.dollar_string), Places(code)
    sources = (Source(code, masked, places, piece) for piece in split(masked.text, words))
    return tuple(_statement(source, dialect) for source in sources if not source.piece.client)


def _statement(source: Source, dialect: Dialect) -> Statement:
    if source.piece.verb == "ALTER":
        return _altered(source)
    tree = parse(source.piece.text, source.piece.verb, dialect)
    if isinstance(tree, Unread):
        at = None if tree.offset is None else source.place(tree.offset)
        return Statement(source.at, unread=tree.why, unread_at=at)
    try:
        return Statement(
            source.at,
            stars=tuple(stars(tree, source)),
            pairings=tuple(pairings(tree, source)),
            changes=tuple(changes(tree, source)),
            removals=tuple(removals(tree, source)),
            makes=tuple(makes(tree, source)),
            fills=tuple(fills(tree, source)),
        )
    except RecursionError:
        return Statement(source.at, unread="it is nested too deeply")


def _altered(source: Source) -> Statement:
    bare = source.piece.bare
    name = _name(source, alter.table(bare))
    gone = tuple(
        Removal(
            source.place(begin), what, name, what is Gone.PARTITION and source.has_parameter(begin, len(bare))
        )
        for what, begin in alter.taken(bare)
    )
    return Statement(
        source.at, removals=gone, fills=tuple(_name(source, span) for span in alter.filled(bare))
    )


def _name(source: Source, span: tuple[int, int]) -> str:
    return source.written(*span).replace("`", "").replace('"', "")
