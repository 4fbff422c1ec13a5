"""MC-C05: not-in-null."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.conditions import conditions, rejects_null
from review.facts import (
    Block,
    Clause,
    Column,
    JoinKind,
    Operand,
    OperandKind,
    Operator,
    Output,
    Script,
    Statement,
)
from review.rules.api import Hit, Options, RuleContext, Text, rule

_NEVER_NULL = frozenset({"count", "coalesce", "nvl", "ifnull", "row_number", "rank", "dense_rank", "isnull"})
_MAX_DEPTH = 20


@rule(
    "MC-C05",
    "not-in-null",
    Severity.WARN,
    fix=Text(
        "Use LEFT ANTI JOIN or NOT EXISTS, or add IS NOT NULL to the subquery.",
        "改用 LEFT ANTI JOIN 或 NOT EXISTS，或在子查询中加上 IS NOT NULL 条件。",
    ),
)
def not_in_null(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Subquery of NOT IN may return NULL.

    ## What it does
    Reports NOT IN with a subquery whose column may be NULL.

    ## Why
    A single NULL in the subquery makes NOT IN true for no row. From the day of the first NULL the query
    returns nothing, without an error.

    ## Bad
    ```sql
    SELECT user_id FROM dwd_user_df
    WHERE ds = '${bizdate}'
      AND user_id NOT IN (SELECT user_id FROM dwd_blacklist_df WHERE ds = '${bizdate}');
    ```

    ## Good
    ```sql
    SELECT user_id FROM dwd_user_df
    WHERE ds = '${bizdate}'
      AND user_id NOT IN (
          SELECT user_id FROM dwd_blacklist_df WHERE ds = '${bizdate}' AND user_id IS NOT NULL
      );
    ```
    ```sql
    SELECT u.user_id FROM dwd_user_df u
    LEFT ANTI JOIN dwd_blacklist_df b ON u.user_id = b.user_id AND b.ds = '${bizdate}'
    WHERE u.ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    Any condition that NULL cannot satisfy (`user_id > 0`) counts like IS NOT NULL, also in a nested query. A
    column is known to contain no NULL if it is a primary key, or NOT NULL in a CREATE of the script.
    """
    for statement in subject.script.statements:
        for _block, predicate in conditions(statement):
            if predicate.operator is not Operator.NOT_IN:
                continue
            for query in predicate.rights:
                inner = _unsafe(subject.script, statement, query)
                if inner is not None:
                    yield Hit(predicate.at, _message(inner), key=_column(inner))


def _unsafe(script: Script, statement: Statement, query: Operand) -> Block | None:
    """Return the first branch of a subquery that may return NULL."""
    for index in query.blocks:
        block = statement.blocks[index]
        safe = (_never_null(script, statement, index, output) for output in block.outputs)
        if not block.outputs or not all(safe):
            return block
    return None


def _column(block: Block) -> str:
    return block.outputs[0].name if block.outputs else ""


def _message(block: Block) -> Text:
    column = _column(block)
    if not column:
        return Text(
            "If the subquery of NOT IN returns a NULL, the result is empty.",
            "NOT IN 的子查询只要返回一个 NULL，结果就为空。",
        )
    return Text(
        f"If {column} is NULL in one row of the subquery, NOT IN returns no rows.",
        f"子查询中只要有一行的 {column} 为 NULL，NOT IN 就不会返回任何行。",
    )


def _never_null(script: Script, statement: Statement, index: int, output: Output, depth: int = 0) -> bool:
    operand = output.operand
    if output.star or depth > _MAX_DEPTH:
        return False
    if operand.sort is not OperandKind.COLUMN or not operand.columns:
        return operand.sort in (OperandKind.LITERAL, OperandKind.PARAMETER) or not _NEVER_NULL.isdisjoint(
            operand.functions
        )
    column = operand.columns[0]
    if column.block is None or column.source is None or _excluded(script, statement.blocks[index], column):
        return _excluded(script, statement.blocks[index], column)
    source = statement.blocks[column.block].sources[column.source]
    if source.table or source.nullable:
        return not source.nullable and _declared(script, source.table, column.key)
    return bool(source.blocks) and all(
        _gives(script, statement, inner, column.key, depth + 1) for inner in source.blocks
    )


def _gives(script: Script, statement: Statement, index: int, name: str, depth: int) -> bool:
    return any(
        _never_null(script, statement, index, output, depth)
        for output in statement.blocks[index].outputs
        if output.name.lower() == name
    )


def _excluded(script: Script, block: Block, column: Column) -> bool:
    """Whether a condition of the block excludes NULL from the column."""

    def matches(other: Column) -> bool:
        return other.key == column.key and (other.source == column.source or other.source is None)

    return any(
        rejects_null(predicate, script.code, matches)
        for predicate in block.predicates
        if predicate.clause is not Clause.ON or _drops(block, predicate.join)
    )


def _drops(block: Block, join: int | None) -> bool:
    """Whether the join at `join` drops the rows that do not satisfy its condition."""
    return join is not None and block.sources[join].join_kind in (
        JoinKind.INNER,
        JoinKind.SEMI,
        JoinKind.CROSS,
    )


def _declared(script: Script, table: str, column: str) -> bool:
    known = script.context.table(table)
    if known is not None and column in known.keys:
        return True
    return any(
        (column in made.keys or any(item.not_null and item.name.lower() == column for item in made.columns))
        for statement in script.statements
        for made in statement.creations
        if script.same(made.name, table)
    )
