"""MC-N02: data flows through the layers in one direction."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from workers.review.facts import last_part
from workers.review.rules.names import layer
from workers.review.rules.rule import WAREHOUSE, Hit, Options, Subject, Text, rule


class LayerOrderOptions(Options):
    """Which layer may read which."""

    reads: dict[str, tuple[str, ...]] = Field(
        default_factory=lambda: {
            "ods": ("ods",),
            "dim": ("ods", "dim", "dwd", "dwm"),
            "dwd": ("ods", "dim", "dwd"),
            "dwm": ("dim", "dwd", "dwm"),
            "dws": ("dim", "dwd", "dwm", "dws"),
            "ads": ("dim", "dwd", "dwm", "dws", "ads"),
        },
        description="by layer: the layers that its tables may be made of",
    )


@rule(
    "MC-N02",
    "layer-order",
    Severity.WARN,
    dialects=WAREHOUSE,
    options=LayerOrderOptions,
    fix=Text(
        "Read the layer below instead; build the table there when it is missing.",
        "改为读取下一层的表；如果没有，请先在该层建设。",
    ),
)
def layer_order(subject: Subject, options: LayerOrderOptions) -> Iterator[Hit]:
    """Layer is skipped, or data flows backwards.

    ## What it does
    Looks at the layers in the names of the table that a statement writes and of those that it reads: an ads
    table that reads ods, a dwd table that reads ads and the like are told.

    ## Why
    What skips a layer repeats its cleaning, and differs from it. What flows backwards makes circles: a rerun
    of one table changes the tables that it is made of.

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
    `reads` (default: each layer may read itself, dim, and the layers below it; ads does not read ods): the
    layers that a layer may be made of.

    ## Known limits
    A layer is the first word of a table's name. Tables without one, temporary ones and views are not judged,
    so a temporary table in between hides what it is made of.

    # 跨层读取或数据逆向流动
    ## 规则说明
    根据表名判断一条语句写入和读取的表所属的分层：例如 ads 表读取 ods、dwd 表读取 ads，都会提示。

    ## 为什么
    跨层读取会重复清洗逻辑并产生口径差异；逆向流动会形成环路：重跑一张表会改变它自己的上游。

    ## 选项
    `reads`（默认：各层可读取本层、dim 及其下层，ads 不读取 ods）：每个分层允许读取的分层。

    ## 已知限制
    分层取自表名的第一个单词。没有分层前缀的表、临时表和视图不检查，因此中间的临时表会掩盖其来源。
    """
    for statement in subject.script.statements:
        targets = {
            write.table: found for write in statement.writes if (found := layer(write.table)) in options.reads
        }
        for _, source in statement.reads():
            read = layer(source.table)
            for target, found in targets.items():
                if read in options.reads and read not in options.reads[str(found)]:
                    yield Hit(
                        source.at,
                        Text(
                            f"{last_part(target)} ({found}) is made of {last_part(source.table)} ({read}).",
                            f"{last_part(target)}（{found}）读取了 {last_part(source.table)}（{read}）。",
                        ),
                        key=f"{target}<{source.table}".lower(),
                    )
