"""What a script writes, makes, alters and takes away, each in the words that one writes it with."""

from __future__ import annotations

from collections.abc import Iterator

from review.dialects import Dialect
from review.facts import Creation, Gone, Made, Removal, Script, Statement, Write, Written
from review.source.positions import Places
from workers.checks.code_effects.model import Change
from workers.checks.code_effects.table_names import database, plain

_WRITES = {
    Written.INSERT: "INSERT INTO",
    Written.OVERWRITE: "INSERT OVERWRITE",
    Written.CREATE: "CREATE TABLE AS",
    Written.MERGE: "MERGE INTO",
    Written.UPDATE: "UPDATE",
    Written.DELETE: "DELETE FROM",
    Written.LOAD: "LOAD INTO",
    Written.LOAD_OVERWRITE: "LOAD OVERWRITE",
    Written.UPSERT: "INSERT INTO",
}
_REMOVALS = {
    Gone.TABLE: "DROP TABLE",
    Gone.VIEW: "DROP VIEW",
    Gone.DATABASE: "DROP DATABASE",
    Gone.SCHEMA: "DROP SCHEMA",
    Gone.PARTITION: "DROP PARTITION",
    Gone.COLUMN: "DROP COLUMN",
    Gone.BACKUP: "PURGE TABLE",
    Gone.ROWS: "TRUNCATE TABLE",
}
_CREATIONS = {Made.TABLE: "CREATE TABLE", Made.VIEW: "CREATE VIEW"}


def changes(script: Script, places: Places) -> Iterator[Change]:
    """Yield what the script changes, tables that it makes TEMPORARY left out."""
    passing = {plain(made.name) for item in script.statements for made in item.creations if made.temporary}
    for statement in script.statements:
        dialect = statement.dialect or script.dialect
        for table, offset, words in _of(statement):
            if plain(table) not in passing:
                named = (
                    plain(table) if words == _REMOVALS[Gone.DATABASE] else database(script, dialect, table)
                )
                yield Change(table.replace("`", ""), places.at(offset).line, words, named)
    for access in script.python.accesses:
        if access.brings or access.takes:
            owner = database(script, Dialect.MAXCOMPUTE, access.table)
            yield Change(access.table, places.at(access.at.begin).line, access.call, owner)
    for step in script.job.steps:
        target = step.parameter.get("table")
        if step.category == "writer" and step.kind == "odps" and isinstance(target, str):
            owner = database(script, Dialect.MAXCOMPUTE, target)
            yield Change(target, places.at(step.at.begin).line, "odps writer", owner)


def _of(statement: Statement) -> Iterator[tuple[str, int, str]]:
    found: list[Write | Creation | Removal] = [*statement.writes, *statement.removals]
    written = {write.at for write in statement.writes}
    found += [made for made in statement.creations if made.what in _CREATIONS and made.at not in written]
    for item in found:
        table, words = _said(item)
        yield table, item.at.begin, words
    for alteration in statement.alterations:
        yield alteration.table, alteration.at.begin, "ALTER TABLE"


def _said(item: Write | Creation | Removal) -> tuple[str, str]:
    if isinstance(item, Write):
        return item.table, _WRITES[item.how]
    return item.name, _CREATIONS[item.what] if isinstance(item, Creation) else _REMOVALS[item.what]
