"""MC-S05: unmasked-column."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.facts import Column, OperandKind, Output, Statement
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule

_SENSITIVE = re.compile(
    r"(?!(?:is|has|if)_)(?:\w*_)?(?:id_?card(?:_?(?:no|num|number))?|identity_?(?:no|card)|cert(?:ificate)?_?no|passport(?:_?no)?"
    r"|(?:mobile|cell|tele)?_?phone(?:_?(?:no|num|number))?|mobile(?:_?(?:no|num|number))?|tel_?(?:no|num)"
    r"|bank_?(?:card|account)(?:_?(?:no|num|number))?|card_?no|e_?mail(?:_?addr(?:ess)?)?)$",
    re.IGNORECASE,
)
_PASSING = frozenset(
    {"trim", "ltrim", "rtrim", "lower", "upper", "cast", "nvl", "coalesce", "to_char", "tostring"}
)
_OPEN_LABEL = frozenset({"", "0", "1"})


class UnmaskedColumnOptions(Options):
    """What a policy may set for MC-S05."""

    columns: tuple[str, ...] = Field(default=(), description="more names of sensitive columns")
    plain: tuple[str, ...] = Field(
        default=(), description="columns that are not sensitive, whatever their name"
    )


@rule(
    "MC-S05",
    "unmasked-column",
    Severity.WARN,
    dialects=SQL,
    options=UnmaskedColumnOptions,
    fix=Text(
        "Mask it (mask_hash, sha2, md5), or remove it.",
        "请脱敏（mask_hash、sha2、md5），或不写入该列。",
    ),
)
def unmasked_column(subject: RuleContext, options: UnmaskedColumnOptions) -> Iterator[Hit]:
    """Sensitive column is written unmasked.

    ## What it does
    Reports sensitive columns that are written to a table as they are, or only trimmed, cast or given a
    default. A column is sensitive if the catalogue labels it so, or by its name: identity cards, phones, bank
    cards, email addresses (`id_card`, `mobile`, `bank_card_no`, `email` …).

    ## Why
    Each copy of personal data can be read by more people. The new table has neither the label nor the
    permissions of the original.

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dwd_user_df PARTITION (ds = '${bizdate}')
    SELECT id, u.mobile, trim(u.id_card) AS id_card FROM ods_user_df u WHERE u.ds = '${bizdate}'
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE dwd_user_df PARTITION (ds = '${bizdate}')
    SELECT id, mask_hash(u.mobile) AS mobile, count(u.email) AS mails
    FROM ods_user_df u WHERE u.ds = '${bizdate}' GROUP BY id, mask_hash(u.mobile)
    ```
    ```sql
    SELECT count(*) AS users FROM ods_user_df WHERE ds = '${bizdate}' AND mobile IS NOT NULL
    ```

    ## Options
    `columns` (default none): more names of sensitive columns. `plain` (default none): columns that are not
    sensitive, whatever their name.

    ## Known limits
    Columns selected with `*` are not found. Whether the source already contains masked values is unknown:
    list such columns in `plain`. Labels 0 and 1 count as public.
    """
    more = {name.lower() for name in options.columns}
    plain = {name.lower() for name in options.plain}
    for statement in subject.script.statements:
        seen: set[int] = set()
        for write in statement.writes:
            for index in write.blocks:
                for output in statement.blocks[index].outputs:
                    column = _passed(output)
                    if column is None or output.at.begin in seen:
                        continue
                    seen.add(output.at.begin)
                    named = _name(subject, statement, column)
                    if named not in plain and (
                        named in more or _sensitive(subject, statement, column, named)
                    ):
                        yield _hit(output, column, write.table)


def _passed(output: Output) -> Column | None:
    """Return the column that an output passes on unchanged or nearly unchanged."""
    operand = output.operand
    if output.star or output.aggregate or len(operand.columns) != 1:
        return None
    if operand.sort is OperandKind.COLUMN:
        return operand.columns[0]
    passes = (
        operand.sort is OperandKind.COMPUTED and operand.functions and _PASSING.issuperset(operand.functions)
    )
    return operand.columns[0] if passes else None


def _name(subject: RuleContext, statement: Statement, column: Column) -> str:
    """Return the name of a column in its source table if known; its own name otherwise."""
    origin = subject.catalog.table_of(statement, column)
    return origin[1] if origin else column.key


def _sensitive(subject: RuleContext, statement: Statement, column: Column, named: str) -> bool:
    if origin := subject.catalog.table_of(statement, column):
        table = subject.script.context.table(origin[0])
        if table is not None and table.labels:
            return table.labels.get(origin[1], "") not in _OPEN_LABEL
    traced = column.source is None or origin is not None
    return traced and _SENSITIVE.match(named) is not None


def _hit(output: Output, column: Column, table: str) -> Hit:
    return Hit(
        output.at,
        Text(
            f"The sensitive column {column.name} is written to {table} unmasked.",
            f"敏感列 {column.name} 未经脱敏写入 {table}。",
        ),
        Text(
            f"Mask it, e.g. mask_hash({column.name}), or remove it.",
            f"请脱敏，例如 mask_hash({column.name})，或不写入该列。",
        ),
        key=f"{table.lower()}.{column.key}",
    )
