"""Extracts the effects of a node's code, once for all checks of the fleet."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

from common.processes.version import running_version
from review.analysis.naming import is_temporary
from review.analysis.table_set import TableSet
from review.context import ReviewContext
from review.dialects import Dialect
from review.errors import NOTES, ReviewTimeout
from review.facts import Script
from review.facts.python import TableAccess, TableAccessKind
from review.gc_pause import gc_paused
from review.script_reader import read_script
from review.source.positions import LineIndex
from workers.checks.api import Context
from workers.checks.code_effects.column_writes import column_writes
from workers.checks.code_effects.model import CodeEffects, TableRead
from workers.checks.code_effects.statement_changes import written_tables
from workers.checks.code_effects.table_names import production_name, qualified
from workers.checks.code_effects.table_rebuilds import TableRebuilds

SECONDS = 5.0
"""Time limit for parsing one script; the rest stays unparsed."""

_OUT_OF_TIME = str(ReviewTimeout())
_OPERATION = "code-effects"
_ENGINE = running_version()
_DUMMY_TABLE = "dual"
"""Table of queries that need no table."""


def read_effects(context: Context, code: str, dialect: Dialect, project: str | None) -> CodeEffects:
    """Return the effects of `code`, from the cache if possible.

    Args:
        context: context of the check.
        code: the text of a node.
        dialect: its language.
        project: the MaxCompute project of unqualified names; None if unknown.
    """
    key = {
        "code": hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest(),
        "dialect": dialect.value,
        "project": project or "",
        "engine": _ENGINE,
    }
    kept = context.result_cache.get(_OPERATION, key) if context.result_cache else None
    if kept is not None:
        return CodeEffects.from_json(kept)
    with gc_paused():
        found = _read(
            read_script(code, dialect, ReviewContext(project=project), None, time.monotonic() + SECONDS)
        )
    # With more time, the next attempt may parse what this one could not.
    if context.result_cache and not any(why == _OUT_OF_TIME for _, why in found.gaps):
        context.result_cache.put(_OPERATION, key, found.to_json())
    return found


def _read(script: Script) -> CodeEffects:
    places = LineIndex(script.code)
    rebuilds = TableRebuilds(script, places)
    return CodeEffects(
        reads=tuple(_reads(script, places)),
        changes=tuple(written_tables(script, places)),
        rebuilt=rebuilds.rebuilt_tables(),
        altered=rebuilds.altered_columns(),
        column_writes=tuple(column_writes(script, places)),
        unparsed=tuple(dict.fromkeys(places.at(offset).line for offset in _unparsed_lines(script))),
        dynamic_reads=tuple(
            places.at(access.at.begin).line for access in _accesses(script) if not access.table
        ),
        gaps=tuple(_gaps(script, places)),
    )


def _reads(script: Script, places: LineIndex) -> Iterator[TableRead]:
    """Yield the tables that the script reads and does not create or write itself, by production name."""
    created = (item.name for statement in script.statements for item in statement.creations)
    written = (item.table for statement in script.statements for item in statement.writes)
    own = TableSet(script, (*created, *written))
    seen: set[str] = set()
    for table, offset in _sources(script):
        name = production_name(qualified(script, table))
        if (
            name not in seen
            and table not in own
            and not is_temporary(table)
            and name != qualified(script, _DUMMY_TABLE)
        ):
            seen.add(name)
            yield TableRead(name, places.at(offset).line)


def _sources(script: Script) -> Iterator[tuple[str, int]]:
    for statement in script.statements:
        for _, source in statement.reads():
            yield source.table, source.at.begin
        for creation in statement.creations:
            if creation.like:
                yield creation.like, creation.at.begin
    for access in _accesses(script):
        if access.table:
            yield access.table, access.at.begin
    for step in script.job.steps:
        table = step.parameter.get("table")
        if step.category == "reader" and step.kind == "odps" and isinstance(table, str) and table:
            yield table, step.at.begin


def _accesses(script: Script) -> Iterator[TableAccess]:
    """Yield the PyODPS calls that read tables."""
    return (item for item in script.python.accesses if item.act is TableAccessKind.READ)


def _gaps(script: Script, places: LineIndex) -> Iterator[tuple[int, str]]:
    for statement in script.statements:
        if statement.unread is not None and statement.unread not in NOTES:
            yield places.at((statement.unread_at or statement.at).begin).line, statement.unread


def _unparsed_lines(script: Script) -> Iterator[int]:
    for statement in script.statements:
        if statement.unread is not None:
            yield (statement.unread_at or statement.at).begin
    for known in (script.python, script.shell):
        for query in known.queries:
            if query.unread:
                yield query.at.begin
