"""PY-007: take nothing away that the script does not bring back."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.facts import Script
from workers.review.facts.python import Access, Act
from workers.review.rules.names import temporary
from workers.review.rules.rule import Hit, Options, Subject, Text, rule

_TAKES = {
    Act.DROP: ("drops {}", "删除了表 {}"),
    Act.EMPTY: ("removes every row of {}", "清空了表 {}"),
    Act.DROP_PARTITION: ("removes a partition of {}", "删除了表 {} 的分区"),
}


@rule(
    "PY-007",
    "python-destruction",
    Severity.BLOCK,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Rebuild it in the same script, write with overwrite=True, or do it by hand once.",
        "在同一脚本中重建，改用 overwrite=True 写入，或手工执行一次。",
    ),
)
def python_destruction(subject: Subject, _: Options) -> Iterator[Hit]:
    """Data is taken away by a call, and not brought back.

    ## What it does
    Finds `delete_table`, `drop`, `truncate` and `delete_partition` of tables that the same script does not
    fill again later. Temporary tables are fine; a partition that is made at run time gives a warning only,
    since it may be out of date. It is MC-S02 for calls.

    ## Why
    A scheduled node runs again and again, also with a wrong date; what it takes away may be the only copy.

    ## Bad
    ```python
    o.delete_table("dwd_order_di", if_exists=True)
    ```
    ```python
    o.get_table("dim_shop").truncate()
    ```

    ## Good
    ```python
    o.delete_table("tmp_order", if_exists=True)
    ```
    ```python
    o.delete_table("dws_shop", if_exists=True)
    o.create_table("dws_shop", "shop_id bigint, amount double", lifecycle=30)
    ```

    ## Options
    None.

    ## Known limits
    Tables whose names are made at run time are not judged.
    """
    script = subject.script
    for access in script.python.accesses:
        if (
            access.act not in _TAKES
            or not access.table
            or temporary(access.table)
            or _rebuilt(script, access)
        ):
            continue
        said, said_zh = _TAKES[access.act]
        yield Hit(
            access.at,
            Text(
                f"{access.call} {said.format(access.table)}, and the script does not bring it back.",
                f"{access.call} {said_zh.format(access.table)}，脚本没有重建。",
            ),
            severity=Severity.WARN if access.act is Act.DROP_PARTITION and access.partition is None else None,
            key=access.table.lower(),
        )


def _rebuilt(script: Script, taken: Access) -> bool:
    accesses = script.python.accesses
    names = [other.table for other in accesses if other.brings and other.at > taken.at]
    for statement in script.statements:
        if statement.at > taken.at:
            names += [made.name for made in statement.creations]
            names += [write.table for write in statement.writes]
    return any(script.may_be(name, taken.table) for name in names)
