"""Reads what a statement creates and removes: CREATE, DROP, TRUNCATE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from review.extraction.expressions.partitions import partition_values
from review.extraction.expressions.types import written_type
from review.extraction.queries import QueryWalker
from review.extraction.writes import table_at
from review.facts import ColumnDefinition, CreatedKind, Creation, Removal, RemovedKind, Span
from review.parsing.ast_nodes import Routine

_CREATED_KINDS = {
    "TABLE": CreatedKind.TABLE,
    "VIEW": CreatedKind.VIEW,
    "FUNCTION": CreatedKind.FUNCTION,
    "DATABASE": CreatedKind.DATABASE,
    "SCHEMA": CreatedKind.SCHEMA,
}
_DROPPED = {
    "TABLE": RemovedKind.TABLE,
    "VIEW": RemovedKind.VIEW,
    "DATABASE": RemovedKind.DATABASE,
    "SCHEMA": RemovedKind.SCHEMA,
}


def extract_creation(node: exp.Expr, walk: QueryWalker) -> Creation:
    """Read a CREATE; its query is read separately."""
    target = node.this
    schema = target if isinstance(target, exp.Schema) else None
    named = schema.this if schema is not None else target
    if isinstance(named, (exp.UserDefinedFunction, Routine)):
        named = named.this
    properties = _properties(node)
    query = node.args.get("expression")
    definitions = list(schema.expressions) if schema is not None else []
    partitions = tuple(_partition_columns(properties, walk))
    own = {column.name.lower() for column in partitions}
    return Creation(
        table_at(named, walk) if isinstance(named, exp.Expr) else walk.text.at,
        _CREATED_KINDS.get(str(node.args.get("kind")).upper(), CreatedKind.OTHER),
        walk.text.name(named) if isinstance(named, exp.Expr) else "",
        tuple(
            column for column in _columns(definitions, walk) if column.name.lower() not in own or column.type
        ),
        partitions,
        any(isinstance(item, exp.SchemaCommentProperty) for item in properties),
        _lifecycle(properties),
        bool(node.args.get("exists")),
        bool(node.args.get("replace")),
        _like(node, [*properties, *definitions], walk),
        isinstance(query, exp.Query),
        any(isinstance(item, exp.TemporaryProperty) for item in properties),
        any(isinstance(item, exp.ExternalProperty) for item in properties),
        (*_keys(definitions, properties, walk), *_sorting_key(properties)),
    )


def _properties(node: exp.Expr) -> list[exp.Expr]:
    holder = node.args.get("properties")
    return list(holder.expressions) if isinstance(holder, exp.Expr) else []


def materialized_into(node: exp.Expr) -> exp.Expr | None:
    """Return the table of ClickHouse's CREATE MATERIALIZED VIEW … TO, into which the view's rows go.

    https://clickhouse.com/docs/sql-reference/statements/create/view#materialized-view
    """
    found = (item.this for item in _properties(node) if isinstance(item, exp.ToTableProperty))
    return next(found, None)


def _columns(definitions: list[exp.Expr], walk: QueryWalker) -> Iterator[ColumnDefinition]:
    for item in definitions:
        if isinstance(item, exp.ColumnDef):
            yield column_definition(item, walk)
        elif isinstance(item, (exp.Identifier, exp.Column)):
            name = item.this if isinstance(item, exp.Column) else item
            yield ColumnDefinition(walk.text.span(name) or walk.text.at, walk.text.name(name))


def column_definition(node: exp.Expr, walk: QueryWalker) -> ColumnDefinition:
    """Read the definition of a column."""
    kinds = [item.args.get("kind") for item in node.args.get("constraints") or ()]
    return ColumnDefinition(
        walk.text.span(node.this) or walk.text.at,
        walk.text.name(node.this),
        written_type(node.args.get("kind")) or "",
        any(isinstance(kind, exp.CommentColumnConstraint) for kind in kinds),
        any(
            isinstance(kind, exp.PrimaryKeyColumnConstraint)
            or (isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null"))
            for kind in kinds
        ),
        generated=any(isinstance(kind, _GENERATED) for kind in kinds) or node.name.lower() == _WRITE_TIME,
    )


_GENERATED = (
    exp.ComputedColumnConstraint,
    exp.GeneratedAsIdentityColumnConstraint,
    exp.AutoIncrementColumnConstraint,
    exp.EphemeralColumnConstraint,
)
_WRITE_TIME = "_partitiontime"
"""MaxCompute's column of the time at which a row was written (page "Ingestion-time partitioned tables")."""


def _partition_columns(properties: list[exp.Expr], walk: QueryWalker) -> Iterator[ColumnDefinition]:
    for item in properties:
        if isinstance(item, exp.PartitionedByProperty) and isinstance(item.this, exp.Expr):
            parts = item.this.expressions if isinstance(item.this, (exp.Schema, exp.Tuple)) else [item.this]
            for part in parts:
                yield from _partition_column(part, walk)


def _partition_column(node: exp.Expr, walk: QueryWalker) -> Iterator[ColumnDefinition]:
    if isinstance(node, exp.Alias):
        # AUTO PARTITIONED BY (trunc_time(x, 'day') AS p): page "Auto partition table based on time computing
        # function" of MaxCompute.
        name = node.args["alias"]
        yield ColumnDefinition(walk.text.span(name) or walk.text.at, walk.text.name(name), generated=True)
        return
    yield from _columns([node], walk)


def _lifecycle(properties: list[exp.Expr]) -> int | None:
    for item in properties:
        if type(item) is exp.Property and item.name.upper() in ("LIFECYCLE", "HUBLIFECYCLE"):
            return parse_days(item.args.get("value"))
    return None


def parse_days(value: object) -> int:
    """Return a number of days; 0 if it is not a plain number."""
    text = value.name if isinstance(value, exp.Expr) else str(value)
    return int(text) if text.isdecimal() else 0


def _like(node: exp.Expr, properties: list[exp.Expr], walk: QueryWalker) -> str:
    for item in properties:
        if isinstance(item, exp.LikeProperty):
            return walk.text.name(item.this)
    clone = node.args.get("clone")
    return walk.text.name(clone.this) if isinstance(clone, exp.Expr) else ""


def _keys(definitions: list[exp.Expr], properties: list[exp.Expr], walk: QueryWalker) -> Iterator[str]:
    for item in (*definitions, *properties):
        if isinstance(item, (exp.PrimaryKey, exp.DuplicateKeyProperty, exp.UniqueKeyProperty)):
            if not isinstance(item, exp.DuplicateKeyProperty):
                for part in item.expressions:
                    inner = part.this if isinstance(part, (exp.Ordered, exp.Column)) else part
                    yield walk.text.name(inner.this if isinstance(inner, exp.Column) else inner)
        elif isinstance(item, exp.ColumnDef):
            kinds = [part.args.get("kind") for part in item.args.get("constraints") or ()]
            if any(isinstance(kind, exp.PrimaryKeyColumnConstraint) for kind in kinds):
                yield walk.text.name(item.this)
        elif isinstance(item, exp.Constraint):
            yield from _keys(item.expressions, [], walk)


def _sorting_key(properties: list[exp.Expr]) -> Iterator[str]:
    """Yield the ORDER BY of a ClickHouse table that keeps one row of each (page "ReplacingMergeTree")."""
    engines = [item.this.name for item in properties if isinstance(item, exp.EngineProperty)]
    if not any("replacing" in name.lower() for name in engines):
        return
    for item in properties:
        if isinstance(item, exp.Order):
            yield from (column.name for column in item.find_all(exp.Identifier))


def extract_drops(node: exp.Expr, walk: QueryWalker) -> Iterator[Removal]:
    """Read a DROP of tables, views, databases or schemas; temporary tables are ignored: no data is lost."""
    what = _DROPPED.get(str(node.args.get("kind")).upper())
    if what is None or node.args.get("temporary"):
        return
    for table in node.args.get("tables") or ():
        at = table_at(table, walk)
        yield Removal(Span(walk.text.at.begin, at.end), what, walk.text.name(table))


def extract_truncates(node: exp.Expr, walk: QueryWalker) -> Iterator[Removal]:
    """Read a TRUNCATE of tables or partitions."""
    partition = node.args.get("partition")
    values = partition_values(partition, walk.frame())
    for table in node.expressions:
        at = table_at(table, walk)
        end = max([at.end, *(value.at.end for value in values)])
        what = RemovedKind.PARTITION if isinstance(partition, exp.Expr) else RemovedKind.ROWS
        yield Removal(
            Span(walk.text.at.begin, walk.text.closing_end(at.begin, end)),
            what,
            walk.text.name(table),
            values,
        )


_ADDED = re.compile(
    r"add\s+(?P<kind>jars?|files?|archives?|py|table)\s+(?P<name>[^\s;]+)(?:.*?\bas\s+(?P<alias>[^\s;]+))?",
    re.IGNORECASE | re.DOTALL,
)


def parse_resource(text: str, start: int) -> Creation | None:
    """Read the client's `ADD JAR x [AS y]`."""
    match = _ADDED.match(text)
    if match is None:
        return None
    group = "alias" if match["alias"] else "name"
    begin, end = match.span(group)
    replace = re.search(r"\s-f\s*$", text) is not None
    return Creation(
        Span(start + begin, start + end), CreatedKind.RESOURCE, match[group].strip("'\""), replace=replace
    )
