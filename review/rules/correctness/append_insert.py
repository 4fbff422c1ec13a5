"""MC-C01: append-insert."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from operator import attrgetter

from common.verdicts import Severity
from review.analysis.conditions import leaf_predicates
from review.analysis.emptied_tables import EmptiedTables
from review.analysis.naming import is_session_table
from review.analysis.partition_slices import BlockTree
from review.facts import (
    Block,
    JoinKind,
    Operator,
    ReadAs,
    Script,
    Span,
    Statement,
    Write,
    WriteKind,
    last_part,
    table_key,
)
from review.rules.api import Hit, Options, RuleContext, Text, rule

_APPENDS = frozenset({WriteKind.INSERT, WriteKind.LOAD})


@rule(
    "MC-C01",
    "append-insert",
    Severity.WARN,
    fix=Text(
        "Use INSERT OVERWRITE, or empty the written slice of the table first.",
        "改用 INSERT OVERWRITE，或先清空该表中将要写入的数据范围。",
    ),
)
def append_insert(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Scheduled node appends rows.

    ## What it does
    Reports INSERT INTO, and LOAD without OVERWRITE, in a scheduled node if the script does not empty the
    written slice first. Blocks in production and warns elsewhere.

    ## Why
    Scheduled nodes run more than once: after a failure, for a backfill, or manually. Each run of an appending
    node adds the same rows again, and every downstream table counts them twice.

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
    Slices are compared by the day of a scheduling parameter (`'${bizdate}'` equals `'${yyyymmdd}'`), and
    otherwise by the text of their values. If rows were deleted by a column for which the INSERT has a value
    that is not constant, whether it writes the same slice is not known, and it only warns. Writes to a table
    with a known primary key are considered safe, and so are inserts that exclude the rows already in the
    target (NOT EXISTS, NOT IN, an anti join with the target), and inserts into temporary tables (`#t`) and
    table variables of T-SQL. An INSERT in a block with an IF before it and a query of the target only warns:
    the IF may exclude existing rows; one that depends on other tables is not recognised. VALUES written to a
    log table (`*_log`, `*_monitoring`, `*_audit`) only warn: one row per run may be intended. An INSERT in
    the definition of a procedure, function or trigger is not checked: the node only defines it. A primary key
    is known only from the catalogue or from a CREATE in the script, and whether something else empties the
    table before each run is not known.
    """
    node = subject.script.context.node
    if not node.scheduled:
        return
    severity = Severity.BLOCK if node.production else Severity.WARN
    emptied, guards = EmptiedTables(subject.script), _IfGuards(subject.script)
    keyed = [
        made.name for statement in subject.script.statements for made in statement.creations if made.keys
    ]
    unread: set[str] = set()
    for statement in subject.script.statements:
        for write in statement.writes:
            if write.kind in _APPENDS and not (
                is_session_table(write.table)
                or statement.in_routine
                or _keyed(subject.script, keyed, write.table)
                or subject.script.emptied_by_call_before(write.at, write.table)
                or emptied.covers(statement, write)
                or _excludes_existing_rows(subject.script, statement, write)
            ):
                # What could not be read may have emptied the table.
                is_doubtful = (
                    _is_run_log(write)
                    or last_part(write.table).lower() in unread
                    or emptied.may_cover(statement, write)
                    or guards.may_guard(statement, write.table)
                )
                write_severity = Severity.WARN if is_doubtful else severity
                yield Hit(write.at, _message(write), severity=write_severity, key=write.table)
        emptied.record(statement)
        if statement.unread is not None:
            unread.update(statement.words())


_IF = re.compile(r"\bif\b", re.IGNORECASE)


class _IfGuards:
    """Where an IF of a block (`BEGIN … END`) may depend on the rows that a table already has.

    Args:
        script: the script.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._blocks = _outermost(
            [statement.at for statement in script.statements if statement.read_as is ReadAs.PARTS]
        )
        self._ifs: list[int] = []
        self._queries: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        if self._blocks:
            self._ifs = [found.start() for found in _IF.finditer(script.code)]
            for statement in sorted(script.statements, key=lambda each: each.at.begin):
                for block in () if statement.writes else statement.blocks:
                    for source in block.sources:
                        self._queries[table_key(source.table)][source.table].append(statement.at.begin)

    def may_guard(self, statement: Statement, table: str) -> bool:
        """Whether an IF and a query of `table` precede a statement in the block around it."""
        begin = statement.at.begin
        place = bisect_right(self._blocks, begin, key=attrgetter("begin")) - 1
        if place < 0 or begin >= self._blocks[place].end:
            return False
        first = self._blocks[place].begin
        return _has_between(self._ifs, first, begin) and any(
            self._script.same(name, table) and _has_between(places, first, begin)
            for name, places in self._queries.get(table_key(table), {}).items()
        )


def _has_between(places: list[int], first: int, end: int) -> bool:
    index = bisect_left(places, first)
    return index < len(places) and places[index] < end


def _outermost(spans: list[Span]) -> list[Span]:
    """Return the spans that are in no other one, in text order."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.begin, -each.end)):
        if not kept or span.begin >= kept[-1].end:
            kept.append(span)
    return kept


_RUN_LOG = re.compile(r"(?:^|_)(?:logs?|monitor(?:ing)?|audit)(?:_|$)", re.IGNORECASE)


def _is_run_log(write: Write) -> bool:
    """Whether it logs that the node has run: one row per run is intended."""
    return write.values is not None and _RUN_LOG.search(last_part(write.table)) is not None


def _message(write: Write) -> Text:
    word = "LOAD" if write.kind is WriteKind.LOAD else "INSERT INTO"
    en, zh = (write.table, write.table) if write.table else ("the table of a function", "表函数指向的表")
    return Text(
        f"{word} appends to {en}: every rerun of this scheduled node adds the same rows again.",
        f"{word} 以追加方式写入 {zh}：该调度节点每次重跑都会重复写入相同的数据。",
    )


def _keyed(script: Script, keyed: list[str], table: str) -> bool:
    """Whether a table has a primary key, so that a repeated row replaces the existing one."""
    known = script.context.table(table)
    return (known is not None and bool(known.keys)) or any(script.same(name, table) for name in keyed)


def _excludes_existing_rows(script: Script, statement: Statement, write: Write) -> bool:
    """Whether the query excludes the rows of its target: NOT EXISTS, NOT IN, or a join without a match."""
    tree = BlockTree(statement)
    for index in tree.contributing(write.blocks):
        block = statement.blocks[index]
        for place, source in enumerate(block.sources):
            if script.same(source.table, write.table) and (
                source.join_kind is JoinKind.ANTI or (source.nullable and _is_anti_join(block, place))
            ):
                return True
        for predicate in leaf_predicates(block.predicates):
            if predicate.operator in (Operator.NOT_EXISTS, Operator.NOT_IN):
                inner = [number for operand in predicate.operands for number in operand.blocks]
                if any(_reads(script, statement, number, write.table) for number in tree.contributing(inner)):
                    return True
    return False


def _is_anti_join(block: Block, place: int) -> bool:
    return any(
        predicate.operator is Operator.IS_NULL and any(column.source == place for column in predicate.columns)
        for predicate in block.predicates
    )


def _reads(script: Script, statement: Statement, index: int, table: str) -> bool:
    return any(script.same(source.table, table) for source in statement.blocks[index].sources)
