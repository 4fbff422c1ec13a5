"""The check `instance-operations`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.text.i18n import Text
from common.verdicts import Finding, Severity
from workers.checks import event_fields, limits, time_windows
from workers.checks.api import Context, Options, Runs
from workers.checks.not_checked import invalid_event, missing_field
from workers.checks.registry import check

POINTS = (
    "pre-freeze-instance",
    "pre-unfreeze-instance",
    "pre-rerun-instance",
    "pre-set-instance-success",
    "pre-kill-instance",
)


class InstanceOperationsOptions(Options):
    """Options of `instance-operations`."""

    max_instances: limits.Limit = Field(
        default=None, description="instances of one operation; any number if null"
    )
    operators: tuple[limits.Uid, ...] = Field(default=(), description="UIDs that may do it; all if empty")
    hours: tuple[time_windows.TimeWindow, ...] = Field(
        default=(), description="when it is allowed; always if empty"
    )
    time_zone: time_windows.Zone = Field(default="Asia/Shanghai", description="IANA time zone of the hours")


@check("instance-operations", points=POINTS, runs=Runs.INLINE, options=InstanceOperationsOptions)
def instance_operations(context: Context) -> Iterator[Finding]:
    """Check who operates on instances, on how many at once, and when.

    Why: an instance set to success lets everything below it run on missing data; a hundred instances
    killed at night mean a morning without reports.

    Options:
        max_instances: instances of one operation; any number if not set.
        operators: UIDs that may do it; all if empty.
        hours: windows (days, from, to) in which it is allowed; always if empty.
        time_zone: IANA time zone of the hours; Asia/Shanghai if not set.
    """
    options: InstanceOperationsOptions = context.options
    code = context.event.event_code
    what = Text(f"run {code}", f"执行 {code} ")
    if options.operators:
        yield from limits.operator_not_allowed(context, "instance-operator", options.operators, what)
    yield from limits.outside_hours(
        context, "instance-hours", options.hours, options.time_zone, Text(code, f" {code} ")
    )
    if options.max_instances is not None:
        yield from _count_finding(context, options.max_instances)


def _count_finding(context: Context, limit: int) -> Iterator[Finding]:
    try:
        instances = event_fields.numbers(context.event.data, "taskIds")
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)
        return
    if not instances:
        yield missing_field(context, "taskIds")
    what = Text("The operation affects {count} instances", "该操作涉及 {count} 个实例")
    yield from limits.above_limit(context, "instance-count", Severity.BLOCK, len(instances), limit, what)
