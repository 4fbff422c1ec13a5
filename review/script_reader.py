"""Reads a node's code as facts: SQL as a whole; for Python and shell, the embedded SQL and other facts."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from review import languages
from review.context import ReviewContext, TableMetadata
from review.dialects import Dialect
from review.facts import Script, Span, Statement
from review.nesting import allow_deep_nesting
from review.source.insertions import InsertedText

if TYPE_CHECKING:
    from review.extraction.reader import ParsedScript

Tables = Callable[[frozenset[str]], Mapping[str, TableMetadata]]
"""Called once with all tables that a script reads or writes, by their names as written."""


class TableSupplier:
    """Supplies the metadata of a script's tables, and measures how long that takes.

    Args:
        tables: the supplier; None if no tables are looked up.

    Attributes:
        seconds: time spent so far. It is not the script's, so deadlines are postponed by it.
        fault: what the supplier raised.
    """

    def __init__(self, tables: Tables | None = None) -> None:
        self._tables = tables
        self.seconds = 0.0
        self.fault: BaseException | None = None

    def look_up(self, names: Iterable[str]) -> Mapping[str, TableMetadata]:
        """Return the metadata of the known ones among `names`, by lower-case name."""
        if self._tables is None or not (wanted := frozenset(names)):
            return {}
        start = time.monotonic()
        try:
            return {name.lower(): table for name, table in self._tables(wanted).items()}
        except BaseException as error:
            self.fault = error
            raise
        finally:
            self.seconds += time.monotonic() - start


def read_script(
    code: str, dialect: Dialect, context: ReviewContext, tables: TableSupplier | None, deadline: float
) -> Script:
    """Return the facts of `code`. No code makes this raise: what breaks a reader is marked unread.

    Args:
        code: as its author wrote it.
        dialect: the language of `code`.
        context: known facts about the node and its tables.
        tables: supplies metadata of tables that are not in `context`; its exceptions are propagated.
        deadline: when to stop reading, by `time.monotonic()`; the rest is marked unread. It is postponed by
            the time that `tables` takes.

    Raises:
        MemoryError: the code needs too much memory.
    """
    supplier = tables or TableSupplier()
    allow_deep_nesting()
    try:
        return _read(code, dialect, context, supplier, deadline)
    except MemoryError:
        raise
    except RecursionError as error:
        if error is supplier.fault:
            raise
        return _unread_script(code, dialect, context, "it is nested too deeply")
    except Exception as error:
        if error is supplier.fault:
            raise
        return _unread_script(code, dialect, context, f"it could not be analyzed ({type(error).__name__})")


def _unread_script(code: str, dialect: Dialect, context: ReviewContext, why: str) -> Script:
    return Script(code, dialect, context, statements=(Statement(Span(0, len(code)), unread=why),))


def _read(
    code: str, dialect: Dialect, context: ReviewContext, tables: TableSupplier, deadline: float
) -> Script:
    if dialect.sql:
        parsed = _parsed(code, dialect, deadline)
        context = _with_tables(context, tables, (parsed,))
        return _postponed(parsed, tables.seconds).script(context)
    known = languages.parse_embedded(code, dialect, deadline)
    # Facts use names as written, not the parameters that stand for inserted values.
    parts = tuple(
        replace(_parsed(part.text, part.dialect, deadline), written=InsertedText(part.text, part.insertions))
        for part in known.embedded
    )
    context = _with_tables(context, tables, parts)
    scripts = [_postponed(part, tables.seconds).script(context) for part in parts]
    statements = [
        (run_at, replace(item, dialect=script.dialect))
        for part, script in zip(known.embedded, scripts, strict=True)
        for run_at, item in _by_run(part, script)
    ]
    statements += [(item.at.begin, item) for item in known.unread]
    return Script(
        code,
        dialect,
        context,
        statements=tuple(item for _, item in sorted(statements, key=lambda run: (run[0], run[1].at))),
        parameters=tuple(dict.fromkeys(item for script in scripts for item in script.parameters)),
        comments=tuple(
            sorted(
                {*known.comments, *(item for script in scripts for item in script.comments)},
                key=lambda item: item.at,
            )
        ),
        python=known.python,
        shell=known.shell,
        job=known.job,
    )


def _by_run(part: languages.EmbeddedScript, script: Script) -> Iterator[tuple[int, Statement]]:
    """Yield the statements of embedded SQL, each with the offset of what runs it first."""
    places = sorted(part.run_at.items())
    begins = [at.begin for at, _ in places]
    for item in script.statements:
        index = bisect_right(begins, item.at.begin) - 1
        yield places[index][1] if index >= 0 else item.at.begin, item


def _parsed(code: str, dialect: Dialect, until: float) -> ParsedScript:
    # Imported here: importing sqlglot takes a third of a second, and most processes never review.
    from review.extraction.reader import parse_script  # noqa: PLC0415

    return parse_script(code, dialect, until)


def _postponed(part: ParsedScript, seconds: float) -> ParsedScript:
    return part if part.deadline is None else replace(part, deadline=part.deadline + seconds)


def _with_tables(
    given: ReviewContext, tables: TableSupplier, parts: tuple[ParsedScript, ...]
) -> ReviewContext:
    known = tables.look_up(name for part in parts for name in part.tables)
    return replace(given, tables={**known, **given.tables}) if known else given
