"""A table's life made shorter, against how far back its readers read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.i18n import Text
from common.verdicts import Finding, Severity, table_subject
from workers.checks.api import Context
from workers.checks.finding_builders import build_finding
from workers.checks.impact.model import Dependent, DependentKind
from workers.checks.impact.table_readers import TableReaders
from workers.checks.lookback import lookback_days
from workers.checks.name_lists import summarize_names, summarize_texts
from workers.dataworks.errors import RequestRejected
from workers.dataworks.models import ProducingTask, TableInfo

_MAX_TASKS = 2
"""Tasks of one reader whose code is read; a table that more write is not known."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """A reader, and how far back it reads; None when that cannot be told."""

    name: str
    days: int | None


def lifecycle_change(
    context: Context, audience: TableReaders, before: TableInfo, change: tuple[int | None, int]
) -> Iterator[Finding]:
    """Yield a block for readers that read further back than data will live, a warning where it is not known.

    Args:
        context: of the check.
        audience: the table's readers.
        before: the table as it is.
        change: days that data lives, before (None: for ever, or not told) and after.

    Raises:
        DataWorksError: DataWorks could not be asked.
    """
    impact, days = audience.of_table(), change[1]
    if impact is not None and impact.is_complete and not impact.dependents:
        return
    readers = _readers(context, audience, before, impact.dependents if impact else ())
    what = _describe_change(audience, change)
    if short := [item for item in readers if item.days is not None and item.days >= days]:
        yield _too_short_finding(context, audience, what, short)
    elif impact is None or not impact.is_complete or any(item.days is None for item in readers):
        yield _not_known_finding(
            context, audience, what, [item.name for item in readers if item.days is None]
        )


def _readers(
    context: Context, audience: TableReaders, before: TableInfo, dependents: Sequence[Dependent]
) -> list[_Reader]:
    """Return all readers; how far back is told for the first few tables only."""
    found: list[_Reader] = []
    left = context.options.max_readers
    for item in dependents:
        if item.kind is DependentKind.TABLE and left > 0:
            left -= 1
            found += _writers(audience, before, item)
        else:
            found.append(_Reader(item.name, None))
    return found


def _writers(audience: TableReaders, before: TableInfo, reader: Dependent) -> list[_Reader]:
    """Return the tasks that make a table from the one whose life is made shorter."""
    try:
        tasks = audience.lookups.producing_tasks(reader.key)
    except RequestRejected:
        tasks = ()
    if not 0 < len(tasks) <= _MAX_TASKS:
        return [_Reader(reader.name, None)]
    return [_writer(audience, before, reader, task) for task in tasks]


def _writer(audience: TableReaders, before: TableInfo, reader: Dependent, task: ProducingTask) -> _Reader:
    table = audience.guid.removeprefix("odps.")
    project = reader.name.partition(".")[0]
    partitions = [column.name for column in before.columns if column.partition]
    name = f"{reader.name} ({task.name or task.id}, {reader.owner or '?'})"
    try:
        code = audience.lookups.node_code(task.node_id) if task.node_id is not None else ""
    except RequestRejected:
        code = ""
    return _Reader(name, lookback_days(code, table, project, partitions) if code and partitions else None)


def _describe_change(audience: TableReaders, change: tuple[int | None, int]) -> Text:
    before, after = change
    table = audience.guid.removeprefix("odps.")
    if before is None:
        return Text(
            f"Data of {table} would live {after} days, and had no limit that is told",
            f"{table} 的数据将只保留 {after} 天，此前没有已知的期限",
        )
    return Text(
        f"Data of {table} would live {after} days, not {before}",
        f"{table} 的数据保留期将从 {before} 天缩短为 {after} 天",
    )


def _too_short_finding(
    context: Context, audience: TableReaders, what: Text, readers: list[_Reader]
) -> Finding:
    worst = sorted(readers, key=lambda item: -(item.days or 0))
    said = summarize_texts(
        [
            Text(f"{item.name} reads {item.days} days back", f"{item.name} 读取 {item.days} 天前的数据")
            for item in worst
        ]
    )
    return build_finding(
        context,
        "lifecycle-shortened",
        Severity.BLOCK,
        Text(f"{what.en}; {said.en}.", f"{what.zh}；{said.zh}。"),
        Text(
            f"Keep it longer than {worst[0].days} days, or have these read less.",
            f"请保留超过 {worst[0].days} 天，或让这些下游少读一些。",
        ),
        subjects=[table_subject(audience.guid)],
        days=worst[0].days,
    )


def _not_known_finding(context: Context, audience: TableReaders, what: Text, names: list[str]) -> Finding:
    unknown = summarize_names(names or ["?"])
    return build_finding(
        context,
        "lifecycle-shortened",
        Severity.WARN,
        Text(
            f"{what.en}; how far back it is read cannot be told for {unknown.en}.",
            f"{what.zh}；无法得知 {unknown.zh} 读取多久以前的数据。",
        ),
        Text("Ask its readers how far back they read.", "请向下游确认其读取的时间范围。"),
        subjects=[table_subject(audience.guid)],
    )
