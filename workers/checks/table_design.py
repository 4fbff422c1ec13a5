"""The check `table-design`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from common.verdicts import Finding, Severity
from workers.checks.check import Context, Options, Runs, Skip
from workers.checks.named import name_first
from workers.checks.registry import check
from workers.dataworks.values import TableSnapshot


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError):
        raise ValueError("wants a regular expression of Python's") from None
    return value


class TableDesignOptions(Options):
    """What a workspace may set."""

    name_pattern: Annotated[str, AfterValidator(_pattern)] = Field(
        default=r"^(ods|dim|dwd|dws|ads|tmp)_[a-z0-9_]+$",
        description="regular expression that the table's name must match as a whole",
    )
    max_lifecycle_days: int = Field(
        default=3650, strict=True, ge=1, le=37231, description="the longest lifecycle, in days"
    )


@check(
    "table-design",
    points=("commit-table", "deploy-table"),
    runs=Runs.INLINE,
    options=TableDesignOptions,
    snapshot=True,
)
def table_design(context: Context) -> Iterator[Finding]:
    """Ask whether a table is named, commented and limited in its life as agreed.

    Why: a table that nobody can place, understand or let go of is found and paid for years later.

    Options:
        name_pattern: regular expression that the name must match as a whole.
        max_lifecycle_days: the longest lifecycle, in days.
    """
    table = context.snapshot.table
    if table is None:
        raise Skip("DataWorks holds no detail of the table")
    yield from _name(table, context.options.name_pattern)
    yield from _comments(table)
    yield from _lifecycle(table, context.options.max_lifecycle_days)


def _name(table: TableSnapshot, pattern: str) -> Iterator[Finding]:
    if not re.fullmatch(pattern, table.name.lower()):
        message = f"The name {table.name} does not follow {pattern}."
        yield Finding(
            "MC-N01", Severity.BLOCK, message, help="Name it layer_domain_subject, such as dwd_trade_order."
        )


def _comments(table: TableSnapshot) -> Iterator[Finding]:
    if not table.comment.strip():
        message = f"Table {table.name} has no comment."
        yield Finding("MC-N04", Severity.WARN, message, help="Say in a comment what one row is.")
    bare = [item.name for item in table.columns if not item.partition and not item.comment.strip()]
    if bare:
        message = f"{len(bare)} of {len(table.columns)} columns have no comment: {name_first(bare)}."
        yield Finding("MC-N04", Severity.INFO, message, help="Give each column a comment.")


def _lifecycle(table: TableSnapshot, most: int) -> Iterator[Finding]:
    if not table.lifecycle or table.lifecycle < 0:
        message = f"Table {table.name} has no lifecycle: its data stays for ever."
        yield Finding("MC-N03", Severity.BLOCK, message, help=f"Set a lifecycle of at most {most} days.")
    elif table.lifecycle > most:
        message = f"Table {table.name} keeps its data {table.lifecycle} days; {most} are allowed."
        yield Finding(
            "table-lifecycle", Severity.BLOCK, message, help=f"Set a lifecycle of at most {most} days."
        )
