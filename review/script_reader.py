"""Reads a node's code as facts: SQL as a whole; for Python and shell, the embedded SQL and other facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from review import languages
from review.context import ReviewContext, TableMetadata
from review.dialects import Dialect
from review.facts import Script

if TYPE_CHECKING:
    from review.extraction.reader import ParsedScript

Tables = Callable[[frozenset[str]], Mapping[str, TableMetadata]]
"""Called once with all tables that a script reads or writes, by their names as written."""


def read_script(
    code: str, dialect: Dialect, context: ReviewContext, tables: Tables | None, deadline: float
) -> Script:
    """Return the facts of `code`.

    Args:
        code: as its author wrote it.
        dialect: the language of `code`.
        context: known facts about the node and its tables.
        tables: supplies metadata of tables that are not in `context`; its exceptions are propagated.
        deadline: when to stop reading, by `time.monotonic()`; the rest is marked unread.
    """
    if dialect.sql:
        parsed = _parsed(code, dialect, deadline)
        return parsed.script(_with_tables(context, tables, (parsed,)))
    known = languages.parse_embedded(code, dialect, deadline)
    # Facts use names as written, not the parameters that replace inserted values.
    parts = tuple(
        replace(_parsed(part.text, part.dialect, deadline), code=part.display_text) for part in known.embedded
    )
    context = _with_tables(context, tables, parts)
    scripts = [part.script(context) for part in parts]
    statements = (replace(item, dialect=one.dialect) for one in scripts for item in one.statements)
    return Script(
        code,
        dialect,
        context,
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


def _parsed(code: str, dialect: Dialect, until: float) -> ParsedScript:
    # Imported here: importing sqlglot takes a third of a second, and most processes never review.
    from review.extraction.reader import parse_script  # noqa: PLC0415

    return parse_script(code, dialect, until)


def _with_tables(
    given: ReviewContext, tables: Tables | None, parts: tuple[ParsedScript, ...]
) -> ReviewContext:
    if tables is None:
        return given
    names = frozenset(name for part in parts for name in part.tables)
    if not names:
        return given
    known = {name.lower(): table for name, table in tables(names).items()}
    return replace(given, tables={**known, **given.tables})
