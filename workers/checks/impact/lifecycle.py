"""Compares a shortened table lifecycle with how far back the readers of the table read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.text.i18n import Text
from common.verdicts import Finding, Severity, table_subject
from workers.checks.api import Context
from workers.checks.finding_builders import build_finding
from workers.checks.impact.model import Dependent, DependentKind
from workers.checks.impact.table_readers import TableReaders
from workers.checks.lookback import lookback_days
from workers.checks.name_lists import summarize_names, summarize_texts
from workers.dataworks.errors import NotFound
from workers.dataworks.models import ProducingTask, TableInfo

_MAX_TASKS = 2
"""Maximum tasks per reader whose code is parsed; the lookback of a table with more writers is unknown."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """A reader, and how many days back it reads; None if unknown."""

    name: str
    days: int | None


def lifecycle_change(
    context: Context, audience: TableReaders, before: TableInfo, change: tuple[int | None, int]
) -> Iterator[Finding]:
    """Yield a block if readers read further back than the new lifecycle, a warning if that is unknown.

    Args:
        context: context of the check.
        audience: the table's readers.
        before: the existing table.
        change: lifecycle in days, before (None: unlimited, or not provided) and after.

    Raises:
        DataWorksError: a lookup failed.
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
    """Return all readers; only for the first `max_readers` tables it is determined how far back they read."""
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
    """Return the tasks that write `reader`, a table derived from the one whose lifecycle is shortened."""
    try:
        tasks = audience.lookups.producing_tasks(reader.key)
    except NotFound:
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
    except NotFound:
        code = ""
    return _Reader(name, lookback_days(code, table, project, partitions) if code and partitions else None)


def _describe_change(audience: TableReaders, change: tuple[int | None, int]) -> Text:
    before, after = change
    table = audience.guid.removeprefix("odps.")
    if before is None:
        return Text(
            f"Data of {table} would be kept for {after} days, with no known lifecycle before",
            f"{table} 的数据将只保留 {after} 天，此前没有已知的生命周期",
        )
    return Text(
        f"Data of {table} would be kept for {after} days instead of {before}",
        f"{table} 的生命周期将从 {before} 天缩短为 {after} 天",
    )


def _too_short_finding(
    context: Context, audience: TableReaders, what: Text, readers: list[_Reader]
) -> Finding:
    worst = sorted(readers, key=lambda item: -(item.days or 0))
    lookbacks = summarize_texts(
        [
            Text(f"{item.name} reads {item.days} days back", f"{item.name} 读取 {item.days} 天前的数据")
            for item in worst
        ]
    )
    return build_finding(
        context,
        "lifecycle-shortened",
        Severity.BLOCK,
        Text(f"{what.en}; {lookbacks.en}.", f"{what.zh}；{lookbacks.zh}。"),
        Text(
            f"Set a lifecycle of more than {worst[0].days} days, or reduce how far back these readers read.",
            f"请将生命周期设为 {worst[0].days} 天以上，或缩短这些下游读取的时间范围。",
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
            f"{what.en}; how far back it is read is unknown for {unknown.en}.",
            f"{what.zh}；无法确定 {unknown.zh} 读取多久以前的数据。",
        ),
        Text("Confirm with its readers how far back they read.", "请向下游确认其读取的时间范围。"),
        subjects=[table_subject(audience.guid)],
    )
