"""SH-004: SQL that was not reviewed is said, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.rules.rule import Hit, Options, Subject, Text, rule
from workers.review.rules.run_time_sql import unread


@rule(
    "SH-004",
    "shell-sql-unread",
    Severity.INFO,
    dialects=frozenset({Dialect.SHELL}),
    fix=Text(
        "Write the statement in the script and put only values into it, or have a person look at it.",
        "将语句直接写在脚本中，只代入取值，或由人工检查。",
    ),
)
def shell_sql_unread(subject: Subject, _: Options) -> Iterator[Hit]:
    """SQL that is put together at run time was not reviewed.

    ## What it does
    Says of every call of `odpscmd`, `hive`, `beeline`, `spark-sql`, `mysql`, `psql`, `clickhouse-client` and
    the like when the SQL that it is given is not in the script as a whole.

    ## Why
    Silence would look as if the SQL rules had judged it.

    ## Bad
    ```shell
    odpscmd -e "$(cat job.sql)"
    ```

    ## Good
    ```shell
    sql="INSERT OVERWRITE TABLE dws_shop SELECT shop_id FROM dim_shop WHERE ds = '${bizdate}'"
    odpscmd -e "$sql"
    ```

    ## Options
    None.

    ## Known limits
    Files given with `-f`, and programs that hide a client, are not seen.
    """
    return unread(subject.script.shell.queries)
