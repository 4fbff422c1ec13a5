"""MC-C10: run-time-function."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.partition_slices import written_values
from review.facts import Call, Clause, Operand, Span, Statement, WriteKind
from review.rules.api import Hit, Options, RuleContext, Text, rule

_CLOCKS = frozenset(
    {
        "getdate",
        "now",
        "current_date",
        "current_timestamp",
        "current_timestamp_micro",
        "current_time",
        "localtime",
        "localtimestamp",
        "sysdate",
        "systimestamp",
        "curdate",
        "curtime",
        "today",
        "yesterday",
        "utc_timestamp",
        "utc_date",
    }
)
_WITHOUT_ARGUMENTS = frozenset({"unix_timestamp"})
_DECIDES = frozenset({Clause.WHERE, Clause.ON, Clause.HAVING, Clause.QUALIFY, Clause.GROUP})
_WRITES = frozenset({WriteKind.INSERT, WriteKind.OVERWRITE})


@rule(
    "MC-C10",
    "run-time-function",
    Severity.WARN,
    fix=Text(
        "Use the scheduling time ('${bizdate}', '$[yyyymmdd-1]') instead of the clock.",
        "改用调度时间（'${bizdate}'、'$[yyyymmdd-1]'），不要使用系统时间。",
    ),
)
def run_time_function(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Condition or key that depends on the time of the run.

    ## What it does
    Reports GETDATE, NOW, CURRENT_DATE and similar functions in conditions, in keys of GROUP BY and in values
    of written partitions of scheduled nodes. Such a function in an output (`GETDATE() AS etl_time`) is
    allowed.

    ## Why
    A rerun at another time reads different rows or writes another partition. A backfill of last month reads
    today's rows.

    ## Bad
    ```sql
    SELECT order_id FROM dwd_order_di
    WHERE ds = TO_CHAR(DATEADD(GETDATE(), -1, 'dd'), 'yyyymmdd');
    ```

    ## Good
    ```sql
    SELECT order_id, GETDATE() AS etl_time FROM dwd_order_di WHERE ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    Nodes without a schedule are not checked. RAND and UUID do not depend on the time.
    """
    if not subject.script.context.node.scheduled:
        return
    for statement in subject.script.statements:
        reported: set[Span] = set()
        for at, name in _clocks(statement):
            if not any(at.begin <= other.begin and other.end <= at.end for other in reported):
                reported.add(at)
                yield Hit(at, _message(name), key=name)


def _clocks(statement: Statement) -> Iterator[tuple[Span, str]]:
    for block in statement.blocks:
        for call in block.calls:
            if call.clause in _DECIDES and _clock(call.name, call):
                yield call.at, call.name
    for write in statement.writes:
        if write.kind in _WRITES:
            for values in written_values(statement, write).values():
                for value in values:
                    if name := _within(value):
                        yield value.at, name


def _clock(name: str, call: Call) -> bool:
    return name in _CLOCKS or (name in _WITHOUT_ARGUMENTS and not call.arguments)


def _within(value: Operand) -> str | None:
    return next((name for name in value.functions if name in _CLOCKS), None)


def _message(name: str) -> Text:
    word = name.upper()
    return Text(
        f"{word} makes the result depend on the time of the run: a rerun returns a different result.",
        f"{word} 使结果取决于运行时刻：重跑会得到不同的结果。",
    )
