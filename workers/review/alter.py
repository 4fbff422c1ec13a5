"""ALTER TABLE, read from its text: every engine has its own, and only what is taken away matters here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workers.review.facts import Gone

_TABLE = re.compile(
    r"ALTER\s+(?:EXTERNAL\s+)?TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<name>[^\s(]+)", re.IGNORECASE
)
_TAKEN = re.compile(r"\b(?P<verb>DROP|TRUNCATE)\s+(?:IF\s+EXISTS\s+)?(?P<what>\w+|[`\"])", re.IGNORECASE)
_RENAMED = re.compile(r"\bRENAME\s+TO\s+(?P<name>[^\s(,;]+)", re.IGNORECASE)
_PARTITION_ADDED = re.compile(r"\bADD\s+(?:IF\s+NOT\s+EXISTS\s+)?PARTITION\b", re.IGNORECASE)
_PARTITIONS = frozenset({"PARTITION", "PARTITIONS", "SUBPARTITION"})
_HARMLESS = frozenset(
    {"CONSTRAINT", "INDEX", "KEY", "PRIMARY", "FOREIGN", "CHECK", "UNIQUE", "DEFAULT", "NOT", "IDENTITY"}
) | frozenset(
    {"EXPRESSION", "PROJECTION", "ROLLUP", "STATISTICS", "TAG", "FEATURE", "TBLPROPERTIES", "PERIOD"}
)


def table(bare: str) -> tuple[int, int]:
    """Return where the table's name stands in an ALTER TABLE; (0, 0) for any other ALTER."""
    match = _TABLE.match(bare)
    return match.span("name") if match else (0, 0)


def taken(bare: str) -> Iterator[tuple[Gone, int]]:
    """Yield what the statement takes away (columns, partitions), and the offset at which it says so."""
    for match in _TAKEN.finditer(bare, table(bare)[1]):
        word = match["what"].upper()
        if word in _PARTITIONS:
            yield Gone.PARTITION, match.start()
        elif match["verb"].upper() == "DROP" and word not in _HARMLESS:
            yield Gone.COLUMN, match.start()


def filled(bare: str) -> Iterator[tuple[int, int]]:
    """Yield where the tables stand that the statement renews: by a new name, or by a new partition."""
    for match in _RENAMED.finditer(bare):
        yield match.span("name")
    if _PARTITION_ADDED.search(bare):
        yield table(bare)
