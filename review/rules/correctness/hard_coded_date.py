"""MC-C07: hard-coded-date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from common.verdicts import Severity
from review.analysis.conditions import leaf_predicates
from review.analysis.partition_slices import written_values
from review.analysis.scheduling_dates import is_date_name, parse_calendar_date, parse_quoted_date
from review.facts import Clause, Column, Operand, OperandKind, Predicate, Span, Statement, Write
from review.rules.api import Hit, Options, RuleContext, Text, rule

_FILTERS = frozenset({Clause.WHERE, Clause.ON, Clause.HAVING, Clause.QUALIFY})


@rule(
    "MC-C07",
    "hard-coded-date",
    Severity.WARN,
    fix=Text("Use a scheduling parameter such as '${bizdate}'.", "改用调度参数，例如 '${bizdate}'。"),
)
def hard_coded_date(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Hard-coded date in a scheduled node.

    ## What it does
    Reports a literal day or month as the value of a written partition (blocks), and in conditions on
    partition and date columns (warns), in scheduled nodes.

    ## Why
    Tomorrow's run reads and writes the same day again: the partition of the day is never created, and nothing
    fails.

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds = '20240501')
    SELECT order_id, amount FROM ods_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    SELECT order_id FROM ods_order_di WHERE ds = '${bizdate}' AND create_time >= '2024-05-01 00:00:00';
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds = '${bizdate}')
    SELECT order_id, amount FROM ods_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    SELECT user_id FROM dim_user_zip WHERE start_date <= '${bizdate}' AND end_date = '9999-12-31';
    ```

    ## Options
    None.

    ## Known limits
    Days before 1990 and after 2089 are treated as sentinels for "always" and "never". A date column is a
    partition column, a column of a date or time type, or one with a usual name (`ds`, `*_date`, `*_time`,
    `gmt_*` …). Dates in outputs and in CASE are not checked. Nodes without a schedule are not checked.
    Whether one fixed slice is meant, as in a table of initial values, is not known.
    """
    if not subject.script.context.node.scheduled:
        return
    for statement in subject.script.statements:
        for write in statement.writes:
            yield from _written(subject, statement, write)
        for block in statement.blocks:
            for predicate in leaf_predicates(block.predicates):
                if predicate.clause in _FILTERS:
                    yield from _compared(subject, statement, predicate)


@dataclass(frozen=True, slots=True)
class _DateLiteral:
    at: Span
    value: str


def _written(subject: RuleContext, statement: Statement, write: Write) -> Iterator[Hit]:
    for column, values in written_values(statement, write, follow=False).items():
        for value in values:
            found = _date(subject, value)
            if found is not None:
                yield Hit(
                    found.at,
                    _fixed(write, column, found.value, computed=value.sort is not OperandKind.LITERAL),
                    Text(
                        f"Write PARTITION ({column} = '${{bizdate}}').",
                        f"改为 PARTITION ({column} = '${{bizdate}}')。",
                    ),
                    Severity.BLOCK,
                    f"{write.table}.{column}",
                )
                break


def _fixed(write: Write, column: str, date: str, *, computed: bool) -> Text:
    if computed:
        return Text(
            f"Every run computes the partition {column} of {write.table} from the fixed date {date}.",
            f"每次运行都用固定日期 {date} 计算 {write.table} 的分区 {column}。",
        )
    return Text(
        f"Every run writes the partition {column} = {date} of {write.table}.",
        f"每次运行都写入 {write.table} 的固定分区 {column} = {date}。",
    )


def _compared(subject: RuleContext, statement: Statement, predicate: Predicate) -> Iterator[Hit]:
    found = next(filter(None, (_date(subject, operand) for operand in predicate.operands)), None)
    if found is None:
        return
    column = next((item for item in predicate.columns if _holds_dates(subject, statement, item)), None)
    if column is not None:
        yield Hit(
            found.at,
            Text(
                f"Every run compares {column.name} with the fixed date {found.value}.",
                f"每次运行都将 {column.name} 与固定日期 {found.value} 比较。",
            ),
            key=column.key,
        )


def _holds_dates(subject: RuleContext, statement: Statement, column: Column) -> bool:
    if is_date_name(column.key):
        return True
    origin = subject.catalog.table_of(statement, column)
    if origin is None:
        return False
    kind = subject.catalog.partition_type(*origin) or ""
    return origin[1] in (subject.catalog.partitions(origin[0]) or ()) or kind.upper().startswith(_TIMES)


_TIMES = ("DATE", "TIMESTAMP")


def _date(subject: RuleContext, operand: Operand) -> _DateLiteral | None:
    """Return the calendar date in an operand with its span."""
    if operand.sort is OperandKind.LITERAL:
        value = operand.value or ""
        return _DateLiteral(operand.at, value) if parse_calendar_date(value) else None
    if operand.sort not in (OperandKind.CONSTANT, OperandKind.COMPUTED):
        return None
    code = subject.script.code[operand.at.begin : operand.at.end]
    span = parse_quoted_date(code)
    if span is None:
        return None
    begin, end = span
    return _DateLiteral(Span(operand.at.begin + begin, operand.at.begin + end), code[begin + 1 : end - 1])
