"""PY-005: SQL that was not reviewed is said, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.rules.rule import Hit, Options, Subject, Text, rule
from workers.review.rules.run_time_sql import unread


@rule(
    "PY-005",
    "python-sql-unread",
    Severity.INFO,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Write the statement as one string and put only values into it, or have a person look at it.",
        "将语句写成一个完整的字符串，只代入取值，或由人工检查。",
    ),
)
def python_sql_unread(subject: Subject, _: Options) -> Iterator[Hit]:
    """SQL that is put together at run time was not reviewed.

    ## What it does
    Says of every call that runs SQL when its text is not in the code: it comes from a function, a file or an
    argument, is added to under conditions, or has a whole clause put in.

    ## Why
    Silence would look as if the SQL rules had judged it.

    ## Bad
    ```python
    o.execute_sql(open("job.sql").read())
    ```
    ```python
    where = "WHERE ds = '20240501'" if full else ""
    o.execute_sql(f"SELECT order_id FROM dwd_order_di {where}")
    ```

    ## Good
    ```python
    sql = "SELECT order_id FROM dwd_order_di WHERE ds = '%s'"
    o.execute_sql(sql % args["bizdate"])
    ```
    ```python
    def run(sql):
        o.execute_sql(sql)

    run(f"DROP TABLE IF EXISTS tmp_order_{args['bizdate']}")
    ```

    ## Options
    None.

    ## Known limits
    Functions that other modules define and that run SQL are not known.
    """
    return unread(subject.script.python.queries)
