"""MC-P08: needless-distinct."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from common.verdicts import Severity
from review.facts import Block, OperandKind, Output, Role, Script, Span, Statement, Union
from review.rules.api import SQL, Edit, Hit, Options, RuleContext, Text, rule

_PLAIN = frozenset({"avg", "coalesce", "concat", "count", "max", "min", "nvl", "round", "substr", "sum"})
"""Functions that return one value, whatever a row has."""

_SEVERAL_GROUPS = re.compile(r"\b(?:rollup|cube|grouping)\b", re.IGNORECASE)

_SPACES = re.compile(r"[ \t]*")


@rule(
    "MC-P08",
    "needless-distinct",
    Severity.INFO,
    dialects=SQL,
    fix=Text("Use UNION ALL, or remove DISTINCT.", "请改用 UNION ALL，或去掉 DISTINCT。"),
)
def needless_distinct(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """DISTINCT or UNION removes duplicates that cannot exist or do not matter.

    ## What it does
    Reports UNION (without ALL) whose branches differ in a constant in the same position, or whose rows are
    only tested by IN or EXISTS; and DISTINCT in a block whose GROUP BY already makes its rows distinct, or
    whose rows are only tested by IN or EXISTS.

    ## Why
    Removing duplicates shuffles and sorts all rows once more. This is wasted if there are no duplicates, or
    if they do not change the result.

    ## Bad
    ```sql
    SELECT 'app' AS channel, id FROM dwd_app_order_di WHERE ds = '${bizdate}'
    UNION
    SELECT 'web' AS channel, id FROM dwd_web_order_di WHERE ds = '${bizdate}'
    ```
    ```sql
    SELECT DISTINCT city, count(*) AS orders
    FROM dwd_order_di WHERE ds = '${bizdate}' GROUP BY city
    ```

    ## Good
    ```sql
    SELECT 'app' AS channel, id FROM dwd_app_order_di WHERE ds = '${bizdate}'
    UNION ALL
    SELECT 'web' AS channel, id FROM dwd_web_order_di WHERE ds = '${bizdate}'
    ```
    ```sql
    SELECT id FROM dwd_app_order_di WHERE ds = '${bizdate}'
    UNION
    SELECT id FROM dwd_web_order_di WHERE ds = '${bizdate}'
    ```
    ```sql
    SELECT DISTINCT city FROM dwd_order_di WHERE ds = '${bizdate}'
    ```

    ## Options
    None.

    ## Known limits
    Reports only when certain. A UNION may also be meant to remove duplicates within one branch; a constant
    that differs between the branches does not rule those out.
    """
    script = subject.script
    for statement in script.statements:
        for union in statement.unions:
            if union.distinct and union.kind == "union" and len(union.blocks) > 1:
                yield from _union(statement, union)
        hits = [
            hit for block in statement.blocks if block.distinct for hit in _distinct(block, block.distinct)
        ]
        yield from _with_edits(hits, statement, script) if hits and script.dialect.sql else hits


def _with_edits(hits: Iterable[Hit], statement: Statement, script: Script) -> Iterator[Hit]:
    """Yield hits on DISTINCT with their edits; none where rows may be equal, and matter more than once.

    GROUP BY ROLLUP may return equal rows, and a set operation may count them.
    """
    is_certain = not statement.unions and not _SEVERAL_GROUPS.search(script.code, *statement.at)
    blocks = {block.distinct: block for block in statement.blocks if block.distinct}
    for hit in hits:
        yield replace(hit, edit=_removal(script.code, blocks[hit.at], hit.at) if is_certain else None)


def _removal(code: str, block: Block, at: Span) -> Edit | None:
    """Return the edit that removes DISTINCT; None if LIMIT counts rows, or a function may return several."""
    if block.limit is not None:
        return None
    if code[at.begin : at.end].lower() != "distinct" or any(call.name not in _PLAIN for call in block.calls):
        return None
    following = _SPACES.match(code, at.end)
    return Edit(Span(at.begin, following.end() if following else at.end))


def _union(statement: Statement, union: Union) -> Iterator[Hit]:
    branches = [statement.blocks[index] for index in union.blocks]
    if all(branch.role in (Role.IN, Role.EXISTS) for branch in branches):
        yield Hit(
            union.at,
            Text(
                "The rows are only tested for existence: use UNION ALL instead of UNION.",
                "结果只用于判断是否存在，UNION 去重没有必要，使用 UNION ALL 即可。",
            ),
        )
    elif _apart(branches):
        yield Hit(
            union.at,
            Text(
                "The branches of this UNION differ in a constant: use UNION ALL.",
                "各分支在同一列上的常量不同，不会互相重复，使用 UNION ALL 即可。",
            ),
        )


def _apart(branches: list[Block]) -> bool:
    """Whether the branches have different constants in the same column."""
    if any(output.star for branch in branches for output in branch.outputs):
        return False
    for column in zip(*(branch.outputs for branch in branches), strict=False):
        values = {_constant(output) for output in column}
        if None not in values and len(values) == len(branches):
            return True
    return False


def _constant(output: Output) -> str | None:
    return output.operand.value if output.operand.sort is OperandKind.LITERAL else None


def _distinct(block: Block, at: Span) -> Iterator[Hit]:
    if block.role is Role.EXISTS or (block.role is Role.IN and block.limit is None):
        yield Hit(
            at,
            Text(
                "DISTINCT has no effect: the rows are only tested for existence.",
                "结果只用于判断是否存在，DISTINCT 没有作用。",
            ),
        )
    elif block.aggregated:
        yield Hit(
            at,
            Text(
                "DISTINCT has no effect: the block returns one row.",
                "该查询块只返回一行，DISTINCT 没有作用。",
            ),
        )
    elif _different(block):
        yield Hit(
            at,
            Text(
                "DISTINCT has no effect: GROUP BY already makes the rows distinct.",
                "GROUP BY 已保证各行不同，DISTINCT 没有作用。",
            ),
        )


def _different(block: Block) -> bool:
    """Whether every column of GROUP BY is an output, so that no two rows are equal."""
    if not block.group or any(item.sort is not OperandKind.COLUMN for item in block.group):
        return False
    outputs = {
        output.operand.columns[0].key for output in block.outputs if output.operand.sort is OperandKind.COLUMN
    }
    return {item.columns[0].key for item in block.group if item.columns} <= outputs
