"""MC-C14: missing-where."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.naming import is_temporary
from review.facts import Script, Write, WriteKind, last_part
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "MC-C14",
    "missing-where",
    Severity.BLOCK,
    fix=Text("Add a WHERE that selects the rows to change.", "补充 WHERE 条件，限定要处理的行。"),
)
def missing_where(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """UPDATE or DELETE without WHERE.

    ## What it does
    Reports UPDATE and DELETE without WHERE, or with a WHERE that is always true (`WHERE 1 = 1`).

    ## Why
    Every row of the table is changed or deleted.

    ## Bad
    ```sql
    DELETE FROM dwd_order_delta;
    ```
    ```sql
    UPDATE dwd_order_delta SET status = 'CLOSED';
    ```

    ## Good
    ```sql
    DELETE FROM dwd_order_delta WHERE ds = '${bizdate}';
    ```
    ```hologres
    DELETE FROM ads_shop_gmv;
    INSERT INTO ads_shop_gmv SELECT shop_id, SUM(amount) FROM dwd_order GROUP BY shop_id;
    ```

    ## Options
    None.

    ## Known limits
    A DELETE of all rows is accepted if the script fills the table again afterwards or created it before,
    an UPDATE of all rows if the script has replaced all rows before, and both if the table's name marks
    it as temporary. A DELETE before the call of a routine, or before a statement that names the table and
    could not be read, only warns: it may fill the table. Any join, LIMIT or TOP counts as a WHERE. A
    condition that happens to be true for every row is not recognised, and a new value that every row is
    meant to get is not known.
    """
    last_call, last_named = subject.script.last_call(), _last_unread(subject.script)
    for index, statement in enumerate(subject.script.statements):
        for write in statement.writes:
            if not write.filtered and not _meant(subject.script, index, write):
                may_refill = write.kind is WriteKind.DELETE and (
                    index < max(last_call, last_named.get(last_part(write.table).lower(), -1))
                )
                severity = Severity.WARN if may_refill else None
                yield Hit(write.at, _message(write), severity=severity, key=write.table)


def _last_unread(script: Script) -> dict[str, int]:
    """Return the last statement that could not be read, by the words in it: it may fill a table."""
    return {
        word: index
        for index, statement in enumerate(script.statements)
        if statement.unread is not None
        for word in statement.words()
    }


def _meant(script: Script, index: int, write: Write) -> bool:
    if write.kind is WriteKind.DELETE:
        return (
            is_temporary(write.table)
            or script.written_after(index, write.table)
            or script.created_before(index, write.table)
        )
    if write.kind is not WriteKind.UPDATE:
        return True
    return is_temporary(write.table) or script.replaced_before(index, write.table)


def _message(write: Write) -> Text:
    if write.kind is WriteKind.DELETE:
        return Text(
            f"DELETE without WHERE removes every row of {write.table}.",
            f"没有 WHERE 条件的 DELETE 会删除 {write.table} 的所有行。",
        )
    return Text(
        f"UPDATE without WHERE changes every row of {write.table}.",
        f"没有 WHERE 条件的 UPDATE 会修改 {write.table} 的所有行。",
    )
