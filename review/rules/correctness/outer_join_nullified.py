"""MC-C04: outer-join-nullified."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.conditions import rejects_null
from review.analysis.wording import display_name
from review.facts import Block, Clause, Column, Predicate, Source
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "MC-C04",
    "outer-join-nullified",
    Severity.WARN,
    fix=Text(
        "Move the condition into ON or into a subquery, or write JOIN if an inner join is intended.",
        "将条件移到 ON 或子查询中；如果本意就是内连接，请直接写 JOIN。",
    ),
)
def outer_join_nullified(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Condition in WHERE turns an outer join into an inner join.

    ## What it does
    Reports a condition in WHERE on a column of the nullable side of an outer join that no unmatched row can
    satisfy.

    ## Why
    The rows that the outer join is meant to keep are dropped. The result lacks exactly the unmatched rows,
    without an error.

    ## Bad
    ```sql
    SELECT o.order_id, p.paid_at
    FROM dwd_order_di o
    LEFT JOIN dwd_pay_di p ON o.order_id = p.order_id
    WHERE o.ds = '${bizdate}' AND p.ds = '${bizdate}';
    ```

    ## Good
    ```sql
    SELECT o.order_id, p.paid_at
    FROM dwd_order_di o
    LEFT JOIN dwd_pay_di p ON o.order_id = p.order_id AND p.ds = '${bizdate}'
    WHERE o.ds = '${bizdate}';
    ```
    ```sql
    SELECT o.order_id
    FROM dwd_order_di o
    LEFT JOIN dwd_refund_di r ON o.order_id = r.order_id AND r.ds = '${bizdate}'
    WHERE o.ds = '${bizdate}' AND (r.status = 'DONE' OR r.order_id IS NULL);
    ```
    ```sql
    SELECT o.order_id
    FROM dwd_order_di o
    LEFT JOIN dwd_refund_di r ON o.order_id = r.order_id AND r.ds = '${bizdate}'
    WHERE o.ds = '${bizdate}' AND COALESCE(r.status, 'NONE') <> 'DONE';
    ```

    ## Options
    None.

    ## Known limits
    Only the WHERE of the same query is checked, not that of an outer query. Functions count only if they are
    known to return NULL for NULL. One finding per joined source: the first such condition.
    """
    code = subject.script.code
    for statement in subject.script.statements:
        for index, block in enumerate(statement.blocks):
            if not any(source.nullable for source in block.sources):
                continue
            conditions = _by_source(block, index)
            for place, source in enumerate(block.sources):
                for predicate in conditions.get(place, ()) if source.nullable else ():
                    if _rejects(predicate, code, index, place):
                        yield Hit(
                            predicate.at, _message(source, predicate, place), key=display_name(source).en
                        )
                        break


def _by_source(block: Block, index: int) -> dict[int, list[Predicate]]:
    """Return the conditions of WHERE by the sources whose columns they contain."""
    found: dict[int, list[Predicate]] = {}
    for predicate in block.predicates:
        if predicate.clause is Clause.WHERE:
            own = {
                item.source for item in predicate.columns if item.block == index if item.source is not None
            }
            for place in own:
                found.setdefault(place, []).append(predicate)
    return found


def _rejects(predicate: Predicate, code: str, index: int, place: int) -> bool:
    def matches(column: Column) -> bool:
        return column.block == index and column.source == place

    return rejects_null(predicate, code, matches)


def _message(source: Source, predicate: Predicate, place: int) -> Text:
    name = display_name(source)
    column = next((column.name for column in predicate.columns if column.source == place), "")
    return Text(
        f"This condition on {column} of {name.en} drops the unmatched rows of the outer join.",
        f"对 {name.zh} 的列 {column} 的这个条件会丢弃外连接中未匹配到的行。",
    )
