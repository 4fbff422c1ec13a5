"""The check `table-change`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field

from common.i18n import Text
from common.snapshot import TableSnapshot
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
from workers.dataworks.errors import RequestRejected
from workers.dataworks.models import TableInfo


class TableChangeOptions(Options):
    """What a workspace may set."""

    depth: int = Field(
        default=2, strict=True, ge=1, le=10, description="hops of lineage below a column that are looked at"
    )
    max_calls: int = Field(
        default=30, strict=True, ge=2, le=200, description="lookups for the readers of one table"
    )
    max_readers: int = Field(
        default=5,
        strict=True,
        ge=0,
        le=20,
        description="tables whose code is read for how far back it reads, when a lifecycle is shortened",
    )


@check(
    "table-change",
    points=("commit-table", "deploy-table"),
    runs=Runs.IO,
    options=TableChangeOptions,
    needs_snapshot=True,
)
def table_change(context: LookupContext) -> Iterator[Finding]:
    """Ask what the change does to a table that is there, and who reads what it takes away.

    Why: a column that is dropped, renamed or made narrower breaks whatever is made from it, mostly at night
    and mostly somebody else's. New columns, comments and wider types break nothing, and cost one lookup.

    Options:
        depth: hops of lineage below a column that are looked at; 2 if not set.
        max_calls: lookups for the readers of one table; 30 if not set.
        max_readers: tables whose code is read for how far back it reads, when a lifecycle is shortened; 5
            if not set.
    """
    after = context.snapshot.table
    if after is None:
        raise SkipCheck("DataWorks holds no detail of the table")
    if context.event.recovered:
        # Only the snapshot is known of it, which does not tell the MaxCompute project.
        yield missing_field(context, "maxComputeProject")
        return
    try:
        name = _name(context, after)
        before = _current_table(context.lookups, f"odps.{name}")
        _require_readable(before, after)
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)
        return
    change = compare_tables(before, after)
    audience = TableReaders.of(context, context.lookups, f"odps.{name}", before.columns)
    yield from _columns(context, audience, change.columns)
    if change.partitions:
        yield _layout(context, audience, "table-partitions", "Partitions", "分区", change.partitions)
    if change.keys:
        yield _layout(context, audience, "table-key", "The primary key", "主键", change.keys)
    if change.keys_missing:
        yield _keys_missing_finding(context, name)
    if change.lifecycle:
        yield from lifecycle_change(context, audience, before, change.lifecycle)


def _name(context: Context, after: TableSnapshot) -> str:
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
    except RequestRejected:
        raise SkipCheck("there is no such table yet: nothing to compare with") from None


def _require_readable(before: TableInfo, after: TableSnapshot) -> None:
    """Refuse what cannot be compared: a list of columns that is empty is one that was not told."""
    for columns, en, zh in (
        (before.columns, "the table as it is", "现有表"),
        (after.columns, "the change", "变更"),
    ):
        if not columns or not all(column.name.strip() for column in columns):
            raise event_fields.InvalidField(f"columns of {en} are not told", f"{zh}缺少字段信息")


def _columns(context: Context, audience: TableReaders, columns: Sequence[ColumnChange]) -> Iterator[Finding]:
    for place, column in enumerate(columns):
        readers = audience.of_column(column.name, len(columns) - place)
        if readers is None:
            yield _not_checked_finding(context, audience, columns[place:])
            return
        yield _column(context, audience, column, readers)


def _column(context: Context, audience: TableReaders, column: ColumnChange, readers: Impact) -> Finding:
    what = _describe_column(audience, column)
    subjects = column_subjects(audience.guid, [column.name])
    rule = "column-retyped" if column.types else "column-dropped"
    if readers.dependents:
        told = audience.describe(readers)
        message = Text(f"{what.en}; made from it: {told.en}.", f"{what.zh}；由其生成：{told.zh}。")
        return build_finding(
            context,
            rule,
            Severity.BLOCK,
            message,
            _COORDINATE_HINT,
            subjects=subjects,
            readers=len(readers.dependents),
        )
    near = _nearest_readers(audience, readers)
    message = Text(f"{what.en}; {near.en}.", f"{what.zh}；{near.zh}。")
    return build_finding(context, rule, Severity.WARN, message, _REVIEW_HINT, subjects=subjects)


_COORDINATE_HINT = Text(
    "Agree the change with their owners, and change what they read first; keep the column until then.",
    "请先与其负责人达成一致并修改下游，在此之前保留该字段。",
)
_REVIEW_HINT = Text(
    "Make sure that nobody filters by it or reads it from outside, then go on.",
    "请确认没有下游用它过滤或从外部读取后再继续。",
)


def _describe_column(audience: TableReaders, column: ColumnChange) -> Text:
    """Return what happens to a column, the beginning of a sentence."""
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
    """Return what is known when no column is made from one: it may be filtered by, or read from outside."""
    told = audience.describe(readers)
    if not readers.is_complete:
        return Text(f"who reads it: {told.en}", f"其下游：{told.zh}")
    told = audience.describe(audience.of_table())
    return Text(
        f"no column is made from it, who reads the table: {told.en}",
        f"没有由其生成的字段，该表的下游：{told.zh}",
    )


def _not_checked_finding(
    context: Context, audience: TableReaders, columns: Sequence[ColumnChange]
) -> Finding:
    names, table = summarize_names([column.name for column in columns]), audience.guid.removeprefix("odps.")
    most = context.options.max_calls
    what = Text(
        f"who reads {len(columns)} more columns of {table} that are dropped or narrowed"
        f" ({names.en}), for {most} lookups are made at most",
        f"{table} 另有 {len(columns)} 个字段被删除或收窄（{names.zh}），查询次数上限为 {most}",
    )
    subjects = column_subjects(audience.guid, [column.name for column in columns])
    return not_checked(context, what, rule="columns-not-checked", remedy=_REVIEW_HINT, subjects=subjects)


def _layout(
    context: Context, audience: TableReaders, rule: str, en: str, zh: str, change: tuple[str, str]
) -> Finding:
    """Return the finding for partitions or keys that change: a block when anybody reads the table."""
    old, new = (f"({part})" for part in change)
    table = audience.guid.removeprefix("odps.")
    readers = audience.of_table()
    told = audience.describe(readers)
    read = readers is not None and bool(readers.dependents)
    verb = "change" if en.endswith("s") else "changes"
    return build_finding(
        context,
        rule,
        Severity.BLOCK if read else Severity.WARN,
        Text(
            f"{en} of {table} {verb} from {old} to {new}; who reads it: {told.en}.",
            f"{table} 的{zh}从 {old} 变为 {new}；下游：{told.zh}。",
        ),
        Text(
            "Make a new table and move its readers over, or agree the change with their owners.",
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
        remedy=Text("Make sure that the key stays.", "请确认主键不变。"),
        subjects=[table_subject(name)],
    )
