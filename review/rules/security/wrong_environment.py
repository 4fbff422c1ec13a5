"""MC-S04: wrong-environment."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.projects import changed_projects, project_of
from review.facts import Span
from review.rules.api import MAXCOMPUTE, Hit, Options, RuleContext, Text, rule

_DEVELOPMENT = "_dev"


@rule(
    "MC-S04",
    "wrong-environment",
    Severity.WARN,
    dialects=MAXCOMPUTE,
    fix=Text(
        "Remove the project: the environment in which the node runs determines it.",
        "请去掉项目名，由节点运行的环境决定。",
    ),
)
def wrong_environment(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Production code names a development project, or the reverse.

    ## What it does
    Reports tables whose project ends in `_dev` in code that is scheduled or goes to production, and, in a
    node of a development project, writes to the production project of the same name.

    ## Why
    DataWorks deploys the same code from development to production. A hard-coded project is deployed with it:
    production reads test data, or a test run overwrites production data.

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
    Development projects are recognised by `_dev` only, as DataWorks names them. Reading production tables
    from development is allowed.
    """
    script = subject.script
    own = (script.context.project or "").lower()
    in_development = own.endswith(_DEVELOPMENT) and not script.context.node.production
    if not in_development and not (script.context.node.scheduled or script.context.node.production):
        return
    for statement in script.statements:
        named = list(changed_projects(statement))
        if not in_development:
            named += [(source.at, source.table) for _, source in statement.reads()]
        for at, table in named:
            found = project_of(script, table)
            if in_development and found and f"{found}{_DEVELOPMENT}" == own:
                yield _production(at, table, own)
            elif not in_development and found and found.endswith(_DEVELOPMENT):
                yield _development(at, table)


def _development(at: Span, table: str) -> Hit:
    return Hit(
        at,
        Text(f"{table} belongs to a development project.", f"{table} 属于开发项目。"),
        Text(
            f"Write {table.rpartition('.')[2]}: the environment determines the project.",
            f"请直接写 {table.rpartition('.')[2]}，由环境决定项目。",
        ),
        key=table.lower(),
    )


def _production(at: Span, table: str, own: str) -> Hit:
    return Hit(
        at,
        Text(
            f"{table} belongs to the production project, but {own} is a development project.",
            f"{table} 属于生产项目，而 {own} 是开发项目。",
        ),
        Text(
            f"Write {table.rpartition('.')[2]}: the environment determines the project.",
            f"请直接写 {table.rpartition('.')[2]}，由环境决定项目。",
        ),
        key=table.lower(),
    )
