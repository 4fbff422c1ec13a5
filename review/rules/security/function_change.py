"""MC-S07: function-change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.facts import CreatedKind, Creation, Span, Statement
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule

_COMMAND = re.compile(
    r"\s*(?:add\s+(?:jar|py|file|archive|table)|drop\s+(?:function|resource)|create\s+resource)\b",
    re.IGNORECASE,
)
_IN_SESSION = frozenset({Dialect.HIVE, Dialect.SPARK})


@rule(
    "MC-S07",
    "function-change",
    Severity.WARN,
    dialects=WAREHOUSE,
    fix=Text(
        "Publish the function or resource in DataWorks, and only refer to it here.",
        "请在 DataWorks 中发布函数或资源，节点中只引用。",
    ),
)
def function_change(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Node creates or replaces a function or resource.

    ## What it does
    Reports CREATE FUNCTION, DROP FUNCTION, ADD JAR, ADD PY, ADD FILE, ADD ARCHIVE and similar statements.

    ## Why
    Every node of the project uses a function by the same name. Replacing it in a node changes the results of
    all of them, or runs other code in them, without a review of that code.

    ## Bad
    ```sql
    CREATE FUNCTION my_mask AS 'com.shop.Mask' USING 'mask.jar';
    ```
    ```sql
    ADD JAR mask.jar -f;
    ```

    ## Good
    ```sql
    SELECT my_mask(mobile) AS mobile FROM dwd_user_df WHERE ds = '${bizdate}';
    ```
    ```hive
    ADD JAR hdfs:///lib/mask.jar;
    CREATE TEMPORARY FUNCTION my_mask AS 'com.shop.Mask';
    ```

    ## Options
    None.

    ## Known limits
    Temporary functions, and ADD JAR of Hive and Spark, last for the session only and are allowed.
    """
    for statement in subject.script.statements:
        in_session = (statement.dialect or subject.script.dialect) in _IN_SESSION
        made = [
            item for item in statement.creations if item.what in (CreatedKind.FUNCTION, CreatedKind.RESOURCE)
        ]
        for creation in made:
            if not creation.temporary and not (in_session and creation.what is CreatedKind.RESOURCE):
                yield _made(creation)
        if not made:
            yield from _command(statement, in_session=in_session)


def _made(creation: Creation) -> Hit:
    zh = "函数" if creation.what is CreatedKind.FUNCTION else "资源"
    return Hit(
        creation.at,
        Text(
            f"This node creates or replaces the {creation.what.value} {creation.name}.",
            f"该节点创建或替换了{zh} {creation.name}。",
        ),
        key=creation.name.lower(),
    )


def _command(statement: Statement, *, in_session: bool) -> Iterator[Hit]:
    found = _COMMAND.match(statement.bare)
    if found is None:
        return
    words = " ".join(found[0].split()).upper()
    if in_session and words.startswith("ADD"):
        return
    begin = statement.at.begin + len(found[0]) - len(found[0].lstrip())
    yield Hit(
        Span(begin, statement.at.begin + found.end()),
        Text(f"{words} affects all nodes of the project.", f"{words} 会影响项目中的所有节点。"),
        key=words,
    )
