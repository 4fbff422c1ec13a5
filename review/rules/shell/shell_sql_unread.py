"""SH-004: shell-sql-unread."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.dynamic_sql import unread_hits
from review.dialects import Dialect
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "SH-004",
    "shell-sql-unread",
    Severity.INFO,
    dialects=frozenset({Dialect.SHELL}),
    fix=Text(
        "Write the statement in the script and insert only values, or review it manually.",
        "将语句直接写在脚本中，只代入取值，或由人工检查。",
    ),
)
def shell_sql_unread(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """SQL built at run time was not reviewed.

    ## What it does
    Reports every call of `odpscmd`, `hive`, `beeline`, `spark-sql`, `mysql`, `psql`, `clickhouse-client` and
    similar clients whose SQL is not completely in the script (a file, standard input, a value), and every
    other program that is given SQL, and every command that writes SQL to a pipe or a file of which the reader
    is not known. A client behind `timeout`, `sudo`, `ssh`, `docker exec`, `bash -c` and
    similar commands is found.

    ## Why
    Without a finding the SQL would look reviewed.

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
    Clients in other scripts that the script runs are not recognised.
    """
    return unread_hits(subject.script.shell.queries)
