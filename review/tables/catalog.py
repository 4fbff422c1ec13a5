"""The known metadata of a script's tables: from the catalog (`Given`) and from the script itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from review.facts import (
    AlterKind,
    Column,
    CreatedKind,
    Creation,
    Operand,
    OperandKind,
    Script,
    Source,
    Statement,
    table_key,
)


class TableCatalog:
    """The tables of one script. Unknown metadata is None: rules never guess."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._created: dict[str, list[Creation]] = {}
        for statement in script.statements:
            for made in statement.creations:
                if made.what is CreatedKind.TABLE and not made.like:
                    self._created.setdefault(table_key(made.name), []).append(made)
        self._altered = frozenset(
            table_key(change.table)
            for statement in script.statements
            for change in statement.alterations
            if change.what in _CHANGES_COLUMNS
        )
        self._named = _partitions_named(script.statements)
        self._columns: dict[str, Mapping[str, str] | None] = {}
        self._partitions: dict[str, tuple[str, ...] | None] = {}
        self._creations: dict[str, Creation | None] = {}
        self._types: dict[str, dict[str, str]] = {}
        """Types of the columns of tables that the script creates; the first of two with one name."""

    def partitions(self, table: str) -> tuple[str, ...] | None:
        """Return the partition columns of `table` in lower case; empty if not partitioned; None if unknown.

        They are known from the catalog, from a CREATE in the script, or from a `PARTITION(…)` in the script.
        """
        if table not in self._partitions:
            self._partitions[table] = self._find_partitions(table)
        return self._partitions[table]

    def _find_partitions(self, table: str) -> tuple[str, ...] | None:
        if known := self._script.context.table(table):
            return tuple(known.partitions)
        if created := self._creation(table):
            return tuple(column.name.lower() for column in created.partitions)
        named = self._named.get(table_key(table), {})
        return next((columns for name, columns in named.items() if self._script.same(name, table)), None)

    def generated(self, table: str) -> frozenset[str]:
        """Return the columns of `table`, in lower case, whose values the engine computes, by a CREATE."""
        created = self._creation(table)
        columns = (*created.columns, *created.partitions) if created else ()
        return frozenset(column.name.lower() for column in columns if column.generated)

    def columns(self, table: str) -> Mapping[str, str] | None:
        """Return the column types (upper case) of `table`, partition columns last; None if unknown."""
        if table not in self._columns:
            self._columns[table] = self._find_columns(table)
        return self._columns[table]

    def _find_columns(self, table: str) -> Mapping[str, str] | None:
        if known := self._script.context.table(table):
            if not known.columns:
                return None
            return {name: kind.upper() for name, kind in (*known.columns.items(), *known.partitions.items())}
        created = self._creation(table)
        if created and created.columns and not created.queried and table_key(table) not in self._altered:
            return {column.name.lower(): column.type for column in (*created.columns, *created.partitions)}
        return None

    def type_of(self, statement: Statement, operand: Operand) -> str | None:
        """Return the type of an operand in upper case, without its length; None if unknown.

        A column's type is traced through subqueries and CTEs that output the column unchanged or cast.
        """
        if operand.type:
            return _base_type(operand.type)
        if operand.sort is OperandKind.COLUMN and operand.columns:
            return self._column(statement, operand.columns[0], 0)
        return None

    def table_of(self, statement: Statement, column: Column) -> tuple[str, str] | None:
        """Return the database table and column that `column` is an unchanged copy of, or None."""
        for _ in range(_MAX_DEPTH):
            source = _source(statement, column)
            if source is None:
                return None
            if source.table:
                return source.table, column.key
            passed = _passed_column(statement, source, column.key)
            if passed is None or passed.sort is not OperandKind.COLUMN or not passed.columns:
                return None
            column = passed.columns[0]
        return None

    def _column(self, statement: Statement, column: Column, depth: int) -> str | None:
        source = _source(statement, column)
        if source is None or depth > _MAX_DEPTH:
            return None
        if source.table:
            known = self.partition_type(source.table, column.key)
            return _base_type(known) if known else None
        passed = _passed_column(statement, source, column.key)
        if passed is None:
            return None
        if passed.type:
            return _base_type(passed.type)
        if passed.sort is OperandKind.COLUMN and passed.columns:
            return self._column(statement, passed.columns[0], depth + 1)
        return None

    def partition_type(self, table: str, column: str) -> str | None:
        """Return the type of a column of `table`, partition columns included; None if unknown."""
        if known := self._script.context.table(table):
            return known.columns.get(column) or known.partitions.get(column)
        if created := self._creation(table):
            if table not in self._types:
                defined = (*created.partitions[::-1], *created.columns[::-1])
                self._types[table] = {item.name.lower(): item.type for item in defined}
            return self._types[table].get(column) or None
        return None

    def _creation(self, table: str) -> Creation | None:
        if table not in self._creations:
            self._creations[table] = self._find_creation(table)
        return self._creations[table]

    def _find_creation(self, table: str) -> Creation | None:
        made = [one for one in self._created.get(table_key(table), ()) if self._script.same(one.name, table)]
        # Created twice with different columns: which definition a statement sees is unknown.
        return made[0] if made and all(_shape(one) == _shape(made[0]) for one in made) else None


_CHANGES_COLUMNS = frozenset(
    {AlterKind.ADD_COLUMNS, AlterKind.RENAME_COLUMN, AlterKind.CHANGE_COLUMN, AlterKind.RENAME}
)


def _shape(made: Creation) -> tuple[tuple[str, str], ...]:
    return tuple((column.name.lower(), column.type) for column in (*made.columns, *made.partitions))


_MAX_DEPTH = 20
"""Maximum nested subqueries through which a column is traced."""


def _source(statement: Statement, column: Column) -> Source | None:
    if column.block is None or column.source is None:
        return None
    source = statement.blocks[column.block].sources[column.source]
    return source if source.origins(column.key) == (column.key,) else None  # made by a pivot


def _passed_column(statement: Statement, source: Source, name: str) -> Operand | None:
    if len(source.blocks) != 1:
        return None
    outputs = statement.blocks[source.blocks[0]].outputs
    if source.columns:  # the alias renames them, by position
        listed = [column.lower() for column in source.columns]
        index = listed.index(name) if name in listed else len(outputs)
        plain = index < len(outputs) and not any(output.star for output in outputs[: index + 1])
        return outputs[index].operand if plain else None
    found = next((item.operand for item in outputs if not item.star and item.name.lower() == name), None)
    return found or _through_star(statement, source.blocks[0], name)


def _through_star(statement: Statement, index: int, name: str) -> Operand | None:
    """Return the column that a star of a block outputs, if only one source can have it."""
    block = statement.blocks[index]
    for output in block.outputs:
        if output.star:
            places = [
                place
                for place, source in enumerate(block.sources)
                if output.qualifier.lower() in ("", source.alias.lower())
            ]
            if len(places) == 1:
                column = Column(output.at, name, output.qualifier, index, places[0])
                return Operand(output.at, OperandKind.COLUMN, columns=(column,))
    return None


def _partitions_named(statements: Iterable[Statement]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the columns of every `PARTITION(…)`, by the table name's last part, then by the whole name."""
    named: dict[str, dict[str, tuple[str, ...]]] = {}
    for statement in statements:
        clauses = [(write.table, write.partition) for write in statement.writes]
        clauses += [(removal.name, removal.partition) for removal in statement.removals]
        for table, values in clauses:
            if values:
                columns = tuple(value.column.lower() for value in values)
                named.setdefault(table_key(table), {}).setdefault(table.lower(), columns)
    return named


def _base_type(kind: str) -> str:
    return kind.upper().partition("(")[0].partition("<")[0].strip()
