"""MC-N01: table-name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import Field

from common.text.patterns import Pattern, is_full_match
from common.verdicts import Severity
from review.analysis.naming import database_has_layer, is_temporary
from review.dialects import Dialect
from review.facts import CreatedKind, last_part
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule

_WORDS = r"_[a-z0-9]+(_[a-z0-9]+)*"

_LAYER_DATABASES = frozenset({Dialect.HIVE, Dialect.SPARK})
"""Languages in which a warehouse usually has a database for each layer."""


class TableNameOptions(Options):
    """Options of MC-N01."""

    patterns: dict[str, Pattern] = Field(
        default_factory=lambda: {
            "ods": rf"ods{_WORDS}",
            "dwd": rf"dwd{_WORDS}",
            "dwm": rf"dwm{_WORDS}",
            "dws": rf"dws{_WORDS}",
            "dim": rf"dim{_WORDS}",
            "ads": rf"ads{_WORDS}",
        },
        description="by layer: the RE2 regular expression that the whole name of a table must match",
    )


@rule(
    "MC-N01",
    "table-name",
    Severity.WARN,
    dialects=WAREHOUSE,
    options=TableNameOptions,
    fix=Text(
        "Name it layer_domain_content_suffix in lower case, e.g. dwd_trade_order_di.",
        "按“分层_业务域_内容_后缀”以小写命名，例如 dwd_trade_order_di。",
    ),
)
def table_name(subject: RuleContext, options: TableNameOptions) -> Iterator[Hit]:
    """Table name does not follow the convention.

    ## What it does
    Compares the names of tables that the script creates with one pattern per warehouse layer. Temporary
    tables may have any name. In Hive and Spark the database may name the layer instead (`ods.orders`,
    `mall_dwd.orders`).

    ## Why
    People find a table, and recognise its grain and layer, by its name.

    ## Bad
    ```sql
    CREATE TABLE IF NOT EXISTS order_detail (order_id BIGINT) LIFECYCLE 90;
    ```
    ```sql
    CREATE TABLE IF NOT EXISTS DWD_OrderDetail (order_id BIGINT) LIFECYCLE 90;
    ```

    ## Good
    ```sql
    CREATE TABLE IF NOT EXISTS dwd_trade_order_di (order_id BIGINT) LIFECYCLE 90;
    ```
    ```sql
    CREATE TABLE tmp_orders_to_check (order_id BIGINT) LIFECYCLE 1;
    ```
    ```hive
    CREATE TABLE IF NOT EXISTS dwd.trade_order (order_id BIGINT);
    ```

    ## Options
    `patterns` (default: one each for ods, dwd, dwm, dws, dim and ads: the layer and at least one more word,
    in lower case, digits and underscores): by layer, the RE2 regular expression that the whole name must
    match.

    ## Known limits
    Tables that are written here but created elsewhere, and names completed by a parameter, are not checked.
    """
    script = subject.script
    for statement in script.statements:
        in_layers = (statement.dialect or script.dialect) in _LAYER_DATABASES
        for made in statement.creations:
            name = last_part(made.name).strip("`")
            if (
                made.what is not CreatedKind.TABLE
                or made.temporary
                or is_temporary(made.name)
                or re.search(r"[${}%\[]", name)
                or (in_layers and database_has_layer(made.name, options.patterns))
            ):
                continue
            if not any(is_full_match(pattern, name) for pattern in options.patterns.values()):
                yield Hit(
                    made.at,
                    Text(
                        f"The name {name} matches no layer's pattern ({', '.join(options.patterns)}).",
                        f"表名 {name} 不符合任何分层（{'、'.join(options.patterns)}）的命名规则。",
                    ),
                    key=name.lower(),
                )
