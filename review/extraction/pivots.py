"""Reads PIVOT and UNPIVOT: the columns that they replace, and those that they make.

Names of the columns that PIVOT makes, by the engines' manuals:

- MaxCompute, Oracle, Redshift: the value, followed by the aggregate's alias if it has one.
  https://help.aliyun.com/zh/maxcompute/user-guide/pivot-and-unpivot
- Spark, StarRocks: the value, followed by the aggregate's alias if there are several aggregates.
  https://spark.apache.org/docs/latest/sql-ref-syntax-qry-select-pivot.html
- T-SQL: the value, which is written as a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from sqlglot import exp

from review.extraction.block_state import BlockState
from review.extraction.expressions.operands import read_operand
from review.extraction.scopes import KnownColumns, QueryScope
from review.facts import Clause, Pivot, PivotedColumn, Role


def extract_pivots(node: exp.Expr, frame: BlockState) -> tuple[Pivot, ...]:
    """Read the pivots of a row source. Their columns are those of that source alone."""
    nodes = pivots_of(node)
    if not nodes:
        return ()
    clause, scope, comparisons = frame.clause, frame.scope, len(frame.comparisons)
    frame.clause, frame.scope = Clause.SOURCE, QueryScope(-1)
    made = tuple(_unpivot(item) if item.args.get("unpivot") else _pivot(item, frame) for item in nodes)
    frame.clause, frame.scope = clause, scope
    # Rules would look for their columns in all sources of the block.
    del frame.comparisons[comparisons:]
    return made


def pivots_of(node: exp.Expr) -> list[exp.Pivot]:
    """Return the pivots of a row source or a join; MaxCompute's user-defined join is not one of them."""
    return [item for item in node.args.get("pivots") or () if isinstance(item, exp.Pivot)]


def pivot_arguments(node: exp.Pivot) -> list[exp.Expr]:
    """Return the expressions whose columns a pivot reads."""
    fields = [field for field in node.args.get("fields") or () if isinstance(field, exp.In)]
    if node.args.get("unpivot"):
        values = [value for field in fields for value in field.expressions]
        return [value.this if isinstance(value, exp.PivotAlias) else value for value in values]
    return [*node.expressions, *(field.this for field in fields)]


def pivoted_columns(known: KnownColumns, pivots: tuple[Pivot, ...]) -> KnownColumns:
    """Return the known columns of a source after its pivots."""
    for pivot in pivots:
        made = {name for column in pivot.made for name in (column.name, *column.spellings)}
        known = KnownColumns((known.names - pivot.replaced) | made, known.whole and pivot.is_complete)
    return known


_MAX_COLUMNS = 10_000
"""Maximum columns that a pivot makes; of one with more, none is known."""


def _pivot(node: exp.Expr, frame: BlockState) -> Pivot:
    fields = [field for field in node.args.get("fields") or () if isinstance(field, exp.In)]
    axes = tuple(name for field in fields for name in _columns(field.this))
    aggregates = [_aggregate(part, frame) for part in node.expressions]
    values = _values(fields[0], frame) if len(fields) == 1 else []
    always = len(aggregates) > 1 and node.args.get("pivot_column_naming") == "agg_name_if_multiple"
    aliased = node.args.get("pivot_column_naming") != "agg_name_if_multiple"
    is_bounded = len(values) * len(aggregates) <= _MAX_COLUMNS
    made = [
        _pivoted_column(value, alias if always or aliased else "", (*columns, *axes))
        for value, (alias, columns) in product(values if is_bounded else (), aggregates)
        if value and (alias or not always)
    ]
    is_complete = len(fields) == 1 and all(values) and len(made) == len(values) * len(aggregates)
    replaced = frozenset((*axes, *(name for _, columns in aggregates for name in columns)))
    return Pivot(replaced, tuple(made), is_complete and not node.args.get("group"))


def _aggregate(node: exp.Expr, frame: BlockState) -> tuple[str, tuple[str, ...]]:
    """Return the alias of an aggregate, or "", and its columns; both in lower case."""
    made = read_operand(node, frame)
    alias = frame.text.name(node.args["alias"]) if isinstance(node, exp.Alias) else ""
    return alias.lower(), tuple(column.key for column in made.columns)


def _values(field: exp.Expr, frame: BlockState) -> list[str]:
    """Return the names, in lower case, of the values of a PIVOT; "" for one whose name is unknown."""
    return [_value_name(part, frame) for part in field.expressions]


def _value_name(node: exp.Expr, frame: BlockState) -> str:
    if isinstance(node, exp.Query):
        frame.query(node, Role.IN, frame)
        return ""
    if isinstance(node, (exp.Alias, exp.PivotAlias)) and isinstance(
        alias := node.args.get("alias"), exp.Expr
    ):
        return _written(alias, frame)
    return _written(node, frame) if isinstance(node, (exp.Literal, exp.Column, exp.Identifier)) else ""


def _written(node: exp.Expr, frame: BlockState) -> str:
    """Return a name, or the value of a literal, in lower case; "" if it contains a parameter."""
    span = frame.text.span(node.this if isinstance(node, exp.Column) else node)
    return "" if span is not None and frame.text.has_parameter(*span) else node.name.lower()


def _pivoted_column(value: str, alias: str, origins: tuple[str, ...]) -> PivotedColumn:
    """Return the column made for a value and an aggregate.

    Some engines keep the quotes of a value in its name, and MaxCompute can be set to put the alias first.
    """
    quoted = f"'{value}'"
    if not alias:
        return PivotedColumn(value, origins, (quoted,))
    return PivotedColumn(
        f"{value}_{alias}", origins, (f"{quoted}_{alias}", f"{alias}_{value}", f"{alias}_{quoted}")
    )


def _unpivot(node: exp.Expr) -> Pivot:
    names: list[str] = []
    groups: list[tuple[str, ...]] = []
    for field in node.args.get("fields") or ():
        names += _columns(field.this)
        groups += [
            _columns(part.this if isinstance(part, exp.PivotAlias) else part) for part in field.expressions
        ]
    made = [PivotedColumn(name) for name in names]
    values = [
        PivotedColumn(name, tuple(group[place] for group in groups if place < len(group)))
        for place, name in enumerate(name for part in node.expressions for name in _columns(part))
    ]
    first = bool(node.args.get("value_columns_first"))
    replaced = frozenset(name for group in groups for name in group)
    return Pivot(replaced, tuple((*values, *made) if first else (*made, *values)), bool(made and values))


def _columns(node: object) -> tuple[str, ...]:
    """Return the names of a column or of a list of columns, in lower case."""
    return tuple(_names(node))


def _names(node: object) -> Iterator[str]:
    if isinstance(node, (exp.Tuple, exp.Paren)):
        for part in node.expressions if isinstance(node, exp.Tuple) else [node.this]:
            yield from _names(part)
    elif isinstance(node, (exp.Column, exp.Identifier)):
        yield node.name.lower()
