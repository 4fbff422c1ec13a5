"""PY-005: python-sql-unread."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.dynamic_sql import unread_hits
from review.dialects import Dialect
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "PY-005",
    "python-sql-unread",
    Severity.INFO,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Write the statement as one string and insert only values, or review it manually.",
        "将语句写成一个完整的字符串，只代入取值，或由人工检查。",
    ),
)
def python_sql_unread(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """SQL built at run time was not reviewed.

    ## What it does
    Reports every call that runs SQL whose text is not in the code: it comes from a function, a file or an
    argument, is extended conditionally, or contains an inserted clause. Also every call that starts a client
    with SQL as a program: `os.system("hive -e …")`, and every string with SQL that no call is known to run.
    Messages, docstrings and texts that are only compared are not reported.

    ## Why
    Without a finding the SQL would look reviewed.

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
    SQL that is put together from words (`"DROP " + kind`), or in a file, is not recognised.
    """
    return unread_hits(subject.script.python.queries)
