"""The check `table-design`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from common.snapshot import TableSnapshot
from common.text.i18n import Text
from common.text.patterns import Pattern, is_full_match
from common.verdicts import Finding, Severity
from workers.checks.api import Context, Options, Runs, SkipCheck
from workers.checks.finding_builders import build_finding
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import missing_field
from workers.checks.registry import check
from workers.checks.subjects import column_subjects

Layer = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9]+$")]


class TableDesignOptions(Options):
    """Options of `table-design`."""

    name_pattern: Pattern = Field(
        default=r"^(ods|dim|dwd|dws|ads|tmp)_[a-z0-9_]+$",
        description="RE2 regular expression for the whole name of the table",
    )
    max_lifecycle_days: int = Field(
        default=3650, strict=True, ge=1, le=37231, description="the longest lifecycle, in days"
    )
    partitioned_layers: tuple[Layer, ...] = Field(
        default=(),
        description="layers (first part of a name, such as dwd) whose tables require a partition column",
    )


@check(
    "table-design",
    points=("commit-table", "deploy-table"),
    runs=Runs.INLINE,
    options=TableDesignOptions,
    needs_snapshot=True,
)
def table_design(context: Context) -> Iterator[Finding]:
    """Check whether a table's name, comments, partitions and lifecycle follow the conventions.

    Why: a table that cannot be classified, understood or deleted still costs storage years later.

    Options:
        name_pattern: RE2 regular expression for the whole name.
        max_lifecycle_days: the longest lifecycle, in days.
        partitioned_layers: layers (first part of a name, such as dwd) whose tables require a partition
            column; none if not set.
    """
    table = context.snapshot.table
    if table is None:
        raise SkipCheck("DataWorks returned no details of the table")
    options: TableDesignOptions = context.options
    yield from _name_finding(context, table, options.name_pattern)
    yield from _comment_findings(context, table)
    yield from _lifecycle_finding(context, table, options.max_lifecycle_days)
    yield from _partition_finding(context, table, options.partitioned_layers)


def _name_finding(context: Context, table: TableSnapshot, pattern: str) -> Iterator[Finding]:
    if not is_full_match(pattern, table.name.lower()):
        yield build_finding(
            context,
            "MC-N01",
            Severity.BLOCK,
            Text(
                f"The name {table.name} does not follow {pattern}.", f"表名 {table.name} 不符合 {pattern}。"
            ),
            Text(
                "Name it layer_domain_subject, such as dwd_trade_order.",
                "请按 分层_业务域_主题 命名，例如 dwd_trade_order。",
            ),
        )


def _comment_findings(context: Context, table: TableSnapshot) -> Iterator[Finding]:
    if not table.comment.strip():
        yield build_finding(
            context,
            "MC-N04",
            Severity.WARN,
            Text(f"Table {table.name} has no comment.", f"表 {table.name} 没有注释。"),
            Text("Describe in a comment what one row represents.", "请在注释中说明一行数据的含义。"),
        )
    uncommented = [item.name for item in table.columns if not item.partition and not item.comment.strip()]
    if uncommented:
        total, names = len(table.columns), summarize_names(uncommented)
        # The first subject, the table, is left out: the event has it already.
        columns = column_subjects(table.name, uncommented)[1:]
        yield build_finding(
            context,
            "MC-N04",
            Severity.INFO,
            Text(
                f"{len(uncommented)} of {total} columns have no comment: {names.en}.",
                f"{total} 个字段中有 {len(uncommented)} 个没有注释：{names.zh}。",
            ),
            Text("Give each column a comment.", "请为每个字段添加注释。"),
            subjects=columns,
            count=len(uncommented),
        )


def _lifecycle_finding(context: Context, table: TableSnapshot, max_days: int) -> Iterator[Finding]:
    remedy = Text(f"Set a lifecycle of at most {max_days} days.", f"请设置不超过 {max_days} 天的生命周期。")
    if not table.lifecycle or table.lifecycle < 0:
        message = Text(
            f"Table {table.name} has no lifecycle: its data is kept forever.",
            f"表 {table.name} 没有生命周期：数据将永久保留。",
        )
        yield build_finding(context, "MC-N03", Severity.BLOCK, message, remedy)
    elif table.lifecycle > max_days:
        message = Text(
            f"Table {table.name} keeps its data for {table.lifecycle} days; {max_days} are allowed.",
            f"表 {table.name} 保留数据 {table.lifecycle} 天，上限为 {max_days} 天。",
        )
        yield build_finding(context, "table-lifecycle", Severity.BLOCK, message, remedy)


def _partition_finding(context: Context, table: TableSnapshot, layers: tuple[str, ...]) -> Iterator[Finding]:
    layer = table.name.lower().partition("_")[0]
    if layer not in layers or any(column.partition for column in table.columns):
        return
    if not table.columns:
        yield missing_field(context, "the columns of the table")
        return
    yield build_finding(
        context,
        "table-partition",
        Severity.WARN,
        Text(
            f"Table {table.name} has no partition column, as tables of layer {layer} have.",
            f"表 {table.name} 没有分区字段，而 {layer} 层的表应有分区。",
        ),
        Text("Partition it by day, such as ds STRING.", "请按天分区，例如 ds STRING。"),
    )
