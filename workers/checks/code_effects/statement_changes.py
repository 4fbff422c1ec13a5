"""The statements of a script that write, create, alter or drop tables, with their keywords."""

from __future__ import annotations

from collections.abc import Iterator

from review.dialects import Dialect
from review.facts import CreatedKind, Creation, Removal, RemovedKind, Script, Statement, Write, WriteKind
from review.source.positions import LineIndex
from workers.checks.code_effects.model import TableWrite
from workers.checks.code_effects.table_names import database_of, unqualified

_WRITES = {
    WriteKind.INSERT: "INSERT INTO",
    WriteKind.OVERWRITE: "INSERT OVERWRITE",
    WriteKind.CREATE: "CREATE TABLE AS",
    WriteKind.MERGE: "MERGE INTO",
    WriteKind.UPDATE: "UPDATE",
    WriteKind.DELETE: "DELETE FROM",
    WriteKind.LOAD: "LOAD INTO",
    WriteKind.LOAD_OVERWRITE: "LOAD OVERWRITE",
    WriteKind.UPSERT: "INSERT INTO",
    WriteKind.VIEW: "CREATE MATERIALIZED VIEW TO",
}
_REMOVALS = {
    RemovedKind.TABLE: "DROP TABLE",
    RemovedKind.VIEW: "DROP VIEW",
    RemovedKind.DATABASE: "DROP DATABASE",
    RemovedKind.SCHEMA: "DROP SCHEMA",
    RemovedKind.PARTITION: "DROP PARTITION",
    RemovedKind.COLUMN: "DROP COLUMN",
    RemovedKind.BACKUP: "PURGE TABLE",
    RemovedKind.ROWS: "TRUNCATE TABLE",
}
_CREATIONS = {CreatedKind.TABLE: "CREATE TABLE", CreatedKind.VIEW: "CREATE VIEW"}


def written_tables(script: Script, places: LineIndex) -> Iterator[TableWrite]:
    """Yield the tables that the script changes, except those that it creates as TEMPORARY."""
    temporary = {
        unqualified(creation.name)
        for item in script.statements
        for creation in item.creations
        if creation.temporary
    }
    for statement in script.statements:
        dialect = statement.dialect or script.dialect
        for table, offset, words in _tables_of(statement):
            if unqualified(table) not in temporary:
                named = (
                    unqualified(table)
                    if words == _REMOVALS[RemovedKind.DATABASE]
                    else database_of(script, dialect, table)
                )
                yield TableWrite(table.replace("`", ""), places.at(offset).line, words, named)
    for access in script.python.accesses:
        if access.adds_rows or access.removes_rows:
            owner = database_of(script, Dialect.MAXCOMPUTE, access.table)
            yield TableWrite(access.table, places.at(access.at.begin).line, access.call, owner)
    for step in script.job.steps:
        target = step.parameter.get("table")
        if step.category == "writer" and step.kind == "odps" and isinstance(target, str):
            owner = database_of(script, Dialect.MAXCOMPUTE, target)
            yield TableWrite(target, places.at(step.at.begin).line, "odps writer", owner)


def _tables_of(statement: Statement) -> Iterator[tuple[str, int, str]]:
    found: list[Write | Creation | Removal] = [*statement.writes, *statement.removals]
    written = {write.at for write in statement.writes}
    found += [
        creation
        for creation in statement.creations
        if creation.what in _CREATIONS and creation.at not in written
    ]
    for item in found:
        table, words = _description(item)
        yield table, item.at.begin, words
    for alteration in statement.alterations:
        yield alteration.table, alteration.at.begin, "ALTER TABLE"


def _description(item: Write | Creation | Removal) -> tuple[str, str]:
    if isinstance(item, Write):
        return item.table, _WRITES[item.kind]
    return item.name, _CREATIONS[item.what] if isinstance(item, Creation) else _REMOVALS[item.what]
