"""MC-P04: select-star."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.facts import JoinKind, Output, Role, Source, Statement
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule


@rule(
    "MC-P04",
    "select-star",
    Severity.WARN,
    dialects=SQL,
    fix=Text("List the columns that are needed.", "请列出所需的列。"),
)
def select_star(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """SELECT * on a table reaches the result.

    ## What it does
    Reports `*` and `t.*` on a table whose columns reach the rows that a statement writes or returns: in the
    outer query, or in a subquery or CTE whose columns the outer query selects with `*` in turn.

    ## Why
    MaxCompute stores data by column: unneeded columns are read and billed. A column added upstream breaks the
    write, or shifts values into the wrong columns.

    ## Bad
    ```sql
    SELECT * FROM dwd_order_di WHERE ds = '${bizdate}'
    ```
    ```sql
    INSERT OVERWRITE TABLE dws_order_1d PARTITION (ds = '${bizdate}')
    SELECT o.*, u.city
    FROM dwd_order_di o JOIN dim_user u ON o.user_id = u.id
    WHERE o.ds = '${bizdate}'
    ```
    ```sql
    WITH o AS (SELECT * FROM dwd_order_di WHERE ds = '${bizdate}')
    SELECT * FROM o
    ```

    ## Good
    ```sql
    SELECT id, amount FROM dwd_order_di WHERE ds = '${bizdate}'
    ```
    ```sql
    WITH o AS (SELECT id, amount FROM dwd_order_di WHERE ds = '${bizdate}')
    SELECT * FROM o
    ```
    ```sql
    SELECT id FROM (SELECT * FROM dwd_order_di WHERE ds = '${bizdate}') o
    ```
    ```sql
    SELECT count(*) FROM dwd_order_di WHERE ds = '${bizdate}'
    ```

    ## Options
    None.

    ## Known limits
    A `*` in a subquery is ignored if the outer query lists the columns: the engine reads only those.
    Backquoted patterns that select columns are not checked.
    """
    for statement in subject.script.statements:
        yield from _hits(statement)


def _hits(statement: Statement) -> Iterator[Hit]:
    """Yield stars on tables in the blocks of the result, and in the blocks that their stars select from."""
    seen: set[int] = set()
    waiting = [index for index, block in enumerate(statement.blocks) if block.role is Role.RESULT]
    for index in waiting:
        block = statement.blocks[index]
        named = _by_name(block.sources)
        for output in block.outputs:
            if not output.star or output.pattern or output.at.begin in seen:
                continue
            seen.add(output.at.begin)
            qualifier = output.qualifier.lower()
            selected = named.get(qualifier, []) if qualifier else _joined(block.sources)
            waiting += [inner for source in selected for inner in source.blocks]
            if tables := [source.table for source in selected if source.table]:
                yield _hit(output, tables)


def _by_name(sources: tuple[Source, ...]) -> dict[str, list[Source]]:
    """Return the sources that a qualifier, in lower case, can mean: by alias and by table."""
    named: dict[str, list[Source]] = {}
    for source in sources:
        for name in {source.alias.lower(), source.table.lower()}:
            named.setdefault(name, []).append(source)
    return named


def _joined(sources: tuple[Source, ...]) -> list[Source]:
    """Return the sources that a star without a qualifier selects."""
    return [source for source in sources if source.join_kind not in (JoinKind.SEMI, JoinKind.ANTI)]


def _hit(output: Output, tables: list[str]) -> Hit:
    names = ", ".join(tables)
    star = f"{output.qualifier}.*" if output.qualifier else "*"
    return Hit(
        output.at,
        Text(
            f"{star} selects every column of {names} into the result.",
            f"{star} 把 {'、'.join(tables)} 的所有列都带入了结果。",
        ),
        Text(f"List the columns of {names} that are needed.", f"请列出 {'、'.join(tables)} 中所需的列。"),
        key=names.lower(),
    )
