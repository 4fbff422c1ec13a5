"""Names of row sources in messages."""

from __future__ import annotations

from review.facts import Source
from review.rules.api import Text


def display_name(source: Source) -> Text:
    """Return the alias or name of a row source, or "a subquery" if it has neither."""
    name = source.alias or source.table or source.cte
    return Text(name, name) if name else Text("a subquery", "子查询")
