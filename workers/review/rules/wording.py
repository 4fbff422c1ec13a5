"""How messages call things."""

from __future__ import annotations

from workers.review.facts import Source
from workers.review.rules.rule import Text


def called(source: Source) -> Text:
    """Return a row source as its author calls it, or as a subquery when it has no name."""
    name = source.alias or source.table or source.cte
    return Text(name, name) if name else Text("a subquery", "子查询")
