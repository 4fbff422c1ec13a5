"""The project of a table's name, and the tables that a statement changes."""

from __future__ import annotations

from collections.abc import Iterator

from review.facts import CreatedKind, Script, Span, Statement, name_parts

_SCHEMAS = "odps.namespace.schema"


def project_of(script: Script, table: str) -> str | None:
    """Return the project in the name `table`, in lower case; None if there is none or it is uncertain.

    `a.b` is project and table, or schema and table if the script enables schemas; `a.b.c` is always
    project, schema and table.
    """
    parts = name_parts(table.lower().replace("`", ""))
    if len(parts) == 3:  # noqa: PLR2004 - project, schema, table
        return parts[0]
    return parts[0] if len(parts) == 2 and not _has_schemas(script) else None  # noqa: PLR2004 - as above


def _has_schemas(script: Script) -> bool:
    return any(
        statement.setting and statement.setting.name == _SCHEMAS and "true" in statement.setting.value.lower()
        for statement in script.statements
    )


def changed_projects(statement: Statement) -> Iterator[tuple[Span, str]]:
    """Yield the tables and views that a statement writes, creates, alters or drops, with their spans."""
    for write in statement.writes:
        yield write.at, write.table
    for made in statement.creations:
        if made.what in (CreatedKind.TABLE, CreatedKind.VIEW) and not any(
            made.at == write.at for write in statement.writes
        ):
            yield made.at, made.name
    for alteration in statement.alterations:
        yield alteration.at, alteration.table
    for removal in statement.removals:
        yield removal.at, removal.name
