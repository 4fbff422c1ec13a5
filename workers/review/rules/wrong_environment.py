"""MC-S04: keep development and production apart."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Span
from workers.review.rules.projects import changed, project
from workers.review.rules.rule import MAXCOMPUTE, Hit, Options, Subject, Text, rule

_DEVELOPMENT = "_dev"


@rule(
    "MC-S04",
    "wrong-environment",
    Severity.WARN,
    dialects=MAXCOMPUTE,
    fix=Text(
        "Leave the project out: the environment that the node runs in chooses it.",
        "请去掉项目名，由节点运行的环境决定。",
    ),
)
def wrong_environment(subject: Subject, _: Options) -> Iterator[Hit]:
    """Development project is named in production code, or the reverse.

    ## What it does
    Finds tables whose project ends in `_dev` in code that is scheduled or goes to production; and, in a node
    of a development project, writes to the production project of the same name.

    ## Why
    DataWorks takes the same code from development to production. A project that is written out goes with it:
    production then reads test data, or a test run overwrites what is live.

    ## Given
    ```json
    {"project": "shop", "node": {"production": true}}
    ```

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dws_order_1d PARTITION (ds = '${bizdate}')
    SELECT city, sum(amount) AS amount FROM shop_dev.dwd_order_di WHERE ds = '${bizdate}' GROUP BY city
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE dws_order_1d PARTITION (ds = '${bizdate}')
    SELECT city, sum(amount) AS amount FROM dwd_order_di WHERE ds = '${bizdate}' GROUP BY city
    ```

    ## Options
    None.

    ## Known limits
    Development projects are known by `_dev` alone, as DataWorks names them. Reading production tables from
    development is fine.
    """
    script = subject.script
    own = (script.given.project or "").lower()
    in_development = own.endswith(_DEVELOPMENT) and not script.given.node.production
    if not in_development and not (script.given.node.scheduled or script.given.node.production):
        return
    for statement in script.statements:
        named = list(changed(statement))
        if not in_development:
            named += [(source.at, source.table) for _, source in statement.reads()]
        for at, table in named:
            found = project(script, table)
            if in_development and found and f"{found}{_DEVELOPMENT}" == own:
                yield _production(at, table, own)
            elif not in_development and found and found.endswith(_DEVELOPMENT):
                yield _development(at, table)


def _development(at: Span, table: str) -> Hit:
    return Hit(
        at,
        Text(f"{table} belongs to a development project.", f"{table} 属于开发项目。"),
        Text(
            f"Write {table.rpartition('.')[2]}: the environment chooses the project.",
            f"请直接写 {table.rpartition('.')[2]}，由环境决定项目。",
        ),
        key=table.lower(),
    )


def _production(at: Span, table: str, own: str) -> Hit:
    return Hit(
        at,
        Text(
            f"{table} belongs to production, and {own} is a development project.",
            f"{table} 属于生产项目，而 {own} 是开发项目。",
        ),
        Text(
            f"Write {table.rpartition('.')[2]}: the environment chooses the project.",
            f"请直接写 {table.rpartition('.')[2]}，由环境决定项目。",
        ),
        key=table.lower(),
    )
