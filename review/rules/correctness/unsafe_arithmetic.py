"""MC-C17: unsafe-arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.conditions import leaf_predicates
from review.facts import Block, Column, Division, JoinKind, Operand, OperandKind, Operator, Script, Source
from review.rules.api import Hit, Options, RuleContext, Text, rule

_GUARDS = frozenset(
    {"nullif", "case", "if", "iff", "decode", "greatest", "least", "exp", "size", "try_divide"}
)
_EXCLUDES_ZERO = frozenset(
    {
        Operator.NE,
        Operator.GT,
        Operator.GE,
        Operator.LT,
        Operator.EQ,
        Operator.LE,
        Operator.BETWEEN,
        Operator.IN,
    }
)
_SUMS = frozenset({"sum"})
_FILTERS_ONLY = frozenset({JoinKind.SEMI, JoinKind.ANTI, JoinKind.LATERAL})


@rule(
    "MC-C17",
    "unsafe-arithmetic",
    Severity.INFO,
    fix=Text("Guard the divisor against zero: a / NULLIF(b, 0).", "为除数加上保护：a / NULLIF(b, 0)。"),
)
def unsafe_arithmetic(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Division without a guard, or sum over duplicated rows.

    ## What it does
    Reports divisions by a column or an expression that may be zero, and SUM over a join whose other side is
    known to have several rows per row (its primary key is known, and the join does not cover all of it).

    ## Why
    Division by zero fails or returns NULL, depending on the engine and its settings. Rows that a join
    duplicates are added once per copy: the sum is too high.

    ## Given
    ```json
    {"tables": {
      "dwd_order_item": {"columns": {"order_id": "BIGINT", "line": "BIGINT"}, "keys": ["order_id", "line"]},
      "dwd_order": {"columns": {"order_id": "BIGINT", "amount": "DECIMAL"}, "keys": ["order_id"]}
    }}
    ```

    ## Bad
    ```sql
    SELECT shop_id, amount / order_count AS average FROM dws_shop_1d WHERE ds = '${bizdate}';
    ```
    ```sql
    SELECT SUM(o.amount) AS amount
    FROM dwd_order o JOIN dwd_order_item i ON o.order_id = i.order_id;
    ```

    ## Good
    ```sql
    SELECT shop_id, amount / NULLIF(order_count, 0) AS average FROM dws_shop_1d WHERE ds = '${bizdate}';
    ```
    ```sql
    SELECT shop_id, IF(order_count > 0, amount / order_count, 0) AS average
    FROM dws_shop_1d WHERE ds = '${bizdate}';
    ```
    ```sql
    SELECT SUM(i.line) AS lines
    FROM dwd_order_item i JOIN dwd_order o ON o.order_id = i.order_id;
    ```

    ## Options
    None.

    ## Known limits
    Any comparison of the divisor's columns with a number in the same query counts as a guard. Primary keys
    are rarely known in MaxCompute, so most sums are not checked.
    """
    for statement in subject.script.statements:
        for index, block in enumerate(statement.blocks):
            compared = _compared_columns(block) if block.divisions else frozenset()
            for division in block.divisions:
                if not _guarded(division, compared):
                    yield Hit(division.at, _zero(division), key=_name(division))
            yield from _multiplied(subject.script, block, index)


def _name(division: Division) -> str:
    return ", ".join(dict.fromkeys(column.name for column in division.divisor.columns))


def _zero(division: Division) -> Text:
    name = _name(division)
    if not name:
        return Text("This divisor may be zero.", "该除数可能为零。")
    return Text(f"The divisor ({name}) may be zero.", f"除数（{name}）可能为零。")


def _guarded(division: Division, compared: frozenset[str]) -> bool:
    divisor = division.divisor
    if divisor.sort not in (OperandKind.COLUMN, OperandKind.COMPUTED) or not _GUARDS.isdisjoint(
        divisor.functions
    ):
        return True
    return any(column.key in compared for column in divisor.columns)


def _compared_columns(block: Block) -> frozenset[str]:
    """Return the columns that a condition compares with a constant."""
    return frozenset(
        column.key
        for predicate in leaf_predicates((*block.predicates, *block.comparisons))
        if predicate.operator in _EXCLUDES_ZERO
        and any(operand.sort in _PLAIN for operand in predicate.operands)
        for column in predicate.columns
    )


_PLAIN = frozenset({OperandKind.LITERAL, OperandKind.CONSTANT, OperandKind.PARAMETER})


def _multiplied(script: Script, block: Block, index: int) -> Iterator[Hit]:
    calls = [call for call in block.calls if call.name in _SUMS and not call.distinct]
    if len(block.sources) <= 1 or not calls:
        return
    several = _several(script, block, index)
    for call in calls:
        summed = {column.source for operand in call.arguments for column in _own(operand, index)}
        other = next((place for place in several if place not in summed), None)
        if summed and other is not None:
            source = block.sources[other]
            yield Hit(call.at, _again(source), _SUM_FIRST, key=source.alias)


_SUM_FIRST = Text(
    "Aggregate in a subquery before the join, or join on the whole key.",
    "先在子查询中聚合再关联，或按完整主键关联。",
)


def _own(operand: Operand, index: int) -> Iterator[Column]:
    return (column for column in operand.columns if column.block == index and column.source is not None)


def _several(script: Script, block: Block, index: int) -> list[int]:
    """Return the joined tables that are known to have several rows per row of the other sources."""
    bound: dict[int | None, set[str]] = {}
    for predicate in block.predicates:
        for operand in predicate.operands if predicate.operator is Operator.EQ else ():
            for column in _own(operand, index) if operand.sort is OperandKind.COLUMN else ():
                bound.setdefault(column.source, set()).add(column.key)
    found = []
    for place, source in enumerate(block.sources):
        if source.table and source.join_kind not in _FILTERS_ONLY:
            named = bound.get(place, set()) | {name.lower() for name in source.using}
            if not _keys(script, source) <= named:
                found.append(place)
    return found


def _keys(script: Script, source: Source) -> set[str]:
    known = script.context.table(source.table)
    if known is not None:
        return {name.lower() for name in known.keys}
    return next(
        (
            {name.lower() for name in made.keys}
            for statement in script.statements
            for made in statement.creations
            if script.same(made.name, source.table)
        ),
        set(),
    )


def _again(source: Source) -> Text:
    return Text(
        f"The join with {source.table} does not cover its whole key: rows repeat, and SUM adds each copy.",
        f"与 {source.table} 的关联没有覆盖其完整主键，行会重复，SUM 会重复累加。",
    )
