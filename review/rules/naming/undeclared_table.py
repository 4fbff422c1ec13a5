"""MC-N05: undeclared-table."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.naming import is_temporary
from review.analysis.table_set import TableSet
from review.facts import RemovedKind, Script, Span, is_same_table, last_part, table_key
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule


@rule(
    "MC-N05",
    "undeclared-table",
    Severity.WARN,
    dialects=SQL,
    fix=Text(
        "Parse the inputs and outputs of the node again, or declare the table manually.",
        "重新解析节点的输入和输出，或手动添加该表。",
    ),
)
def undeclared_table(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Table is read or written but not declared by the node.

    ## What it does
    Compares the tables that the script reads and writes with the declared inputs and outputs of the node, and
    the only table that it writes with the node's name. Temporary tables, and tables that the script itself
    creates, are ignored.

    ## Why
    Dependencies follow the declarations. A node that reads a table without depending on it may run before the
    table is ready. Nothing downstream can wait for an undeclared output.

    ## Given
    ```json
    {
      "project": "shop",
      "node": {"inputs": ["shop.ods_trade_order_di"], "outputs": ["shop.dwd_trade_order_di"]}
    }
    ```

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dwd_trade_order_di PARTITION (ds = '${bizdate}')
    SELECT o.order_id, u.city
    FROM ods_trade_order_di o JOIN dim_user u ON o.user_id = u.user_id AND u.ds = '${bizdate}'
    WHERE o.ds = '${bizdate}';
    ```
    ```sql
    INSERT OVERWRITE TABLE dwd_trade_refund_di PARTITION (ds = '${bizdate}')
    SELECT order_id FROM ods_trade_order_di WHERE ds = '${bizdate}' AND refunded = 1;
    ```

    ## Good
    ```sql
    CREATE TABLE tmp_order LIFECYCLE 1 AS
    SELECT order_id FROM shop.ods_trade_order_di WHERE ds = '${bizdate}';
    INSERT OVERWRITE TABLE shop.dwd_trade_order_di PARTITION (ds = '${bizdate}')
    SELECT order_id FROM tmp_order;
    ```

    ## Options
    None.

    ## Known limits
    Unknown inputs and outputs, and nodes without a schedule, are not checked. Views are treated as tables. A
    table that the node also writes need not be declared as an input.
    """
    script = subject.script
    node = script.context.node
    if not node.scheduled:
        return
    written = _written(script)
    if node.outputs is not None:
        for table, at in written.items():
            if not _declared(script, table, node.outputs):
                yield _undeclared(table, at, "written", "output", "写入", "输出")
    elif node.name and len(written) == 1:
        yield from _misnamed(node.name, *next(iter(written.items())))
    if node.inputs is not None:
        for table, at in _read(script).items():
            if not _declared(script, table, node.inputs):
                yield _undeclared(table, at, "read", "input", "读取", "输入")


def _written(script: Script) -> dict[str, Span]:
    """Return the written tables that outlive the script, with the span of the first write."""
    dropped = TableSet(script, _dropped(script))
    found: dict[str, Span] = {}
    for statement in script.statements:
        for write in statement.writes:
            key = write.table.lower()
            if key not in found and _is_checked(write.table) and write.table not in dropped:
                found[key] = write.at
    return found


def _dropped(script: Script) -> Iterator[str]:
    """Yield the tables that exist only during the script: temporary ones, and those that it drops."""
    kept: dict[str, bool] = {}
    for statement in script.statements:
        for made in statement.creations:
            kept[table_key(made.name)] = not made.temporary
        for gone in statement.removals:
            name = table_key(gone.name)
            if gone.what is RemovedKind.TABLE and name in kept:
                kept[name] = False
    yield from (name for name, stays in kept.items() if not stays)


def _read(script: Script) -> dict[str, Span]:
    """Return the tables that are read but not created or written here, with the span of the first read."""
    made = (item.name for statement in script.statements for item in statement.creations)
    filled = (item.table for statement in script.statements for item in statement.writes)
    own = TableSet(script, (*made, *filled))
    found: dict[str, Span] = {}
    for statement in script.statements:
        for _, source in statement.reads():
            key = source.table.lower()
            if key not in found and _is_checked(source.table) and source.table not in own:
                found[key] = source.at
    return found


def _is_checked(table: str) -> bool:
    return not is_temporary(table) and table.lower() != "dual" and not any(mark in table for mark in "${[%")


def _declared(script: Script, table: str, names: tuple[str, ...]) -> bool:
    project = script.context.project
    full = table if "." in table or not project else f"{project}.{table}"
    return any(is_same_table(name, full) for name in names)


def _undeclared(table: str, at: Span, done: str, side: str, done_zh: str, side_zh: str) -> Hit:
    return Hit(
        at,
        Text(
            f"{table} is {done} but not declared as an {side} of the node.",
            f"代码{done_zh}了 {table}，但节点没有将其声明为{side_zh}。",
        ),
        key=f"{side}.{table}",
    )


def _misnamed(name: str, table: str, at: Span) -> Iterator[Hit]:
    if last_part(table).strip("`") != name.lower():
        yield Hit(
            at,
            Text(
                f"The node {name} writes {table}: a node must have the name of the table that it writes.",
                f"节点 {name} 产出的表是 {table}：节点名应与产出表同名。",
            ),
            Text(f"Rename the node to {last_part(table)}.", f"将节点改名为 {last_part(table)}。"),
            key="name",
        )
