"""MC-S02: destructive-statement."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.naming import is_temporary, without_shard_suffix
from review.analysis.partition_slices import normalize
from review.dialects import Dialect
from review.facts import (
    AlterKind,
    Operand,
    OperandKind,
    Operator,
    PartitionValue,
    Removal,
    RemovedKind,
    Script,
    Span,
    Write,
    table_key,
)
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule


@rule(
    "MC-S02",
    "destructive-statement",
    Severity.BLOCK,
    dialects=SQL,
    fix=Text(
        "Rebuild it in the same script, use INSERT OVERWRITE, or run the statement once manually.",
        "请在同一脚本中重建，改用 INSERT OVERWRITE，或手工执行一次。",
    ),
)
def destructive_statement(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Data is deleted and not rebuilt by the script.

    ## What it does
    Reports DROP TABLE, DROP PARTITION, DROP COLUMN, DROP DATABASE, TRUNCATE and PURGE if the same script does
    not rebuild the data later. A DELETE without WHERE is reported by MC-C14. Tables named `tmp` or `temp`,
    and tables that the script itself created before, are allowed. A partition that a scheduling parameter
    selects only warns: it may be outdated.

    ## Why
    A scheduled node runs repeatedly, possibly with a wrong date. The deleted data may be the only copy.

    ## Bad
    ```sql
    DROP TABLE IF EXISTS dwd_order_di;
    ```
    ```sql
    ALTER TABLE dwd_order_di DROP IF EXISTS PARTITION (ds = '20240101');
    ```
    ```sql
    TRUNCATE TABLE dim_user;
    ```

    ## Good
    ```sql
    DROP TABLE IF EXISTS dws_city;
    CREATE TABLE dws_city LIFECYCLE 30 AS SELECT id, city FROM dim_user;
    ```
    ```sql
    DROP TABLE IF EXISTS tmp_order;
    ```
    ```sql
    ALTER TABLE dws_order_1d DROP IF EXISTS PARTITION (ds = '${bizdate}');
    INSERT INTO dws_order_1d PARTITION (ds = '${bizdate}')
    SELECT city, sum(amount) AS amount FROM dwd_order_di WHERE ds = '${bizdate}' GROUP BY city;
    ```

    ## Options
    None.

    ## Known limits
    Views are not checked: they contain no data. A partition that is added again, attached or exchanged
    afterwards counts as rebuilt. A partition that DETACH takes out of its table is kept. A
    table may be dropped if the script renamed it and gave its name to another table: whether that one has the
    data is not known. Rows that are deleted before a routine is called only warn: it may fill the table. A
    CREATE TABLE IF NOT EXISTS does not prove that the script created the table, unless
    the script dropped it before. Whether another node, a program that the script starts, or a DataFrame of
    Spark (`saveAsTable`) rebuilds the data is not known.
    """
    script = subject.script
    named: dict[str, list[int]] | None = None
    last_call = script.last_call()
    for index, statement in enumerate(script.statements):
        if not statement.removals:
            continue
        named = _named(script) if named is None else named
        reported: set[tuple[RemovedKind, str, Severity | None]] = set()
        for removal in statement.removals:
            # One finding per statement, however many partitions it drops.
            mark = removal.what, removal.name.lower(), _severity(removal)
            if removal.what is RemovedKind.PARTITION and mark in reported:
                continue
            is_lost = _is_lost(*_excerpt(script, named, index, removal.name), removal)
            is_lost = is_lost and not _was_replaced(script, named, index, removal)
            if is_lost and not _filled_as_a_whole(script, index, removal):
                reported.add(mark)
                empties = removal.what in (RemovedKind.ROWS, RemovedKind.PARTITION)
                severity = Severity.WARN if empties and index < last_call else mark[2]
                yield Hit(removal.at, _message(removal), severity=severity, key=mark[1])


def _named(script: Script) -> dict[str, list[int]]:
    """Return the statements that may create, write or drop a table, by its last name part in lower case."""
    named: dict[str, list[int]] = {}
    for index, statement in enumerate(script.statements):
        names = {table_key(made.name) for made in statement.creations}
        names |= {table_key(write.table) for write in statement.writes}
        names |= {table_key(gone.name) for gone in statement.removals if gone.what is RemovedKind.TABLE}
        for change in statement.alterations:
            if change.what in (AlterKind.RENAME, AlterKind.ADD_PARTITION):
                names |= {table_key(name) for name in (change.table, *change.names)}
        if statement.unread is not None:
            names |= set(statement.words())
        for name in names:
            named.setdefault(name, []).append(index)
    return named


def _filled_as_a_whole(script: Script, index: int, removal: Removal) -> bool:
    """Whether the script refills the distributed ClickHouse table to which an emptied local table belongs."""
    dialect = script.statements[index].dialect or script.dialect
    if dialect is not Dialect.CLICKHOUSE or removal.what not in (RemovedKind.PARTITION, RemovedKind.ROWS):
        return False
    name = without_shard_suffix(removal.name, dialect)
    return any(
        script.same(name, without_shard_suffix(write.table, dialect))
        for statement in script.statements[index + 1 :]
        for write in statement.writes
    )


def _was_replaced(script: Script, named: dict[str, list[int]], index: int, removal: Removal) -> bool:
    """Whether the dropped table is the old copy of a table that the script has replaced by renaming."""
    if removal.what is not RemovedKind.TABLE:
        return False
    places = named.get(table_key(removal.name), [])
    last = bisect_left(places, index)
    for place in reversed(places[max(0, last - _MAX_STATEMENTS) : last]):
        for change in script.statements[place].alterations:
            if change.what is AlterKind.RENAME and any(
                script.same(removal.name, new) for new in change.names
            ):
                excerpt, first = _excerpt(script, named, place, change.table)
                renewed = (new for other in excerpt.statements[first].alterations for new in other.names)
                return excerpt.written_after(first, change.table) or any(
                    script.same(change.table, new) for new in renewed
                )
    return False


def _excerpt(script: Script, named: dict[str, list[int]], index: int, table: str) -> tuple[Script, int]:
    """Return a script with only the statements that concern a table, and the index of one of them in it."""
    indexes = named.get(table_key(table), [])
    place = bisect_left(indexes, index)
    if index not in indexes[place : place + 1]:
        indexes = [*indexes[:place], index, *indexes[place:]]
    if len(indexes) > _MAX_STATEMENTS:  # keep the first statements and those nearby
        begin = max(place - _MAX_STATEMENTS // 2, 0)
        near = indexes[begin : place + _MAX_STATEMENTS // 2]
        start = indexes[: min(begin, _MAX_STATEMENTS // 4)]
        indexes, place = [*start, *near], place - begin + len(start)
    return script.with_statements(tuple(script.statements[item] for item in indexes)), place


_MAX_STATEMENTS = 200
"""Maximum number of statements about one table that are examined for each of its removals."""


def _is_lost(script: Script, index: int, removal: Removal) -> bool:
    match removal.what:
        case RemovedKind.VIEW | RemovedKind.DETACHED:
            return False
        case RemovedKind.BACKUP:
            return not is_temporary(removal.name)
        case RemovedKind.COLUMN:
            return not _is_own(script, index, removal.name)
        case RemovedKind.PARTITION:
            return not _is_own(script, index, removal.name) and not _is_refilled(script, index, removal)
        case _:
            return not _is_recoverable(script, index, removal.name)


def _is_own(script: Script, index: int, table: str) -> bool:
    return not table or is_temporary(table) or _made_before(script, index, table)


def _is_recoverable(script: Script, index: int, table: str) -> bool:
    return (
        _is_own(script, index, table) or script.written_after(index, table) or _may_be_refilled(script, index)
    )


def _may_be_refilled(script: Script, index: int) -> bool:
    """Whether a later statement that names the table could not be parsed: it may fill the table."""
    return any(statement.unread is not None for statement in script.statements[index + 1 :])


def _made_before(script: Script, index: int, table: str) -> bool:
    """Whether the script itself created the table before, so that all of its data is the script's own."""
    if script.created_before(index, table):
        return True
    dropped = False
    for statement in script.statements[:index]:
        if dropped and any(script.same(table, made.name) for made in statement.creations):
            return True
        dropped = dropped or any(
            removal.what is RemovedKind.TABLE and script.same(table, removal.name)
            for removal in statement.removals
        )
    return False


def _is_refilled(script: Script, index: int, removal: Removal) -> bool:
    """Whether a later statement writes the partitions again or recreates the table."""
    partition = _partition_text(script, removal.at)
    for statement in script.statements[index:]:
        for change in statement.alterations:
            added = change.what is AlterKind.ADD_PARTITION and script.same(removal.name, change.table)
            if added and partition and partition == _partition_text(script, change.at):
                return True
    for statement in script.statements[index + 1 :]:
        if any(script.same(removal.name, made.name) and not made.exists for made in statement.creations):
            return True
        for write in statement.writes:
            if script.same(removal.name, write.table) and _same_slice(removal.partition, write):
                return True
    return _may_be_refilled(script, index) or script.filled_by_call_after(removal.at, removal.name)


def _partition_text(script: Script, at: Span) -> str:
    """Return what follows PARTITION, without blanks and quotes, to compare two clauses; empty without one."""
    match = _PARTITION_CLAUSE.search(script.code, at.begin, at.end)
    return re.sub(r"[\s'\"]", "", match["values"]).lower() if match else ""


_PARTITION_CLAUSE = re.compile(r"\bpartition\s*+(?P<values>\([^()]*\)|[^\s,;()]+)", re.IGNORECASE)


def _same_slice(gone: tuple[PartitionValue, ...], write: Write) -> bool:
    written = {value.column.lower(): value.value for value in write.partition}
    for value in gone:
        other = written.get(value.column.lower())
        if value.operator is not Operator.EQ:
            if other is not None or value.column.lower() not in written:
                return False
            continue  # a dynamic partition writes whatever the query returns
        if not value.value or not other or not value.value.value or not other.value:
            continue
        if normalize(value.value.value) != normalize(other.value):
            return False
    return True


def _severity(removal: Removal) -> Severity | None:
    if removal.what is not RemovedKind.PARTITION:
        return None
    constant = all(value.value is None or _is_literal(value.value) for value in removal.partition)
    return None if constant else Severity.WARN


def _is_literal(value: Operand) -> bool:
    """Whether a value is a literal without placeholders (braces and the like) of another tool."""
    return value.sort is OperandKind.LITERAL and not _FILLED_IN.search(value.value or "")


_FILLED_IN = re.compile(r"[{}%@$#]")


def _message(removal: Removal) -> Text:
    name = removal.name
    match removal.what:
        case RemovedKind.ROWS:
            return Text(
                f"All rows of {name} are deleted, and the script does not rebuild them.",
                f"{name} 的所有数据被清空，脚本没有重建。",
            )
        case RemovedKind.PARTITION:
            return Text(
                f"A partition of {name} is deleted, and the script does not rebuild it.",
                f"{name} 的分区被删除，脚本没有重建。",
            )
        case RemovedKind.BACKUP:
            return Text(f"The backup of {name} is deleted permanently.", f"{name} 的备份被彻底删除。")
        case RemovedKind.COLUMN:
            columns = ", ".join(removal.columns)
            return Text(
                f"The column {columns} of {name} is dropped with its data.",
                f"{name} 的列 {columns} 连同数据被删除。",
            )
        case _:
            return Text(
                f"The {removal.what.value} {name} is dropped with its data and not rebuilt.",
                f"{name} 连同数据被删除，脚本没有重建。",
            )
