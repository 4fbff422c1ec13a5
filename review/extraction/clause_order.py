"""Finds clauses in an order that MaxCompute rejects although our parser accepts it.

Source: help pages "CREATE TABLE" (syntax) and "Common table expressions" of MaxCompute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from review.dialects import Dialect
from review.extraction.source_text import SourceText
from review.facts import Span

_ORDER = ("COMMENT", "PARTITIONED", "CLUSTERED", "STORED", "LOCATION", "TBLPROPERTIES", "LIFECYCLE")
_CLAUSE = re.compile(
    r"\b(?:comment|partitioned(?=\s+by)|clustered(?=\s+by)|stored(?=\s+(?:by|as))|location|tblproperties"
    r"|lifecycle)\b",
    re.IGNORECASE,
)
_QUERY = re.compile(r"\bas\s+(?:select|with)\b|\bas\s*$|\blike\b", re.IGNORECASE)
"""The end of the clauses of a CREATE TABLE: its query or LIKE."""


def find_misplaced_clause(tree: exp.Expr, text: SourceText, dialect: Dialect) -> Iterator[tuple[Span, str]]:
    """Yield each clause that is in the wrong order, with its keyword."""
    if dialect is not Dialect.MAXCOMPUTE:
        return
    if isinstance(tree, exp.Insert) and isinstance(query := tree.args.get("expression"), exp.Query):
        if isinstance(query.args.get("with_"), exp.With) and (at := text.search(r"\bwith\b", text.at.begin)):
            yield at, "WITH"
    elif isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() == "TABLE":
        yield from _out_of_order(text)


def _out_of_order(text: SourceText) -> Iterator[tuple[Span, str]]:
    outside, begin = text.outside_brackets(), text.at.begin
    end = match.start() if (match := _QUERY.search(outside)) else len(outside)
    reached = -1
    for match in _CLAUSE.finditer(outside, 0, end):
        rank = _ORDER.index(match.group().upper())
        if rank < reached:
            yield Span(begin + match.start(), begin + match.end()), _ORDER[rank]
        reached = max(reached, rank)
