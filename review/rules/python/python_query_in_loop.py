"""PY-002: python-query-in-loop."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "PY-002",
    "python-query-in-loop",
    Severity.WARN,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Join the rows in one statement, or write them to a table and join it.",
        "在一条语句中关联这些行，或先写入表再关联。",
    ),
)
def python_query_in_loop(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Query runs once per row of another query.

    ## What it does
    Reports SQL that runs in a loop over the rows of a reader, a cursor or a data frame.

    ## Why
    Each query waits in the queue and starts its own job: a thousand rows take hours where one join takes a
    minute.

    ## Bad
    ```python
    with o.execute_sql("SELECT shop_id FROM dim_shop WHERE ds = '20240501'").open_reader() as reader:
        for row in reader:
            o.execute_sql("DELETE FROM ads_shop WHERE shop_id = %s" % row[0])
    ```

    ## Good
    ```python
    for table in ["dwd_order_di", "dwd_refund_di"]:
        o.execute_sql("ANALYZE TABLE %s COMPUTE STATISTICS" % table)
    ```

    ## Options
    None.

    ## Known limits
    A query in a function that the loop calls is not found. Loops over lists written in the code are allowed.
    """
    for query in subject.script.python.queries:
        if query.rows:
            yield Hit(
                query.at,
                Text(
                    f"{query.call} runs once per row of {query.rows}.",
                    f"{query.call} 对 {query.rows} 的每一行都执行一次。",
                ),
                key=query.rows,
            )
