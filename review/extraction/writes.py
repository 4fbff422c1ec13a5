"""Reads what a statement writes: INSERT, MERGE, UPDATE, DELETE, LOAD, CREATE TABLE … AS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sqlglot import exp

from review.dialects import Dialect
from review.extraction.block_state import BlockState
from review.extraction.blocks import attach_join_conditions, extract_where
from review.extraction.change_targets import begin_change, changed_table, find_source
from review.extraction.expressions.operands import output_operand, read_operand
from review.extraction.expressions.partitions import partition_values
from review.extraction.queries import QueryWalker
from review.extraction.sources import SourceReader
from review.facts import (
    Block,
    Clause,
    JoinKind,
    Operand,
    OperandKind,
    Output,
    PartitionValue,
    Predicate,
    Role,
    Span,
    Write,
    WriteKind,
)

Keys = Callable[[str], bool]
"""Whether a table is known to have a primary key."""


def extract_insert(node: exp.Expr, walk: QueryWalker, keys: Keys) -> Write:
    """Read an INSERT and its query."""
    walk.with_(node)
    at, table, columns, target = _target(node.this, walk)
    given = node.args.get("partition") or (target.args.get("partition") if target is not None else None)
    partition = partition_values(given, walk.frame()) if isinstance(given, exp.Expr) else ()
    blocks, values = _rows(node.args.get("expression"), walk)
    if (
        isinstance(conflict := node.args.get("conflict"), exp.Expr)
        and conflict.expressions
        and target is not None
    ):
        _read_conflict(conflict, target, columns, blocks, walk)
    if node.args.get("by_name") and not columns:
        columns = _output_names(blocks, walk)
    return Write(at, _write_kind(node, table, keys), table, partition, columns, blocks, values)


def _read_conflict(
    node: exp.Expr, target: exp.Expr, columns: tuple[str, ...], blocks: tuple[int, ...], walk: QueryWalker
) -> None:
    """Read what an INSERT does with rows that exist: a block of role CHANGE.

    Its sources are the table and the row that was to be inserted: `excluded`, or in MySQL `VALUES(a)` or an
    alias. https://dev.mysql.com/doc/refman/8.4/en/insert-on-duplicate.html
    """
    rows, index = begin_change(target, [], walk)
    insert = node.parent.args.get("expression") if node.parent is not None else None
    alias = insert.args.get("alias") if isinstance(insert, exp.Values) else None
    named = tuple(column.name for column in alias.columns) if isinstance(alias, exp.TableAlias) else ()
    name = alias.name if isinstance(alias, exp.TableAlias) else _EXCLUDED
    rows.add_row(name, blocks, named or columns)
    for call in list(node.find_all(exp.Anonymous)):
        if call.name.upper() == "VALUES" and len(call.expressions) == 1:
            call.replace(_column_of(name, call.expressions[0]))
    outputs = tuple(output for _, output in _assignments(node.expressions, rows.frame))
    _finish_write(index, rows, outputs, _conditions(node, rows), walk)


_EXCLUDED = "excluded"


def _column_of(qualifier: str, column: exp.Expr) -> exp.Column:
    """Return a column with a qualifier that the author did not write, at the position of its name."""
    name = column.this if isinstance(column, exp.Column) else column
    table = exp.Identifier(this=qualifier)
    table.meta.update(name.meta)
    return exp.Column(this=name.copy(), table=table)


def _output_names(blocks: tuple[int, ...], walk: QueryWalker) -> tuple[str, ...]:
    """Return the names of a query's columns, by which `INSERT … BY NAME` finds those of the target."""
    block = walk.blocks[blocks[0]] if blocks else None
    names = tuple(output.name for output in block.outputs) if block is not None else ()
    return names if all(names) else ()


def _write_kind(node: exp.Expr, table: str, keys: Keys) -> WriteKind:
    if node.args.get("overwrite"):
        return WriteKind.OVERWRITE
    if any(node.args.get(key) for key in _REPLACED_ROWS) or node.args.get("alternative") == "REPLACE":
        return WriteKind.UPSERT
    if keys(table):
        return WriteKind.UPSERT
    return WriteKind.INSERT


_REPLACED_ROWS = ("conflict", "where", "using", "ignore")
"""Parts of an INSERT by which a row that is there already is not added again.

`ON CONFLICT`, `ON DUPLICATE KEY UPDATE`; `REPLACE WHERE` and `REPLACE USING` of Spark (page "INSERT" of
Databricks); `INSERT IGNORE` of MySQL.
"""


def _rows(node: exp.Expr | None, walk: QueryWalker) -> tuple[tuple[int, ...], int | None]:
    if isinstance(node, (exp.Values, exp.Tuple)):
        if walk.text.search(r"\bselect\b", walk.text.at.begin) is not None:
            for query in (item for part in node.expressions for item in part.find_all(exp.Query)):
                walk.query(query, Role.SCALAR)
        return (), len(node.expressions) if isinstance(node, exp.Values) else 1
    if not isinstance(node, exp.Expr):
        return (), None
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Values):
        return (), len(node.this.expressions)
    if walk.dialect is Dialect.CLICKHOUSE and _is_file(node):
        return (), None
    blocks = walk.query(node, Role.RESULT)
    return blocks, None


def _is_file(query: exp.Expr) -> bool:
    """Whether it is the `FROM INFILE 'path'` of ClickHouse, which the parser takes for a query."""
    origin = query.args.get("from_") if isinstance(query, exp.Select) else None
    source = origin.this if isinstance(origin, exp.Expr) else None
    return isinstance(source, exp.Table) and source.name.upper() == "INFILE" and bool(source.alias)


def extract_multi_insert(node: exp.Expr, walk: QueryWalker, keys: Keys) -> Iterator[Write]:
    """Read a FROM with several INSERTs: each branch is a block that reads from that FROM.

    In Oracle's INSERT ALL the query follows the branches, which write values of its columns.
    """
    walk.with_(node)
    source = node.args.get("source")
    query = source.this if isinstance(source, exp.Subquery) else source
    if isinstance(query, exp.Query) and not any(part.find(exp.Select) for part in node.expressions):
        walk.query(query, Role.RESULT)
    for branch in node.expressions:
        inner = branch.this if isinstance(branch, exp.ConditionalInsert) else branch
        select = inner.args.get("expression")
        if isinstance(source, exp.Expr) and isinstance(select, exp.Select) and not select.args.get("from_"):
            # Not with `set`, which would give the shared source another parent.
            select.args["from_"] = exp.From()
            select.args["from_"].args["this"] = source
        yield extract_insert(inner, walk, keys)


def _target(node: exp.Expr | None, walk: QueryWalker) -> tuple[Span, str, tuple[str, ...], exp.Expr | None]:
    columns: tuple[str, ...] = ()
    if isinstance(node, exp.Schema):
        columns = tuple(walk.text.name(_identifier(part)) for part in node.expressions)
        node = node.this
    if isinstance(node, exp.Table):
        name = walk.text.name(node)
        if isinstance(node.this, exp.Parameter):
            name = "@" + name.lstrip("@")
        return table_at(node, walk), name, columns, node
    return walk.text.at, "", columns, node


def _identifier(node: exp.Expr) -> exp.Expr:
    return (
        node.this
        if isinstance(node, (exp.Column, exp.ColumnDef)) and isinstance(node.this, exp.Expr)
        else node
    )


def table_at(node: exp.Expr, walk: QueryWalker) -> Span:
    """Return the span of a table's name."""
    parts = node.parts if isinstance(node, exp.Table) else [node]
    spans = [span for part in parts if (span := walk.text.span(part)) is not None]
    return Span(min(spans).begin, max(span.end for span in spans)) if spans else walk.text.at


def extract_update(node: exp.Expr, walk: QueryWalker) -> Iterator[Write]:
    """Read an UPDATE: a block of role CHANGE finds its rows; its outputs are the assigned values."""
    walk.with_(node)
    origin = node.args.get("from_")
    others = [origin.this] if isinstance(origin, exp.Expr) and isinstance(origin.this, exp.Expr) else []
    rows, index = begin_change(node.this, others, walk)
    outputs: list[Output] = []
    changed: dict[int, list[str]] = {}
    for target, output in _assignments(node.expressions, rows.frame):
        outputs.append(output)
        changed.setdefault(_changed_source(target, rows, walk.dialect), []).append(output.name)
    predicates = _conditions(node, rows)
    _finish_write(index, rows, tuple(outputs), predicates, walk)
    at = table_at(node.this, walk) if isinstance(node.this, exp.Expr) else walk.text.at
    for place, columns in (changed or {0: []}).items():
        name, chosen = changed_table(rows.sources[place], walk) if rows.sources else ("", False)
        filtered = chosen or _filtered(node, predicates, rows)
        yield Write(at, WriteKind.UPDATE, name, columns=tuple(columns), filtered=filtered)


def _changed_source(column: exp.Expr, rows: SourceReader, dialect: Dialect) -> int:
    """Return the index of the source whose column an UPDATE sets.

    MySQL's UPDATE of several tables changes those that qualify the columns (manual: "UPDATE Statement").
    """
    qualifier = column.args.get("table")
    if dialect is Dialect.MYSQL and isinstance(qualifier, exp.Expr):
        owner = rows.frame.scope.qualified(qualifier.name.lower())
        return owner[1] if owner is not None else 0
    return next((place for place, source in enumerate(rows.sources) if source.target), 0)


def _assignments(assignments: Iterable[exp.Expr], frame: BlockState) -> Iterator[tuple[exp.Expr, Output]]:
    """Read `a = x`, `(a, b) = (x, y)` and `(a, b) = (SELECT …)`: each assigned column, with its output."""
    for part in assignments:
        if not isinstance(part, exp.EQ):
            continue
        frame.clause = Clause.OUTPUT
        targets, values = _members(part.this), _members(part.expression)
        made = [output_operand(value, frame) for value in values]
        for place, target in enumerate(targets):
            operand, aggregate = made[place if len(made) == len(targets) else 0]
            column = read_operand(target, frame)
            name, qualifier = _assigned_column(target, column)
            yield target, Output(column.at, name, operand, qualifier=qualifier, aggregate=aggregate)


def _assigned_column(node: exp.Expr, read: Operand) -> tuple[str, str]:
    """Return the name and the qualifier of the column in which a value, a field or an element is set."""
    if len(read.columns) != 1:
        return node.name, ""
    column = read.columns[0]
    if column.qualifier and column.block is None:  # a field of a column of type STRUCT
        return column.qualifier.partition(".")[0], ""
    return column.name, column.qualifier


def _members(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Anonymous) and node.name.upper() == "ROW":
        return list(node.expressions)
    return list(node.expressions) if isinstance(node, exp.Tuple) and node.expressions else [node]


def extract_delete(node: exp.Expr, walk: QueryWalker) -> Iterator[Write]:
    """Read a DELETE: a block of role CHANGE finds its rows."""
    walk.with_(node)
    using = node.args.get("using")
    others = [part for part in (using if isinstance(using, list) else [using]) if isinstance(part, exp.Expr)]
    tables = [table for table in node.args.get("tables") or () if not _is_top(table, walk.dialect)]
    top = len(tables) < len(node.args.get("tables") or ())
    target = node.this if isinstance(node.this, exp.Expr) else tables[0] if tables else None
    # MySQL's `DELETE FROM a, b USING …` lists names only (manual: "DELETE Statement").
    listed = bool(others) and walk.dialect is Dialect.MYSQL
    rows, index = begin_change(target, others, walk, listed=listed)
    predicates = _conditions(node, rows)
    _finish_write(index, rows, (), predicates, walk)
    filtered = top or _filtered(node, predicates, rows)
    given = target.args.get("partition") if target is not None else None
    partition = partition_values(given, walk.frame())
    joined = [join.this for join in target.args.get("joins") or ()] if target is not None and listed else []
    for table in tables or [target, *joined]:
        if isinstance(table, exp.Table):
            name = walk.text.name(table)
            place = find_source(name, rows.sources)
            name, chosen = changed_table(rows.sources[place], walk) if place is not None else (name, False)
            yield Write(table_at(table, walk), WriteKind.DELETE, name, partition, filtered=filtered or chosen)


def _is_top(table: exp.Expr, dialect: Dialect) -> bool:
    """Whether it is the `TOP (n)` of T-SQL, which the parser takes for a table."""
    return dialect is Dialect.TSQL and table.name.upper() == "TOP"


def extract_merge(node: exp.Expr, walk: QueryWalker) -> Write:
    """Read a MERGE: a block of role CHANGE joins its target with its USING source."""
    walk.with_(node)
    rows, index = begin_change(node.this, [], walk)
    using = node.args.get("using")
    on = node.args.get("on")
    if isinstance(using, exp.Expr):
        rows.join(using, JoinKind.INNER, on if isinstance(on, exp.Expr) else None)
    outputs: list[Output] = []
    whens = node.args.get("whens")
    predicates = tuple(attach_join_conditions(rows))
    for when in whens.expressions if isinstance(whens, exp.Expr) else ():
        outputs += _when(when, rows)
    _finish_write(index, rows, tuple(outputs), predicates, walk)
    table = node.this
    return Write(
        table_at(table, walk), WriteKind.MERGE, walk.text.name(table) if isinstance(table, exp.Table) else ""
    )


def _when(node: exp.Expr, rows: SourceReader) -> Iterator[Output]:
    frame = rows.frame
    if isinstance(condition := node.args.get("condition"), exp.Expr):
        frame.clause = Clause.WHERE
        frame.comparisons += frame.compare(condition, frame)
    then = node.args.get("then")
    if not isinstance(then, exp.Expr):
        return
    frame.clause = Clause.OUTPUT
    if isinstance(then.this, exp.Star) or any(isinstance(part, exp.Star) for part in then.expressions):
        at = frame.text.at  # INSERT *, UPDATE SET *: the columns of the same names
        yield Output(at, "", Operand(at, OperandKind.COMPUTED), star=True)
    elif isinstance(then, exp.Update):
        yield from (output for _, output in _assignments(then.expressions, frame))
    values = then.args.get("expression")
    if isinstance(values, exp.Tuple):
        names = then.this.expressions if isinstance(then.this, exp.Expr) else []
        for index, part in enumerate(values.expressions):
            made, aggregate = output_operand(part, frame)
            name = names[index].name if index < len(names) else ""
            yield Output(made.at, name, made, aggregate=aggregate)


def _conditions(node: exp.Expr, rows: SourceReader) -> tuple[Predicate, ...]:
    where_ = node.args.get("where")
    return (
        *attach_join_conditions(rows),
        *(extract_where(where_, Clause.WHERE, rows.frame) if where_ is not None else ()),
    )


def _finish_write(
    index: int,
    rows: SourceReader,
    outputs: tuple[Output, ...],
    predicates: tuple[Predicate, ...],
    walk: QueryWalker,
) -> None:
    frame = rows.frame
    walk.parent = None
    walk.blocks[index] = Block(
        walk.text.at,
        Role.CHANGE,
        sources=tuple(rows.sources),
        predicates=predicates,
        comparisons=tuple(frame.comparisons),
        outputs=outputs,
        calls=tuple(frame.calls),
        windows=tuple(frame.windows),
        divisions=tuple(frame.divisions),
    )


def _filtered(node: exp.Expr, predicates: tuple[Predicate, ...], rows: SourceReader) -> bool:
    if len(rows.sources) > 1 or node.args.get("limit"):
        return True
    return any(not is_always_true(item) for item in predicates)


def is_always_true(condition: Predicate) -> bool:
    """Whether a condition is true for every row as written (`1 = 1`, TRUE)."""
    if condition.alternatives:
        return any(all(is_always_true(part) for part in branch) for branch in condition.alternatives)
    left, rights = condition.left, condition.rights
    if left.sort is not OperandKind.LITERAL:
        return False
    if not rights:
        return left.value not in ("false", "0", "0.0", None) and condition.operator.value == "truth"
    return condition.operator.value in ("=", "<=>") and all(
        right.sort is OperandKind.LITERAL and right.value == left.value for right in rights
    )


def extract_output(node: exp.Expr, walk: QueryWalker) -> Iterator[Write]:
    """Read T-SQL's `OUTPUT … INTO t`, by which a change also appends to a table."""
    returning = node.args.get("returning")
    into = returning.args.get("into") if isinstance(returning, exp.Expr) else None
    if not isinstance(into, (exp.Table, exp.Schema)):
        return
    at, table, columns, _ = _target(into, walk)
    yield Write(at, WriteKind.INSERT, table, columns=columns)


def extract_copy(node: exp.Expr, walk: QueryWalker) -> Iterator[Write]:
    """Read a COPY: into a table it appends rows; out of a table or query it writes none.

    `COPY INTO` of Databricks skips the files that it has loaded before (page "COPY INTO").
    """
    target = node.this
    if isinstance(target, exp.Query):
        walk.query(target, Role.RESULT)
    elif isinstance(target, (exp.Table, exp.Schema)) and node.args.get("kind"):
        at, table, columns, _ = _target(target, walk)
        once = walk.dialect is Dialect.SPARK
        yield Write(at, WriteKind.UPSERT if once else WriteKind.LOAD, table, columns=columns)


def extract_load(node: exp.Expr, walk: QueryWalker) -> Write:
    """Read a LOAD."""
    at, table, columns, target = _target(node.this, walk)
    given = node.args.get("partition") or (target.args.get("partition") if target is not None else None)
    how = WriteKind.LOAD_OVERWRITE if node.args.get("overwrite") else WriteKind.LOAD
    partition: tuple[PartitionValue, ...] = partition_values(given, walk.frame())
    return Write(at, how, table, partition, columns)
