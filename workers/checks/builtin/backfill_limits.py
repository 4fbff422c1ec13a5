"""The check `backfill-limits`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime

from pydantic import Field

from common.json_types import Json
from common.text.i18n import Text
from common.verdicts import Finding, Severity
from workers.checks import event_fields, time_windows
from workers.checks.api import Context, Options, Runs
from workers.checks.finding_builders import build_finding
from workers.checks.limits import outside_hours
from workers.checks.not_checked import invalid_event, missing_field
from workers.checks.registry import check

_PERIODS = "multipleTimePeriods"
_DAYS = Text("days", "天")
_NODES = Text("nodes", "个节点")
_NODE_DAYS = Text("days times nodes", "个节点·天")
_GROUPS = Text("parallel groups", "个并行分组")
_REMEDY = Text("Split it into smaller backfills.", "请拆分为更小的补数据任务。")


class BackfillLimitsOptions(Options):
    """Options of `backfill-limits`."""

    max_days: int = Field(default=31, strict=True, ge=1, description="days over all periods")
    max_nodes: int = Field(default=100, strict=True, ge=1, description="nodes that run")
    max_node_days: int = Field(
        default=1000, strict=True, ge=1, description="days over all periods times nodes that run"
    )
    max_parallel_groups: int = Field(default=4, strict=True, ge=1, description="groups that run in parallel")
    hours: tuple[time_windows.TimeWindow, ...] = Field(
        default=(), description="when a backfill may start; any time if empty"
    )
    time_zone: time_windows.Zone = Field(default="Asia/Shanghai", description="IANA time zone of the hours")


@check("backfill-limits", points=("backfill-data",), runs=Runs.INLINE, options=BackfillLimitsOptions)
def backfill_limits(context: Context) -> Iterator[Finding]:
    """Check whether a backfill is small enough, and starts at an allowed hour.

    Why: days times nodes is the number of instances that compete with tonight's run for the same resources.
    Excluded nodes run dry and do not count. A period counts every day that it touches, whatever its hours.

    Options:
        max_days: days over all periods.
        max_nodes: nodes that run.
        max_node_days: days over all periods times nodes that run.
        max_parallel_groups: groups that run in parallel.
        hours: windows in which a backfill may start, each with days, from and to; any time if not set.
        time_zone: IANA time zone of the hours; Asia/Shanghai if not set.
    """
    options: BackfillLimitsOptions = context.options
    what = Text("backfill-data", "补数据")
    yield from outside_hours(context, "backfill-hours", options.hours, options.time_zone, what)
    try:
        days, nodes = _count_days(context.event.data), len(event_fields.backfill_nodes(context.event.data))
        groups = event_fields.number(context.event.data, "parallelGroup") or 1
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)
        return
    if days is None:
        yield missing_field(context, _PERIODS)
    node_days = None if days is None else days * nodes
    for rule, unit, count, limit in (
        ("backfill-days", _DAYS, days, options.max_days),
        ("backfill-nodes", _NODES, nodes, options.max_nodes),
        ("backfill-node-days", _NODE_DAYS, node_days, options.max_node_days),
        ("backfill-groups", _GROUPS, groups, options.max_parallel_groups),
    ):
        yield from _above_limit_finding(context, rule, unit, count, limit)


def _above_limit_finding(
    context: Context, rule: str, unit: Text, count: int | None, limit: int
) -> Iterator[Finding]:
    if count is not None and count > limit:
        message = Text(
            f"The backfill spans {count} {unit.en}; {limit} are allowed.",
            f"补数据涉及 {count} {unit.zh}，上限为 {limit}。",
        )
        yield build_finding(context, rule, Severity.BLOCK, message, _REMEDY)


def _count_days(data: Json) -> int | None:
    """Return the number of days over all periods, which the event contains as a JSON string or a list.

    None if it has none: `useMultipleTimePeriods` is true in the only published sample, and what a backfill
    without it contains is not documented.
    """
    periods = data.get(_PERIODS)
    if periods is None or periods == "":
        return None
    if isinstance(periods, str):
        try:
            periods = json.loads(periods)
        except (ValueError, RecursionError):
            raise event_fields.InvalidField(f"{_PERIODS} is not JSON", f"{_PERIODS} 不是 JSON") from None
    if periods == [] and event_fields.boolean(data, "useMultipleTimePeriods") is False:
        return None
    if not isinstance(periods, list) or not periods:
        raise event_fields.InvalidField(f"{_PERIODS} contains no periods", f"{_PERIODS} 中没有时间段")
    return sum(_count_period_days(period, index) for index, period in enumerate(periods, start=1))


def _count_period_days(period: object, index: int) -> int:
    if not isinstance(period, dict):
        raise event_fields.InvalidField(
            f"period {index} of {_PERIODS} has no days", f"{_PERIODS} 的第 {index} 个时间段没有日期"
        )
    begin, end = (
        _parse_date(period.get(key), Text(f"{key} of period {index}", f"第 {index} 个时间段的 {key}"))
        for key in ("bizBeginTime", "bizEndTime")
    )
    if end < begin:
        raise event_fields.InvalidField(
            f"period {index} of {_PERIODS} ends before it starts",
            f"{_PERIODS} 的第 {index} 个时间段结束早于开始",
        )
    return (end - begin).days + 1


def _parse_date(value: object, what: Text) -> date:
    try:
        return datetime.fromisoformat(event_fields.text({"": value}, "")).date()
    except ValueError:
        raise event_fields.InvalidField(f"{what.en} is not a date", f"{what.zh} 不是日期") from None
