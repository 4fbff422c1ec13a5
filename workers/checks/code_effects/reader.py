"""A node's code read into deeds, once for all checks of the fleet that ask."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from importlib.metadata import version

from review.analysis.naming import temporary
from review.analysis.table_set import Tables
from review.context import Given
from review.dialects import Dialect
from review.facts import Script
from review.facts.python import Access, Act
from review.gc_pause import put_off
from review.script_reader import read
from review.source.positions import Places
from workers.checks.api import Context
from workers.checks.code_effects.column_writes import fills
from workers.checks.code_effects.model import Deeds, Read
from workers.checks.code_effects.statement_changes import changes
from workers.checks.code_effects.table_names import full, live
from workers.checks.code_effects.table_rebuilds import Remaking

SECONDS = 5.0
"""For reading one script; what is left then is unread."""

_OPERATION = "code-deeds"
_ENGINE = version("dwgate")
_NOBODY = "dual"


def deeds(context: Context, code: str, dialect: Dialect, project: str | None) -> Deeds:
    """Return what `code` does, from an earlier answer where there is one.

    Args:
        context: of the check that asks.
        code: the text of a node.
        dialect: its language.
        project: the MaxCompute project of names without one; None when it is not known.
    """
    key = {
        "code": hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest(),
        "dialect": dialect.value,
        "project": project or "",
        "engine": _ENGINE,
    }
    kept = context.answers.get(_OPERATION, key) if context.answers else None
    if kept is not None:
        return Deeds.from_json(kept)
    with put_off():
        found = _read(read(code, dialect, Given(project=project), None, time.monotonic() + SECONDS))
    if context.answers:
        context.answers.put(_OPERATION, key, found.to_json())
    return found


def _read(script: Script) -> Deeds:
    places = Places(script.code)
    remaking = Remaking(script, places)
    return Deeds(
        reads=tuple(_reads(script, places)),
        changes=tuple(changes(script, places)),
        remade=remaking.remade(),
        altered=remaking.altered(),
        fills=tuple(fills(script, places)),
        unread=tuple(dict.fromkeys(places.at(offset).line for offset in _unread(script))),
        unnamed=tuple(places.at(access.at.begin).line for access in _accesses(script) if not access.table),
    )


def _reads(script: Script, places: Places) -> Iterator[Read]:
    """Yield tables that are read and that the script does not make or fill itself, in production's names."""
    made = (item.name for statement in script.statements for item in statement.creations)
    filled = (item.table for statement in script.statements for item in statement.writes)
    own = Tables(script, (*made, *filled))
    seen: set[str] = set()
    for table, offset in _sources(script):
        name = live(full(script, table))
        if name not in seen and table not in own and not temporary(table) and name != _nobody(script):
            seen.add(name)
            yield Read(name, places.at(offset).line)


def _nobody(script: Script) -> str:
    return full(script, _NOBODY)


def _sources(script: Script) -> Iterator[tuple[str, int]]:
    for statement in script.statements:
        for _, source in statement.reads():
            yield source.table, source.at.begin
        for made in statement.creations:
            if made.like:
                yield made.like, made.at.begin
    for access in _accesses(script):
        if access.table:
            yield access.table, access.at.begin
    for step in script.job.steps:
        table = step.parameter.get("table")
        if step.category == "reader" and step.kind == "odps" and isinstance(table, str) and table:
            yield table, step.at.begin


def _accesses(script: Script) -> Iterator[Access]:
    """Yield the calls of PyODPS that read."""
    return (item for item in script.python.accesses if item.act is Act.READ)


def _unread(script: Script) -> Iterator[int]:
    for statement in script.statements:
        if statement.unread is not None:
            yield (statement.unread_at or statement.at).begin
    for known in (script.python, script.shell):
        for query in known.queries:
            if query.unread:
                yield query.at.begin
