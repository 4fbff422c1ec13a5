"""The check `start-surge`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import Field

from common.text.i18n import Text
from common.verdicts import Finding, Severity
from workers.checks import event_fields, time_windows
from workers.checks.api import Context, LookupContext, Lookups, Runs
from workers.checks.cron import parse_cron
from workers.checks.finding_builders import build_finding
from workers.checks.impact.evidence import record_start_nodes, record_walk
from workers.checks.impact.findings import unexplored
from workers.checks.impact.nodes import is_frozen, walk_down
from workers.checks.impact.options import WalkOptions
from workers.checks.impact.start_nodes import StartNodes, begin_start_nodes, load_start_nodes
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import invalid_event
from workers.checks.registry import check
from workers.dataworks.models import Node, Scheduler


class StartSurgeOptions(WalkOptions):
    """Options of `start-surge`."""

    max_instances: int = Field(
        default=200,
        strict=True,
        ge=1,
        description="instances that may be past their scheduled time and start at once",
    )
    time_zone: time_windows.Zone = Field(
        default="Asia/Shanghai", description="IANA time zone of the schedules"
    )


@check("start-surge", points=("unfreeze-node",), runs=Runs.IO, options=StartSurgeOptions)
def start_surge(context: LookupContext) -> Iterator[Finding]:
    """Check how many instances would start at once when nodes are unfrozen now.

    Why: instances that waited for a frozen node are past their scheduled time, and start together with it, in
    the middle of all other work. The nodes and the live ones below them count, each as often as it was
    scheduled today until now.

    Options:
        depth: hops that are searched; 5 if not set.
        max_nodes: nodes found that end the search; 500 if not set.
        max_calls: lookups of one search; 60 if not set.
        max_instances: instances that may be past their scheduled time; 200 if not set.
        time_zone: IANA time zone of the schedules; Asia/Shanghai if not set.
    """
    lookups = context.lookups
    try:
        ids = event_fields.nodes(context.event)
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)
        return
    yield from _surge_findings(context, lookups, ids)


def _surge_findings(context: Context, lookups: Lookups, ids: tuple[int, ...]) -> Iterator[Finding]:
    options: StartSurgeOptions = context.options
    budget = options.budget(context)
    begin_start_nodes(lookups, ids, budget)
    below = walk_down(lookups, ids, budget)
    starts = load_start_nodes(lookups, ids, budget)
    record_start_nodes(context.impact, starts, ids)
    record_walk(context.impact, below)
    live = [found.item for found in below.visited if not is_frozen(found.item)]
    now = time_windows.to_local(context.now, options.time_zone)
    counts = {node: _count_due_runs(node, now) for node in (*starts.nodes, *live)}
    unseen = list(dict.fromkeys((*starts.unexplored, *below.unexplored)))
    total = sum(counts.values())
    if total > options.max_instances:
        yield _surge_finding(context, starts, counts, now, at_least=bool(unseen))
        return
    if starts.fault and not below.visited:
        raise starts.fault
    yield from unexplored(context, unseen)


def _count_due_runs(node: Node, now: datetime) -> int:
    """Return how many runs of today are due until `now`; one if the schedule is unknown."""
    if node.scheduler == Scheduler.MANUAL:
        return 0
    runs = parse_cron(node.cron)
    return 1 if runs is None else runs.count_until(now)


def _surge_finding(
    context: Context, starts: StartNodes, counts: dict[Node, int], now: datetime, *, at_least: bool
) -> Finding:
    due = {node: count for node, count in counts.items() if count}
    total, limit = sum(due.values()), context.options.max_instances
    busiest = summarize_names(_busiest_nodes(due))
    bound = Text("at least ", "至少 ") if at_least else Text("", " ")
    return build_finding(
        context,
        "start-surge",
        Severity.BLOCK,
        Text(
            f"Unfrozen at {now:%H:%M}, {starts.describe.en} would start {bound.en}{total} instances of "
            f"{len(due)} nodes at once, {limit} are allowed; most of them {busiest.en}.",
            f"{starts.describe.zh} 若在 {now:%H:%M} 解冻，将同时启动{bound.zh}{len(due)} 个节点的 "
            f"{total} 个实例，上限为 {limit}；其中最多的是 {busiest.zh}。",
        ),
        Text(
            "Unfreeze before their scheduled time, or in smaller groups.",
            "请在调度时间之前解冻，或分批解冻。",
        ),
        subjects=starts.subjects,
        instances=total,
        limit=limit,
    )


def _busiest_nodes(due: dict[Node, int]) -> Sequence[str]:
    ranked = sorted(due, key=lambda node: -due[node])
    return [f"{node.name} ({node.id}): {due[node]}" for node in ranked]
