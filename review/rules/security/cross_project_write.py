"""MC-S03: cross-project-write."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.analysis.projects import changed_projects, project_of
from review.rules.api import MAXCOMPUTE, Hit, Options, RuleContext, Text, rule

_DEVELOPMENT = "_dev"


class CrossProjectWriteOptions(Options):
    """What a policy may set for MC-S03."""

    allowed: tuple[str, ...] = Field(default=(), description="projects that any node may write to")


@rule(
    "MC-S03",
    "cross-project-write",
    Severity.BLOCK,
    dialects=MAXCOMPUTE,
    options=CrossProjectWriteOptions,
    fix=Text(
        "Write to a table of this project, and let the other project read it.",
        "请写入本项目的表，由对方读取。",
    ),
)
def cross_project_write(subject: RuleContext, options: CrossProjectWriteOptions) -> Iterator[Hit]:
    """Node writes a table of another project.

    ## What it does
    Reports statements that write, create, alter or drop a table whose name begins with a project other than
    the node's own. Reports nothing if the node's project is unknown.

    ## Why
    The owners of the other project see no node of theirs that produces the data: no lineage, no owner, no
    alert. A permission change there makes this node fail.

    ## Given
    ```json
    {"project": "shop"}
    ```

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE finance.dws_order_1d PARTITION (ds = '${bizdate}')
    SELECT city, sum(amount) AS amount FROM dwd_order_di WHERE ds = '${bizdate}' GROUP BY city
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE shop.dws_order_1d PARTITION (ds = '${bizdate}')
    SELECT city, sum(amount) AS amount FROM finance.dwd_order_di WHERE ds = '${bizdate}' GROUP BY city
    ```

    ## Options
    `allowed` (default none): projects that any node may write to.

    ## Known limits
    `shop` and `shop_dev` count as one project here (see MC-S04). A name of two parts is read as project and
    table unless the script sets `odps.namespace.schema = true`. Whether the owner of the other project agreed
    is not known.
    """
    script = subject.script
    if script.context.project is None:
        return
    own = script.context.project.lower()
    allowed = {
        own.removesuffix(_DEVELOPMENT),
        *(name.lower().removesuffix(_DEVELOPMENT) for name in options.allowed),
    }
    for statement in script.statements:
        for at, table in changed_projects(statement):
            named = project_of(script, table)
            if named is None or named.removesuffix(_DEVELOPMENT) in allowed:
                continue
            if "$" in named or "{" in named:
                continue  # the project is a parameter: it is unknown
            yield Hit(
                at,
                Text(
                    f"{table} belongs to the project {named}, not to {own}.",
                    f"{table} 属于项目 {named}，而不是 {own}。",
                ),
                key=table.lower(),
            )
