"""MC-M03: long-node."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.analysis.naming import is_temporary
from review.facts import Span
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule


class LongNodeOptions(Options):
    """Options of MC-M03."""

    max_lines: int = Field(500, ge=1, description="maximum number of lines of a node")
    max_targets: int = Field(
        3, ge=1, description="maximum number of tables that a node writes, except temporary ones"
    )


@rule(
    "MC-M03",
    "long-node",
    Severity.INFO,
    dialects=SQL,
    options=LongNodeOptions,
    fix=Text("Split the node: one node per table that it writes.", "拆分节点：每张产出表一个节点。"),
)
def long_node(subject: RuleContext, options: LongNodeOptions) -> Iterator[Hit]:
    """Node is too long or writes too many tables.

    ## What it does
    Counts the lines of a node and the tables that it writes, except temporary ones.

    ## Why
    A node fails, is rerun and is waited for as a whole. If a node writes many tables, one failure delays the
    readers of all of them.

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dws_a_1d SELECT id FROM dwd_a_di WHERE ds = '${bizdate}';
    INSERT OVERWRITE TABLE dws_b_1d SELECT id FROM dwd_b_di WHERE ds = '${bizdate}';
    INSERT OVERWRITE TABLE dws_c_1d SELECT id FROM dwd_c_di WHERE ds = '${bizdate}';
    INSERT OVERWRITE TABLE dws_d_1d SELECT id FROM dwd_d_di WHERE ds = '${bizdate}';
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE tmp_a SELECT id FROM dwd_a_di WHERE ds = '${bizdate}';
    INSERT OVERWRITE TABLE dws_a_1d SELECT id FROM tmp_a;
    ```

    ## Options
    `max_lines` (default 500): maximum number of lines of a node. `max_targets` (default 3): maximum number
    of tables that it writes.

    ## Known limits
    Blank lines and comments count as lines.
    """
    script = subject.script
    lines = script.code.rstrip().count("\n") + 1
    if lines > options.max_lines:
        end = script.code.find("\n")
        yield Hit(
            Span(0, max(end, 1)),
            Text(
                f"The node has {lines} lines; the maximum is {options.max_lines}.",
                f"节点共有 {lines} 行，超过 {options.max_lines} 行。",
            ),
            key="lines",
        )
    targets = {
        write.table.lower(): write.at
        for statement in script.statements
        for write in statement.writes
        if not is_temporary(write.table)
    }
    if len(targets) > options.max_targets:
        yield Hit(
            list(targets.values())[options.max_targets],
            Text(
                f"The node writes {len(targets)} tables; the maximum is {options.max_targets}.",
                f"节点写入了 {len(targets)} 张表，超过 {options.max_targets} 张。",
            ),
            key="targets",
        )
