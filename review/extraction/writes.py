"""Reads what a statement writes: INSERT, MERGE, UPDATE, DELETE, LOAD, CREATE TABLE … AS."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from review.extraction.blocks import joins, where
from review.extraction.expressions.operands import operand, output_operand
from review.extraction.expressions.partitions import partition_values
from review.extraction.queries import Walk
from review.extraction.scopes import Scope
from review.extraction.sources import Rows
from review.facts import (
    Block,
    Clause,
    Joined,
    Output,
    PartitionValue,
    Predicate,
    Role,
    Sort,
    Span,
    Write,
    Written,
)

Keys = Callable[[str], bool]
"""Whether a table is known to have a primary key."""


def insert(node: exp.Expr, walk: Walk, keys: Keys) -> Write:
    """Read an INSERT and its query."""
    walk.with_(node)
    at, table, columns, target = _target(node.this, walk)
    given = node.args.get("partition") or (target.args.get("partition") if target is not None else None)
    partition = partition_values(given, walk.frame()) if isinstance(given, exp.Expr) else ()
    blocks, values = _rows(node.args.get("expression"), walk)
    return Write(at, _how(node, table, keys), table, partition, columns, blocks, values)


def _how(node: exp.Expr, table: str, keys: Keys) -> Written:
    if node.args.get("overwrite"):
        return Written.OVERWRITE
    if node.args.get("conflict") or node.args.get("alternative") == "REPLACE" or keys(table):
        return Written.UPSERT
    return Written.INSERT


def _rows(node: exp.Expr | None, walk: Walk) -> tuple[tuple[int, ...], int | None]:
    if isinstance(node, (exp.Values, exp.Tuple)):
        return (), len(node.expressions) if isinstance(node, exp.Values) else 1
    if not isinstance(node, exp.Expr):
        return (), None
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Values):
        return (), len(node.this.expressions)
    blocks = walk.query(node, Role.RESULT)
    return blocks, None


def inserts(node: exp.Expr, walk: Walk, keys: Keys) -> Iterator[Write]:
    """Read a FROM with several INSERTs: each branch is a block that reads from that FROM."""
    walk.with_(node)
    source = node.args.get("source")
    for branch in node.expressions:
        inner = branch.this if isinstance(branch, exp.ConditionalInsert) else branch
        select = inner.args.get("expression")
        if isinstance(source, exp.Expr) and isinstance(select, exp.Select) and not select.args.get("from_"):
            # Not with `set`, which would give the shared source another parent.
            select.args["from_"] = exp.From()
            select.args["from_"].args["this"] = source
        yield insert(inner, walk, keys)


def _target(node: exp.Expr | None, walk: Walk) -> tuple[Span, str, tuple[str, ...], exp.Expr | None]:
    columns: tuple[str, ...] = ()
    if isinstance(node, exp.Schema):
        columns = tuple(walk.text.name(_identifier(part)) for part in node.expressions)
        node = node.this
    if isinstance(node, exp.Table):
        return table_at(node, walk), walk.text.name(node), columns, node
    return walk.text.at, "", columns, node


def _identifier(node: exp.Expr) -> exp.Expr:
    return (
        node.this
        if isinstance(node, (exp.Column, exp.ColumnDef)) and isinstance(node.this, exp.Expr)
        else node
    )


def table_at(node: exp.Expr, walk: Walk) -> Span:
    """Return the span of a table's name."""
    parts = node.parts if isinstance(node, exp.Table) else [node]
    spans = [span for part in parts if (span := walk.text.span(part)) is not None]
    return Span(min(spans).begin, max(span.end for span in spans)) if spans else walk.text.at


def update(node: exp.Expr, walk: Walk) -> Write:
    """Read an UPDATE: a block of role CHANGE finds its rows; its outputs are the assigned values."""
    walk.with_(node)
    rows, index = _change(node.this, walk)
    origin = node.args.get("from_")
    if isinstance(origin, exp.Expr) and isinstance(origin.this, exp.Expr):
        rows.join(origin.this, Joined.COMMA, None)
    outputs = []
    for part in node.expressions:
        if isinstance(part, exp.EQ):
            rows.frame.clause = Clause.OUTPUT
            made, aggregate = output_operand(part.expression, rows.frame)
            target = operand(part.this, rows.frame)
            outputs.append(Output(target.at, part.this.name, made, aggregate=aggregate))
    predicates = _conditions(node, rows)
    _close(index, rows, tuple(outputs), predicates, walk)
    table = node.this
    columns = tuple(output.name for output in outputs)
    return Write(
        table_at(table, walk) if table is not None else walk.text.at,
        Written.UPDATE,
        walk.text.name(table) if isinstance(table, exp.Table) else "",
        columns=columns,
        filtered=_filtered(node, predicates, rows),
    )


def delete(node: exp.Expr, walk: Walk) -> Iterator[Write]:
    """Read a DELETE: a block of role CHANGE finds its rows."""
    walk.with_(node)
    rows, index = _change(node.this, walk)
    using = node.args.get("using")
    for part in using if isinstance(using, list) else [using]:
        if isinstance(part, exp.Expr):
            rows.join(part, Joined.COMMA, None)
    predicates = _conditions(node, rows)
    _close(index, rows, (), predicates, walk)
    filtered = _filtered(node, predicates, rows)
    given = node.this.args.get("partition") if isinstance(node.this, exp.Expr) else None
    partition = partition_values(given, walk.frame())
    for table in node.args.get("tables") or [node.this]:
        if isinstance(table, exp.Table):
            name = _behind(walk.text.name(table), rows)
            yield Write(table_at(table, walk), Written.DELETE, name, partition, filtered=filtered)


def _behind(name: str, rows: Rows) -> str:
    """Return the table that an alias refers to."""
    for source in rows.sources:
        if source.has_alias and source.alias.lower() == name.lower() and source.table:
            return source.table
    return name


def merge(node: exp.Expr, walk: Walk) -> Write:
    """Read a MERGE: a block of role CHANGE joins its target with its USING source."""
    walk.with_(node)
    rows, index = _change(node.this, walk)
    using = node.args.get("using")
    on = node.args.get("on")
    if isinstance(using, exp.Expr):
        rows.join(using, Joined.INNER, on if isinstance(on, exp.Expr) else None)
    outputs: list[Output] = []
    whens = node.args.get("whens")
    predicates = tuple(joins(rows))
    for when in whens.expressions if isinstance(whens, exp.Expr) else ():
        outputs += _when(when, rows)
    _close(index, rows, tuple(outputs), predicates, walk)
    table = node.this
    return Write(
        table_at(table, walk), Written.MERGE, walk.text.name(table) if isinstance(table, exp.Table) else ""
    )


def _when(node: exp.Expr, rows: Rows) -> Iterator[Output]:
    frame = rows.frame
    if isinstance(condition := node.args.get("condition"), exp.Expr):
        frame.clause = Clause.WHERE
        frame.comparisons += frame.compare(condition, frame)
    then = node.args.get("then")
    if not isinstance(then, exp.Expr):
        return
    frame.clause = Clause.OUTPUT
    if isinstance(then, exp.Update):
        for part in then.expressions:
            if isinstance(part, exp.EQ):
                made, aggregate = output_operand(part.expression, frame)
                yield Output(made.at, part.this.name, made, aggregate=aggregate)
    values = then.args.get("expression")
    if isinstance(values, exp.Tuple):
        names = then.this.expressions if isinstance(then.this, exp.Expr) else []
        for index, part in enumerate(values.expressions):
            made, aggregate = output_operand(part, frame)
            name = names[index].name if index < len(names) else ""
            yield Output(made.at, name, made, aggregate=aggregate)


def _change(target: object, walk: Walk) -> tuple[Rows, int]:
    index = len(walk.blocks)
    walk.blocks.append(None)
    walk.depths.append(0)
    walk.parent = index
    rows = walk.rows(walk.frame(Scope(index)))
    if isinstance(target, exp.Expr):
        rows.read(target, exp.Select())
        if rows.sources:
            rows.mark_target()
    return rows, index


def _conditions(node: exp.Expr, rows: Rows) -> tuple[Predicate, ...]:
    where_ = node.args.get("where")
    return (*joins(rows), *(where(where_, Clause.WHERE, rows.frame) if where_ is not None else ()))


def _close(
    index: int, rows: Rows, outputs: tuple[Output, ...], predicates: tuple[Predicate, ...], walk: Walk
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


def _filtered(node: exp.Expr, predicates: tuple[Predicate, ...], rows: Rows) -> bool:
    if len(rows.sources) > 1 or node.args.get("limit"):
        return True
    return any(not always(item) for item in predicates)


def always(condition: Predicate) -> bool:
    """Whether a condition is true for every row as written (`1 = 1`, TRUE)."""
    if condition.alternatives:
        return any(all(always(part) for part in branch) for branch in condition.alternatives)
    left, rights = condition.left, condition.rights
    if left.sort is not Sort.LITERAL:
        return False
    if not rights:
        return left.value not in ("false", "0", "0.0", None) and condition.operator.value == "truth"
    return condition.operator.value in ("=", "<=>") and all(
        right.sort is Sort.LITERAL and right.value == left.value for right in rights
    )


def load(node: exp.Expr, walk: Walk) -> Write:
    """Read a LOAD."""
    at, table, columns, target = _target(node.this, walk)
    given = node.args.get("partition") or (target.args.get("partition") if target is not None else None)
    how = Written.LOAD_OVERWRITE if node.args.get("overwrite") else Written.LOAD
    partition: tuple[PartitionValue, ...] = partition_values(given, walk.frame())
    return Write(at, how, table, partition, columns)
