"""The check `table-change`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field

from common.snapshot import TableSnapshot
from common.text.i18n import Text
from common.verdicts import Finding, Severity, table_subject
from workers.checks import event_fields
from workers.checks.api import Context, LookupContext, Lookups, Options, Runs, SkipCheck
from workers.checks.finding_builders import build_finding
from workers.checks.impact.lifecycle import lifecycle_change
from workers.checks.impact.model import Impact
from workers.checks.impact.table_readers import TableReaders
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import invalid_event, missing_field, not_checked
from workers.checks.registry import check
from workers.checks.subjects import column_subjects
from workers.checks.table_diff import ColumnChange, compare_tables
from workers.dataworks.errors import NotFound
from workers.dataworks.models import TableInfo


class TableChangeOptions(Options):
    """Options of `table-change`."""

    depth: int = Field(default=2, strict=True, ge=1, le=10, description="hops of lineage below a column")
    max_calls: int = Field(
        default=30, strict=True, ge=2, le=200, description="lookups for the readers of one table"
    )
    max_readers: int = Field(
        default=5,
        strict=True,
        ge=0,
        le=20,
        description="tables whose code is read when a lifecycle is shortened",
    )


@check(
    "table-change",
    points=("commit-table", "deploy-table"),
    runs=Runs.IO,
    options=TableChangeOptions,
    needs_snapshot=True,
)
def table_change(context: LookupContext) -> Iterator[Finding]:
    """Check what the change removes from an existing table, and who reads it.

    Why: a column that is dropped, renamed or narrowed breaks everything that is derived from it, usually at
    night and in other people's nodes. New columns, comments and wider types break nothing, and cost one
    lookup.

    Options:
        depth: hops of lineage below a column; 2 if not set.
        max_calls: lookups for the readers of one table; 30 if not set.
        max_readers: tables whose code is read when a lifecycle is shortened; 5 if not set.
    """
    after = context.snapshot.table
    if after is None:
        raise SkipCheck("DataWorks returned no details of the table")
    if context.event.recovered:
        # A recovered event has only its snapshot, which does not contain the MaxCompute project.
        yield missing_field(context, "maxComputeProject")
        return
    try:
        name = _table_name(context, after)
        before = _current_table(context.lookups, f"odps.{name}")
        _require_readable(before, after)
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)
        return
    change = compare_tables(before, after)
    audience = TableReaders.of(context, context.lookups, f"odps.{name}", before.columns)
    yield from _column_findings(context, audience, change.columns)
    if change.partitions:
        yield _layout_finding(context, audience, "table-partitions", "Partitions", "分区", change.partitions)
    if change.keys:
        yield _layout_finding(context, audience, "table-key", "The primary key", "主键", change.keys)
    if change.keys_missing:
        yield _keys_missing_finding(context, name)
    if change.lifecycle:
        yield from lifecycle_change(context, audience, before, change.lifecycle)


def _table_name(context: Context, after: TableSnapshot) -> str:
    """Return `project.table` in lower case: the project is that of the event, development or production."""
    project = event_fields.text(context.event.data, "maxComputeProject")
    table = event_fields.text(context.event.data, "tableName") or after.name.strip()
    if not project or not table:
        missing = "tableName" if project else "maxComputeProject"
        raise event_fields.InvalidField(f"{missing} is missing", f"缺少 {missing}")
    return f"{project}.{table}".lower()


def _current_table(lookups: Lookups, guid: str) -> TableInfo:
    try:
        return lookups.table_info(guid)
    except NotFound:
        raise SkipCheck("the table does not exist yet: nothing to compare with") from None


def _require_readable(before: TableInfo, after: TableSnapshot) -> None:
    """Raise `InvalidField` if columns are missing: an empty list means that they were not provided."""
    for columns, en, zh in (
        (before.columns, "the existing table", "现有表"),
        (after.columns, "the change", "变更"),
    ):
        if not columns or not all(column.name.strip() for column in columns):
            raise event_fields.InvalidField(f"columns of {en} are missing", f"{zh}缺少字段信息")


def _column_findings(
    context: Context, audience: TableReaders, columns: Sequence[ColumnChange]
) -> Iterator[Finding]:
    for index, column in enumerate(columns):
        readers = audience.of_column(column.name, len(columns) - index)
        if readers is None:
            yield _not_checked_finding(context, audience, columns[index:])
            return
        yield _column_finding(context, audience, column, readers)


def _column_finding(
    context: Context, audience: TableReaders, column: ColumnChange, readers: Impact
) -> Finding:
    what = _describe_column(audience, column)
    subjects = column_subjects(audience.guid, [column.name])
    rule = "column-retyped" if column.types else "column-dropped"
    if readers.dependents:
        described = audience.describe(readers)
        message = Text(
            f"{what.en}; derived from it: {described.en}.", f"{what.zh}；由其生成：{described.zh}。"
        )
        return build_finding(
            context,
            rule,
            Severity.BLOCK,
            message,
            _COORDINATE_HINT,
            subjects=subjects,
            readers=len(readers.dependents),
        )
    readers_text = _nearest_readers(audience, readers)
    message = Text(f"{what.en}; {readers_text.en}.", f"{what.zh}；{readers_text.zh}。")
    return build_finding(context, rule, Severity.WARN, message, _REVIEW_HINT, subjects=subjects)


_COORDINATE_HINT = Text(
    "Agree the change with their owners and migrate them first; keep the column until then.",
    "请先与其负责人达成一致并修改下游，在此之前保留该字段。",
)
_REVIEW_HINT = Text(
    "Make sure that no one filters by it or reads it from outside, then continue.",
    "请确认没有下游用它过滤或从外部读取后再继续。",
)


def _describe_column(audience: TableReaders, column: ColumnChange) -> Text:
    """Return what happens to a column, as the start of a sentence."""
    table = audience.guid.removeprefix("odps.")
    en, zh = f"Column {column.name} of {table}", f"{table} 的字段 {column.name}"
    if column.types:
        old, new = column.types
        return Text(f"{en} changes from {old} to {new}", f"{zh} 从 {old} 变为 {new}")
    if column.renamed_to:
        return Text(
            f"{en} is dropped or renamed to {column.renamed_to}", f"{zh} 被删除或改名为 {column.renamed_to}"
        )
    return Text(f"{en} is dropped", f"{zh} 被删除")


def _nearest_readers(audience: TableReaders, readers: Impact) -> Text:
    """Return the readers of the table if no column is derived: they may filter by it or read it directly."""
    described = audience.describe(readers)
    if not readers.is_complete:
        return Text(f"its readers: {described.en}", f"其下游：{described.zh}")
    described = audience.describe(audience.of_table())
    return Text(
        f"no column is derived from it; readers of the table: {described.en}",
        f"没有由其生成的字段，该表的下游：{described.zh}",
    )


def _not_checked_finding(
    context: Context, audience: TableReaders, columns: Sequence[ColumnChange]
) -> Finding:
    names, table = summarize_names([column.name for column in columns]), audience.guid.removeprefix("odps.")
    max_calls = context.options.max_calls
    what = Text(
        f"the readers of {len(columns)} more columns of {table} that are dropped or narrowed"
        f" ({names.en}): at most {max_calls} lookups are made",
        f"{table} 另有 {len(columns)} 个字段被删除或收窄（{names.zh}），查询次数上限为 {max_calls}",
    )
    subjects = column_subjects(audience.guid, [column.name for column in columns])
    return not_checked(context, what, rule="columns-not-checked", remedy=_REVIEW_HINT, subjects=subjects)


def _layout_finding(
    context: Context, audience: TableReaders, rule: str, en: str, zh: str, change: tuple[str, str]
) -> Finding:
    """Return the finding for changed partitions or keys: a block if the table has readers."""
    old, new = (f"({part})" for part in change)
    table = audience.guid.removeprefix("odps.")
    readers = audience.of_table()
    described = audience.describe(readers)
    has_readers = readers is not None and bool(readers.dependents)
    verb = "change" if en.endswith("s") else "changes"
    return build_finding(
        context,
        rule,
        Severity.BLOCK if has_readers else Severity.WARN,
        Text(
            f"{en} of {table} {verb} from {old} to {new}; readers of the table: {described.en}.",
            f"{table} 的{zh}从 {old} 变为 {new}；下游：{described.zh}。",
        ),
        Text(
            "Create a new table and migrate the readers, or agree the change with their owners.",
            "请新建表并迁移下游，或与其负责人达成一致。",
        ),
        subjects=[table_subject(audience.guid)],
    )


def _keys_missing_finding(context: Context, name: str) -> Finding:
    return not_checked(
        context,
        Text(f"the event does not provide the primary key of {name}", f"事件中没有 {name} 的主键"),
        rule="table-key",
        severity=Severity.INFO,
        remedy=Text("Make sure that the key does not change.", "请确认主键不变。"),
        subjects=[table_subject(name)],
    )
