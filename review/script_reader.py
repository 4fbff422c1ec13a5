"""A node's code as facts: SQL as a whole; the SQL within Python and shell, and what else those do."""

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
"""Asked once for every table that a script reads or writes, by the names as written."""


def read(code: str, dialect: Dialect, given: Given, tables: Tables | None, until: float) -> Script:
    """Return what `code` does.

    Args:
        code: as its author wrote it.
        dialect: the language of `code`.
        given: what is known besides the code.
        tables: supplies what is known of the tables that `given` does not have; what it raises comes through.
        until: when to stop reading, by `time.monotonic()`; what is left is unread.
    """
    if dialect.sql:
        parsed = _parsed(code, dialect, until)
        return parsed.script(_with_tables(given, tables, (parsed,)))
    known = languages.inside(code, dialect, until)
    # Facts take names as their author wrote them, not the parameters that stand for what is put in.
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
    # Here and not above: sqlglot takes a third of a second, and most processes never review.
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
