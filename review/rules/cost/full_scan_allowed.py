"""MC-P05: full-scan-allowed."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.rules.api import MAXCOMPUTE, Hit, Options, RuleContext, Text, rule

_FLAG = "odps.sql.allow.fullscan"


@rule(
    "MC-P05",
    "full-scan-allowed",
    Severity.WARN,
    dialects=MAXCOMPUTE,
    fix=Text(
        "Remove the setting, and filter each partitioned table by its partition column.",
        "请删除该设置，并为每张分区表加上分区过滤条件。",
    ),
)
def full_scan_allowed(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Full scans are enabled.

    ## What it does
    Reports `SET odps.sql.allow.fullscan = true`.

    ## Why
    The setting removes the only guard that rejects queries without a partition filter. It also hides filters
    that are forgotten later.

    ## Bad
    ```sql
    SET odps.sql.allow.fullscan = true;
    SELECT max(id) FROM dwd_order_di WHERE ds = '${bizdate}';
    ```

    ## Good
    ```sql
    SET odps.sql.type.system.odps2 = true;
    SELECT max(id) FROM dwd_order_di WHERE ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    Settings outside the script (of the project, or hints passed by a program) are not visible.
    """
    for statement in subject.script.statements:
        setting = statement.setting
        if setting and setting.name == _FLAG and setting.value.strip(" '\";").lower() == "true":
            yield Hit(
                setting.at,
                Text(
                    f"{_FLAG} = true allows full table scans in every query of this script.",
                    f"{_FLAG} = true 允许本脚本中的所有查询全表扫描。",
                ),
                key=_FLAG,
            )
