"""MC-M03: a node does one thing."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from workers.review.facts import Span
from workers.review.rules.names import temporary
from workers.review.rules.rule import SQL, Hit, Options, Subject, Text, rule


class LongNodeOptions(Options):
    """What is too much."""

    most_lines: int = Field(500, ge=1, description="lines that a node may have")
    most_targets: int = Field(3, ge=1, description="tables that a node may write, temporary ones not counted")


@rule(
    "MC-M03",
    "long-node",
    Severity.INFO,
    dialects=SQL,
    options=LongNodeOptions,
    fix=Text("Split the node: one for each table that it makes.", "拆分节点：每张产出表一个节点。"),
)
def long_node(subject: Subject, options: LongNodeOptions) -> Iterator[Hit]:
    """Node is too long, or writes too many tables.

    ## What it does
    Counts the lines of a node, and the tables that it writes; temporary ones are left out.

    ## Why
    A node fails, runs again and is waited for as a whole. One that makes many tables holds all their readers
    up when one of them fails.

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
    `most_lines` (default 500): lines that a node may have. `most_targets` (default 3): tables that it may
    write.

    ## Known limits
    Blank lines and comments are lines too.
    """
    script = subject.script
    lines = script.code.rstrip().count("\n") + 1
    if lines > options.most_lines:
        end = script.code.find("\n")
        yield Hit(
            Span(0, max(end, 1)),
            Text(
                f"The node has {lines} lines; {options.most_lines} are let pass.",
                f"节点共有 {lines} 行，超过 {options.most_lines} 行。",
            ),
            key="lines",
        )
    targets = {
        write.table.lower(): write.at
        for statement in script.statements
        for write in statement.writes
        if not temporary(write.table)
    }
    if len(targets) > options.most_targets:
        yield Hit(
            list(targets.values())[options.most_targets],
            Text(
                f"The node writes {len(targets)} tables; {options.most_targets} are let pass.",
                f"节点写入了 {len(targets)} 张表，超过 {options.most_targets} 张。",
            ),
            key="targets",
        )
