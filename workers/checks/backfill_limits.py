"""The check `backfill-limits`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime

from pydantic import Field

from common.events import Json
from common.verdicts import Finding, Severity
from workers.checks import fields
from workers.checks.check import Context, Options, Runs
from workers.checks.registry import check

_PERIODS = "multipleTimePeriods"


class BackfillLimitsOptions(Options):
    """What a workspace may set."""

    most_days: int = Field(default=31, strict=True, ge=1, description="days over all periods")
    most_nodes: int = Field(default=100, strict=True, ge=1, description="nodes that run")
    most_node_days: int = Field(
        default=1000, strict=True, ge=1, description="days over all periods times nodes that run"
    )
    most_parallel_groups: int = Field(
        default=4, strict=True, ge=1, description="groups that run side by side"
    )


@check("backfill-limits", points=("backfill-data",), runs=Runs.INLINE, options=BackfillLimitsOptions)
def backfill_limits(context: Context) -> Iterator[Finding]:
    """Ask whether a backfill is of a size that the workspace can bear.

    Why: days times nodes is the number of instances that compete with tonight's run for the same resources.
    Excluded nodes run dry and do not count.

    Options:
        most_days: days over all periods.
        most_nodes: nodes that run.
        most_node_days: days over all periods times nodes that run.
        most_parallel_groups: groups that run side by side.
    """
    options: BackfillLimitsOptions = context.options
    try:
        days, nodes = _days(context.event.data), _nodes(context.event.data)
        groups = fields.number(context.event.data, "parallelGroup") or 1
    except fields.Unreadable as error:
        yield fields.unreadable(error)
        return
    yield from _above("backfill-days", "days", days, options.most_days)
    yield from _above("backfill-nodes", "nodes", nodes, options.most_nodes)
    yield from _above("backfill-node-days", "days times nodes", days * nodes, options.most_node_days)
    yield from _above("backfill-groups", "parallel groups", groups, options.most_parallel_groups)


def _above(rule: str, what: str, count: int, most: int) -> Iterator[Finding]:
    if count > most:
        message = f"The backfill spans {count} {what}; {most} are allowed."
        yield Finding(rule, Severity.BLOCK, message, help="Split it into smaller backfills.")


def _nodes(data: Json) -> int:
    root = fields.number(data, "rootNodeId")
    nodes = {*fields.numbers(data, "includeNodeIds"), *(() if root is None else (root,))}
    if not nodes:
        raise fields.Unreadable("includeNodeIds and rootNodeId name no node")
    return len(nodes - set(fields.numbers(data, "excludeNodeIds")))


def _days(data: Json) -> int:
    """Return the days over all periods, which come as JSON within a string."""
    periods = data.get(_PERIODS)
    if isinstance(periods, str):
        try:
            periods = json.loads(periods)
        except (ValueError, RecursionError):
            raise fields.Unreadable(f"{_PERIODS} is not JSON") from None
    if not isinstance(periods, list) or not periods:
        raise fields.Unreadable(f"{_PERIODS} names no periods")
    return sum(_period(period, index) for index, period in enumerate(periods, start=1))


def _period(period: object, index: int) -> int:
    if not isinstance(period, dict):
        raise fields.Unreadable(f"period {index} of {_PERIODS} has no days")
    begin, end = (
        _date(period.get(key), f"{key} of period {index}") for key in ("bizBeginTime", "bizEndTime")
    )
    if end < begin:
        raise fields.Unreadable(f"period {index} of {_PERIODS} ends before it begins")
    return (end - begin).days + 1


def _date(value: object, what: str) -> date:
    try:
        return datetime.fromisoformat(fields.text({"": value}, "")).date()
    except ValueError:
        raise fields.Unreadable(f"{what} is not a date") from None
