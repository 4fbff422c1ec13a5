"""Reads a node's code as facts: SQL as a whole; for Python and shell, the embedded SQL and other facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from review import languages
from review.context import Given, Table
from review.dialects import Dialect
from review.facts import Script

if TYPE_CHECKING:
    from review.extraction.reader import Parsed

Tables = Callable[[frozenset[str]], Mapping[str, Table]]
"""Called once with all tables that a script reads or writes, by their names as written."""


def read(code: str, dialect: Dialect, given: Given, tables: Tables | None, until: float) -> Script:
    """Return the facts of `code`.

    Args:
        code: as its author wrote it.
        dialect: the language of `code`.
        given: known facts about the node and its tables.
        tables: supplies metadata of tables that are not in `given`; its exceptions are propagated.
        until: when to stop reading, by `time.monotonic()`; the rest is marked unread.
    """
    if dialect.sql:
        parsed = _parsed(code, dialect, until)
        return parsed.script(_with_tables(given, tables, (parsed,)))
    known = languages.inside(code, dialect, until)
    # Facts use names as written, not the parameters that replace inserted values.
    parts = tuple(
        replace(_parsed(part.text, part.dialect, until), code=part.shown) for part in known.embedded
    )
    given = _with_tables(given, tables, parts)
    scripts = [part.script(given) for part in parts]
    statements = (replace(item, dialect=one.dialect) for one in scripts for item in one.statements)
    return Script(
        code,
        dialect,
        given,
        statements=tuple(sorted((*known.unread, *statements), key=lambda item: item.at)),
        parameters=tuple(item for script in scripts for item in script.parameters),
        comments=tuple(
            sorted(
                (*known.comments, *(item for script in scripts for item in script.comments)),
                key=lambda item: item.at,
            )
        ),
        python=known.python,
        shell=known.shell,
        job=known.job,
    )


def _parsed(code: str, dialect: Dialect, until: float) -> Parsed:
    # Imported here: importing sqlglot takes a third of a second, and most processes never review.
    from review.extraction.reader import parse_all  # noqa: PLC0415

    return parse_all(code, dialect, until)


def _with_tables(given: Given, tables: Tables | None, parts: tuple[Parsed, ...]) -> Given:
    if tables is None:
        return given
    names = frozenset(name for part in parts for name in part.tables)
    if not names:
        return given
    known = {name.lower(): table for name, table in tables(names).items()}
    return replace(given, tables={**known, **given.tables})
