"""MC-N04: missing-comment."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.naming import is_temporary
from review.dialects import Dialect
from review.facts import CreatedKind, Creation
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule

_MAX_NAMED = 5
"""Maximum number of columns in a message; the rest are counted."""


@rule(
    "MC-N04",
    "missing-comment",
    Severity.WARN,
    dialects=WAREHOUSE | {Dialect.MYSQL, Dialect.STARROCKS, Dialect.DORIS},
    fix=Text("Add COMMENT '…' in the terms of its users.", "添加 COMMENT '…'，使用业务方熟悉的说法。"),
)
def missing_comment(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Table or column is created without a comment.

    ## What it does
    Reports CREATE TABLE without a comment on the table (warns) or on some of its columns (info). Temporary
    tables, CREATE TABLE AS, external tables and CREATE TABLE LIKE are not checked.

    ## Why
    Data map, lineage and everyone who searches for data identify a table by its comments. Comments that
    others add later are guesses.

    ## Bad
    ```sql
    CREATE TABLE IF NOT EXISTS dim_shop (shop_id BIGINT COMMENT 'shop') LIFECYCLE 90;
    ```
    ```sql
    CREATE TABLE IF NOT EXISTS dim_shop (shop_id BIGINT, city STRING) COMMENT 'shops' LIFECYCLE 90;
    ```

    ## Good
    ```sql
    CREATE TABLE IF NOT EXISTS dim_shop (
      shop_id BIGINT COMMENT 'shop', city STRING COMMENT 'city'
    ) COMMENT 'shops' PARTITIONED BY (ds STRING) LIFECYCLE 90;
    ```
    ```sql
    CREATE TABLE tmp_shop (shop_id BIGINT) LIFECYCLE 1;
    ```

    ## Options
    None.

    ## Known limits
    Whether a comment is meaningful must be reviewed manually. Partition columns need no comment.
    """
    for statement in subject.script.statements:
        for made in statement.creations:
            if made.what is CreatedKind.TABLE and _needs_comment(made):
                yield from _missing(made)


def _needs_comment(made: Creation) -> bool:
    plain = not (made.like or made.queried or made.external or made.temporary)
    return plain and bool(made.columns) and not is_temporary(made.name)


def _missing(made: Creation) -> Iterator[Hit]:
    if not made.comment:
        yield Hit(
            made.at,
            Text(f"The table {made.name} has no comment.", f"表 {made.name} 没有注释。"),
            key=made.name.lower(),
        )
    bare = [column for column in made.columns if not column.comment]
    if bare:
        named = ", ".join(column.name for column in bare[:_MAX_NAMED])
        more = len(bare) - _MAX_NAMED
        yield Hit(
            bare[0].at,
            Text(
                f"Columns of {made.name} have no comment: {named}{f' and {more} more' if more > 0 else ''}.",
                f"{made.name} 的列没有注释：{named}{f' 等 {len(bare)} 列' if more > 0 else ''}。",
            ),
            severity=Severity.INFO,
            key=f"{made.name.lower()}.columns",
        )
