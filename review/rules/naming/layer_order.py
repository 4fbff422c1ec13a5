"""MC-N02: layer-order."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.analysis.naming import layer_of
from review.facts import last_part
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule


class LayerOrderOptions(Options):
    """Options of MC-N02."""

    reads: dict[str, tuple[str, ...]] = Field(
        default_factory=lambda: {
            "ods": ("ods",),
            "dim": ("ods", "dim", "dwd", "dwm"),
            "dwd": ("ods", "dim", "dwd"),
            "dwm": ("dim", "dwd", "dwm"),
            "dws": ("dim", "dwd", "dwm", "dws"),
            "ads": ("dim", "dwd", "dwm", "dws", "ads"),
        },
        description="by layer: the layers that its tables may read",
    )


@rule(
    "MC-N02",
    "layer-order",
    Severity.WARN,
    dialects=WAREHOUSE,
    options=LayerOrderOptions,
    fix=Text(
        "Read the layer below instead; build the table there if it is missing.",
        "改为读取下一层的表；如果没有，请先在该层建设。",
    ),
)
def layer_order(subject: RuleContext, options: LayerOrderOptions) -> Iterator[Hit]:
    """Layer is skipped, or data flows backwards.

    ## What it does
    Compares the layers in the names of the table that a statement writes and of the tables that it reads.
    Reports, for example, an ads table that reads ods, or a dwd table that reads ads.

    ## Why
    Skipping a layer duplicates its cleaning logic and produces different figures. Backward flow creates
    cycles: a rerun of one table changes its own inputs.

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE ads_shop_gmv PARTITION (ds = '${bizdate}')
    SELECT shop_id, SUM(amount) AS gmv FROM ods_trade_order_di WHERE ds = '${bizdate}' GROUP BY shop_id;
    ```
    ```sql
    INSERT OVERWRITE TABLE dwd_trade_order_di PARTITION (ds = '${bizdate}')
    SELECT o.order_id, s.gmv
    FROM ods_trade_order_di o JOIN ads_shop_gmv s ON o.shop_id = s.shop_id AND s.ds = '${bizdate}'
    WHERE o.ds = '${bizdate}';
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE ads_shop_gmv PARTITION (ds = '${bizdate}')
    SELECT shop_id, SUM(amount) AS gmv FROM dwd_trade_order_di WHERE ds = '${bizdate}' GROUP BY shop_id;
    ```

    ## Options
    `reads` (default: each layer may read itself, dim, and the layers below it; ads may not read ods): the
    layers that a layer may read.

    ## Known limits
    The layer is the first word of a table's name. Tables without one, temporary tables and views are not
    checked, so an intermediate temporary table hides its sources.
    """
    for statement in subject.script.statements:
        targets = {
            write.table: found
            for write in statement.writes
            if (found := layer_of(write.table)) in options.reads
        }
        for _, source in statement.reads():
            read = layer_of(source.table)
            for target, found in targets.items():
                if read in options.reads and read not in options.reads[str(found)]:
                    yield Hit(
                        source.at,
                        Text(
                            f"{last_part(target)} ({found}) reads {last_part(source.table)} ({read}).",
                            f"{last_part(target)}（{found}）读取了 {last_part(source.table)}（{read}）。",
                        ),
                        key=f"{target}<{source.table}".lower(),
                    )
