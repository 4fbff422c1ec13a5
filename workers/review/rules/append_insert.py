"""MC-C01: a rerun must not double rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Block, Joined, Operator, Script, Statement, Write, Written
from workers.review.rules.conditions import leaves
from workers.review.rules.emptied import Emptied
from workers.review.rules.names import last_part
from workers.review.rules.rule import Hit, Options, Subject, Text, rule
from workers.review.rules.slices import feeding

_APPENDS = frozenset({Written.INSERT, Written.LOAD})


@rule(
    "MC-C01",
    "append-insert",
    Severity.WARN,
    fix=Text(
        "Use INSERT OVERWRITE, or empty exactly this slice of the table first.",
        "改用 INSERT OVERWRITE，或先清空该表中将要写入的数据范围。",
    ),
)
def append_insert(subject: Subject, _: Options) -> Iterator[Hit]:
    """Scheduled node appends rows.

    ## What it does
    Finds INSERT INTO (and LOAD without OVERWRITE) in a scheduled node when the script does not first empty
    the slice that it writes. It blocks in production and warns elsewhere.

    ## Why
    Scheduled nodes run again: after a failure, for a backfill, by hand. Each run of an appending node adds
    the same rows once more, and everything downstream counts them twice.

    ## Given
    ```json
    {"tables": {"dim_city_pk": {"columns": {"id": "BIGINT", "name": "STRING"}, "keys": ["id"]}}}
    ```

    ## Bad
    ```sql
    INSERT INTO TABLE dwd_order_di PARTITION (ds = '${bizdate}')
    SELECT order_id, amount FROM ods_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    ALTER TABLE dwd_order_di DROP IF EXISTS PARTITION (ds = '${yesterday}');
    INSERT INTO TABLE dwd_order_di PARTITION (ds = '${bizdate}')
    SELECT order_id, amount FROM ods_order_di WHERE ds = '${bizdate}';
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds = '${bizdate}')
    SELECT order_id, amount FROM ods_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    ALTER TABLE dwd_order_di DROP IF EXISTS PARTITION (ds = '${bizdate}');
    INSERT INTO TABLE dwd_order_di PARTITION (ds = '${bizdate}')
    SELECT order_id, amount FROM ods_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    INSERT INTO TABLE dim_city_pk SELECT id, name FROM ods_city WHERE ds = '${bizdate}';
    ```
    ```hologres
    DELETE FROM ads_shop_gmv WHERE ds = '${bizdate}';
    INSERT INTO ads_shop_gmv (shop_id, gmv, ds)
    SELECT shop_id, SUM(amount), '${bizdate}' FROM dwd_order WHERE ds = '${bizdate}' GROUP BY shop_id;
    ```

    ## Options
    None.

    ## Known limits
    Slices are compared by the day of a scheduling parameter (`'${bizdate}'` is `'${yyyymmdd}'`), and
    otherwise by the text of their values. A table with a known primary key, and an insert that leaves out the
    rows which its target already has (NOT EXISTS, NOT IN, an anti join with the target), are taken for safe.
    VALUES that go to a log (`*_log`, `*_monitoring`, `*_audit`) only warn: each run may be meant to leave a
    row there.
    """
    node = subject.script.given.node
    if not node.scheduled:
        return
    severity = Severity.BLOCK if node.production else Severity.WARN
    emptied = Emptied(subject.script)
    keyed = [
        made.name for statement in subject.script.statements for made in statement.creations if made.keys
    ]
    for statement in subject.script.statements:
        for write in statement.writes:
            if write.how in _APPENDS and not (
                _keyed(subject.script, keyed, write.table)
                or subject.script.taken_by_call(write.at, write.table)
                or emptied.covers(statement, write)
                or _leaves_out_known_rows(subject.script, statement, write)
            ):
                mild = Severity.WARN if _notes_the_run(write) else severity
                yield Hit(write.at, _message(write), severity=mild, key=write.table)
        emptied.note(statement)


_RUN_LOG = re.compile(r"(?:^|_)(?:logs?|monitor(?:ing)?|audit)(?:_|$)", re.IGNORECASE)


def _notes_the_run(write: Write) -> bool:
    """Whether it notes in a log that the node has run: every run is to leave a row."""
    return write.values is not None and _RUN_LOG.search(last_part(write.table)) is not None


def _message(write: Write) -> Text:
    word = "LOAD" if write.how is Written.LOAD else "INSERT INTO"
    return Text(
        f"{word} appends to {write.table}: every rerun of this scheduled node adds the same rows again.",
        f"{word} 以追加方式写入 {write.table}：该调度节点每次重跑都会重复写入相同的数据。",
    )


def _keyed(script: Script, keyed: list[str], table: str) -> bool:
    """Whether a table has a primary key: a row that comes again replaces the one that is there."""
    known = script.given.table(table)
    return (known is not None and bool(known.keys)) or any(script.same(name, table) for name in keyed)


def _leaves_out_known_rows(script: Script, statement: Statement, write: Write) -> bool:
    """Whether the query leaves out what its target has: by NOT EXISTS, NOT IN, or a join that finds none."""
    for index in feeding(statement, write.blocks):
        block = statement.blocks[index]
        for place, source in enumerate(block.sources):
            if script.same(source.table, write.table) and (
                source.joined is Joined.ANTI or (source.nullable and _found_none(block, place))
            ):
                return True
        for predicate in leaves(block.predicates):
            if predicate.operator in (Operator.NOT_EXISTS, Operator.NOT_IN):
                inner = [number for operand in predicate.operands for number in operand.blocks]
                if any(
                    _reads(script, statement, number, write.table) for number in feeding(statement, inner)
                ):
                    return True
    return False


def _found_none(block: Block, place: int) -> bool:
    return any(
        predicate.operator is Operator.IS_NULL and any(column.source == place for column in predicate.columns)
        for predicate in block.predicates
    )


def _reads(script: Script, statement: Statement, index: int, table: str) -> bool:
    return any(script.same(source.table, table) for source in statement.blocks[index].sources)
