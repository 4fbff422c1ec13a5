"""MC-C11: insert-columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from common.verdicts import Severity
from review.dialects import Dialect
from review.facts import Block, Output, Source, Statement, Write, WriteKind
from review.rules.api import Hit, Options, RuleContext, Text, rule

_INSERTS = frozenset({WriteKind.INSERT, WriteKind.OVERWRITE, WriteKind.UPSERT})
_FILL_THE_REST = frozenset({Dialect.POSTGRES, Dialect.HOLOGRES, Dialect.REDSHIFT})
"""Engines that accept fewer columns than the table has and use defaults for the rest."""
_MAX_DEPTH = 20


@rule(
    "MC-C11",
    "insert-columns",
    Severity.BLOCK,
    fix=Text(
        "List the columns in the order of the target, with dynamic partition columns last.",
        "按目标表的顺序列出各列，动态分区列放在最后。",
    ),
)
def insert_columns(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Inserted columns do not match the target.

    ## What it does
    Compares the columns of an INSERT with those of its target: their number, and the order of columns whose
    names the target has in another position. Requires the target's columns (from the catalogue or from a
    CREATE in the script), or the column list of the INSERT.

    ## Why
    INSERT matches columns by position, not by name. With one column too many the statement fails. With two
    columns swapped, amounts are written to the name column, without an error.

    ## Given
    ```json
    {"tables": {
      "dwd_order_di": {
        "columns": {"order_id": "BIGINT", "shop_id": "BIGINT", "amount": "DECIMAL"},
        "partitions": {"ds": "STRING"}},
      "ods_order_di": {
        "columns": {"order_id": "BIGINT", "shop_id": "BIGINT", "amount": "DECIMAL"},
        "partitions": {"ds": "STRING"}}
    }}
    ```

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds = '${bizdate}')
    SELECT * FROM ods_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds = '${bizdate}')
    SELECT order_id, amount, shop_id FROM ods_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    INSERT INTO TABLE dwd_order_di PARTITION (ds = '${bizdate}') (order_id, amount)
    SELECT order_id FROM ods_order_di WHERE ds = '${bizdate}';
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds = '${bizdate}')
    SELECT order_id, shop_id, amount FROM ods_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds)
    SELECT order_id, shop_id, amount, ds FROM ods_order_di WHERE ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    Reports nothing if the columns of the target, or those that a star expands to, are unknown. VALUES are not
    counted. Order is checked only among outputs whose names the target has. Hologres, Postgres and Redshift
    accept fewer columns than the table has. Columns that the engine computes (identity and generated columns,
    AUTO PARTITIONED BY) may be left out, but are known only from a CREATE in the script.
    """
    for statement in subject.script.statements:
        for write in statement.writes:
            target = _target(subject, write) if write.kind in _INSERTS else None
            for index in write.blocks if target else ():
                names = _output_names(subject, statement, statement.blocks[index], 0)
                if names is None or _lacks_partitions(subject, write, target or (), names):
                    continue
                if _fits_without_generated(subject, write, target or (), names):
                    continue
                dialect = statement.dialect or subject.script.dialect
                message = _check_names(dialect, write, target or (), names)
                if message is not None:
                    yield Hit(write.at, message, key=write.table)
                    break


def _lacks_partitions(subject: RuleContext, write: Write, target: Sequence[str], names: list[str]) -> bool:
    """Whether only the partition columns of an overwrite are missing, which MC-C13 reports."""
    partitions = subject.catalog.partitions(write.table) or ()
    missing = len(target) - len(names)
    return write.kind is WriteKind.OVERWRITE and not write.partition and 0 < missing == len(partitions)


def _fits_without_generated(
    subject: RuleContext, write: Write, target: Sequence[str], names: list[str]
) -> bool:
    """Whether the target has columns that the engine computes, and a query may give as many columns."""
    generated = subject.catalog.generated(write.table).intersection(target)
    return bool(generated) and len(target) - len(generated) <= len(names) <= len(target)


def _target(subject: RuleContext, write: Write) -> tuple[str, ...] | None:
    """Return the columns that a query must return, in order; None if unknown."""
    dynamic = [item.column.lower() for item in write.partition if item.value is None]
    if write.columns:
        listed = [column.lower() for column in write.columns]
        return (*listed, *(name for name in dynamic if name not in listed))
    known = subject.catalog.columns(write.table)
    partitions = subject.catalog.partitions(write.table)
    if not known or partitions is None:
        return None
    if partitions and not write.partition:
        return tuple(known)
    return (*(name for name in known if name not in partitions), *dynamic)


def _output_names(subject: RuleContext, statement: Statement, block: Block, depth: int) -> list[str] | None:
    """Return the names of a block's outputs with stars expanded; None if a star cannot be expanded."""
    names: list[str] = []
    for output in block.outputs:
        more = _expanded(subject, statement, block, output, depth) if output.star else [output.name.lower()]
        if more is None:
            return None
        names += more
    return names or None


def _expanded(
    subject: RuleContext, statement: Statement, block: Block, output: Output, depth: int
) -> list[str] | None:
    if depth > _MAX_DEPTH or not output.changes.is_known:
        return None
    names: list[str] = []
    for source in block.sources:
        if output.qualifier and source.alias.lower() != output.qualifier.lower():
            continue
        more = _columns_of(subject, statement, source, depth)
        if more is None or source.using or source.natural:
            return None
        names += more
    renamed = dict(output.changes.renamed)
    return [renamed.get(name, name) for name in names if output.changes.selects(name)]


def _columns_of(subject: RuleContext, statement: Statement, source: Source, depth: int) -> list[str] | None:
    if source.columns:
        return [name.lower() for name in source.columns]
    names: list[str] | None = None
    if source.table:
        known = subject.catalog.columns(source.table)
        names = list(known) if known else None
    elif source.blocks:
        names = _output_names(subject, statement, statement.blocks[source.blocks[0]], depth + 1)
    columns = None if names is None else source.pivoted(names)
    return None if columns is None else list(columns)


def _check_names(dialect: Dialect, write: Write, target: Sequence[str], names: list[str]) -> Text | None:
    few = len(names) < len(target) and not write.columns and dialect in _FILL_THE_REST
    if len(names) != len(target):
        return None if few else _count(write, len(names), len(target))
    places = {name: place for place, name in enumerate(target)}
    moved = [name for place, name in enumerate(names) if places.get(name, place) != place]
    expected = {target[place] for place, name in enumerate(names) if places.get(name, place) != place}
    if moved and set(moved) == expected and len(set(moved)) == len(moved):
        return _order(write, moved)
    return None


def _count(write: Write, actual: int, expected: int) -> Text:
    columns = "column" if actual == 1 else "columns"
    return Text(
        f"The query returns {actual} {columns}, but {write.table} expects {expected} here.",
        f"查询返回 {actual} 列，而此处写入 {write.table} 需要 {expected} 列。",
    )


def _order(write: Write, moved: list[str]) -> Text:
    return Text(
        f"The columns {', '.join(moved)} are in a different order in {write.table}.",
        f"列 {'、'.join(moved)} 的顺序与 {write.table} 不一致。",
    )
