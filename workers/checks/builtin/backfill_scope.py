"""The check `backfill-scope`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import Field

from common.json_types import Json
from common.text.i18n import Text
from common.verdicts import Finding, Severity
from workers.checks import event_fields
from workers.checks.api import Context, LookupContext, Lookups, Runs
from workers.checks.finding_builders import build_finding
from workers.checks.impact.baselines import baselines_at_risk, baselines_of
from workers.checks.impact.evidence import record_baselines, record_start_nodes, record_walk
from workers.checks.impact.findings import chain_findings, unexplored
from workers.checks.impact.graph_walk import Unexplored
from workers.checks.impact.nodes import is_frozen, walk_down
from workers.checks.impact.options import WalkOptions
from workers.checks.impact.start_nodes import load_start_nodes
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import invalid_event, not_checked
from workers.checks.registry import check
from workers.checks.subjects import node_subjects
from workers.dataworks.errors import DataWorksError
from workers.dataworks.models import Node


class BackfillScopeOptions(WalkOptions):
    """Options of `backfill-scope`."""

    max_nodes: int = Field(
        default=100, strict=True, ge=1, le=100_000, description="nodes that may run below a root"
    )
    max_calls: int = Field(default=100, strict=True, ge=1, le=5000, description="lookups of one search")
    baseline_priority: int = Field(
        default=7, strict=True, ge=1, le=8, description="the lowest priority of a baseline that counts"
    )
    other_workspaces: Severity = Field(
        default=Severity.BLOCK, description="severity for nodes of other workspaces"
    )


@dataclass(frozen=True, slots=True)
class _BackfillScope:
    """The nodes that run, as far as they are known.

    Attributes:
        nodes: that run.
        unexplored: what could not be searched.
        is_open: whether the event names only a root, so that everything below it runs.
        fault: lookup failure that ended the loading of the listed nodes.
    """

    nodes: tuple[Node, ...]
    unexplored: tuple[Unexplored, ...]
    is_open: bool
    fault: DataWorksError | None


@check("backfill-scope", points=("backfill-data",), runs=Runs.IO, options=BackfillScopeOptions)
def backfill_scope(context: LookupContext) -> Iterator[Finding]:
    """Check whether nodes that a backfill runs are not rerunnable, on a baseline, or of another workspace.

    Why: running a node again that is not rerunnable corrupts its data, and owners in another workspace do not
    expect the run. If the event names a root and no list of nodes, as for whole branches, all live nodes
    below the root run, and are counted here. Excluded nodes run dry and do not count.

    Options:
        depth: hops below the root that are searched; 5 if not set.
        max_nodes: nodes that may run when the event names only a root; 100 if not set.
        max_calls: lookups of one search; 100 if not set.
        baseline_priority: the lowest priority of a baseline that counts; 7 if not set.
        other_workspaces: severity for nodes of other workspaces: block, warn or info; block if not set.
    """
    lookups = context.lookups
    try:
        scope = _load_scope(context, lookups)
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)
        return
    yield from chain_findings(
        context,
        _too_many_finding(context, scope),
        _not_rerunnable_findings(context, scope.nodes),
        _baseline_findings(context, lookups, scope.nodes),
        _workspace_finding(context, scope.nodes),
        _unexplored_finding(context, scope),
    )


def _load_scope(context: Context, lookups: Lookups) -> _BackfillScope:
    data, options = context.event.data, context.options
    budget = options.budget(context)
    named = event_fields.backfill_nodes(data)
    starts = load_start_nodes(lookups, named, budget)
    record_start_nodes(context.impact, starts, named)
    if not _is_open(data):
        return _BackfillScope(starts.nodes, starts.unexplored, is_open=False, fault=starts.fault)
    excluded = set(event_fields.numbers(data, "excludeNodeIds"))
    # The walk continues below excluded nodes: the nodes that depend on them still run.
    root = event_fields.number(data, "rootNodeId")
    limit = options.max_nodes + len(excluded) + 1
    below = walk_down(lookups, [root] if root else [], replace(budget, nodes=limit))
    record_walk(context.impact, below, leave_out=excluded)
    nodes = [item.item for item in below.visited if item.key not in excluded and not is_frozen(item.item)]
    unseen = tuple(dict.fromkeys((*starts.unexplored, *below.unexplored)))
    return _BackfillScope((*starts.nodes, *nodes), unseen, is_open=True, fault=starts.fault)


def _is_open(data: Json) -> bool:
    """Whether the event names only a root, and DataWorks decides what runs below."""
    return not event_fields.numbers(data, "includeNodeIds")


def _too_many_finding(context: Context, scope: _BackfillScope) -> Iterator[Finding]:
    limit, count = context.options.max_nodes, len(scope.nodes)
    if _exceeds_node_limit(context, scope):
        en, zh = ("at least ", "至少 ") if scope.unexplored else ("", "共 ")
        root = _describe_node(scope.nodes[0])
        yield build_finding(
            context,
            "backfill-nodes",
            Severity.BLOCK,
            Text(
                f"The backfill runs {en}{count} nodes, all below {root}; {limit} are allowed.",
                f"补数据将运行 {root} 的全部下游，{zh}{count} 个节点，上限为 {limit}。",
            ),
            Text("Choose the nodes that need it, or split it.", "请只选择需要的节点，或分批补数据。"),
            subjects=node_subjects(scope.nodes[:1]),
            count=count,
            limit=limit,
        )


def _exceeds_node_limit(context: Context, scope: _BackfillScope) -> bool:
    return scope.is_open and len(scope.nodes) > context.options.max_nodes


def _not_rerunnable_findings(context: Context, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    """Yield the nodes that are not rerunnable, and those of which DataWorks does not report it."""
    not_rerunnable = summarize_names([_describe_node(node) for node in nodes if node.rerunnable is False])
    unknown = summarize_names([_describe_node(node) for node in nodes if node.rerunnable is None])
    if not_rerunnable.en:
        yield build_finding(
            context,
            "backfill-not-rerunnable",
            Severity.BLOCK,
            Text(
                f"The backfill runs nodes that are not rerunnable: {not_rerunnable.en}.",
                f"补数据包含不允许重跑的节点：{not_rerunnable.zh}。",
            ),
            Text(
                "Exclude them, or make them safe to rerun and mark them as rerunnable.",
                "请排除这些节点，或改造为可重跑后再修改其重跑属性。",
            ),
            subjects=node_subjects(node for node in nodes if node.rerunnable is False),
        )
    if unknown.en:
        yield not_checked(
            context,
            Text(f"whether {unknown.en} may be rerun", f"{unknown.zh} 是否允许重跑"),
            severity=Severity.INFO,
            remedy=Text("Check their settings in Operation Center.", "请在运维中心查看其重跑属性。"),
            subjects=node_subjects(node for node in nodes if node.rerunnable is None),
        )


def _baseline_findings(context: Context, lookups: Lookups, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    baselines = baselines_of(lookups, nodes)
    record_baselines(context.impact, baselines)
    min_priority = context.options.baseline_priority
    # Only a warning: correcting the data of a report is what backfills are for.
    subjects = node_subjects(node for node in nodes if node.baseline_id is not None)
    yield from baselines_at_risk(
        context, "backfill-baseline", Severity.WARN, nodes, baselines, min_priority, subjects
    )


def _workspace_finding(context: Context, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    own = context.event.project_id
    others = [node for node in nodes if None not in (own, node.project_id) and node.project_id != own]
    if others:
        names = summarize_names([f"{_describe_node(node)}, workspace {node.project_id}" for node in others])
        chinese = summarize_names(
            [f"{_describe_node(node)}（工作空间 {node.project_id}）" for node in others]
        )
        yield build_finding(
            context,
            "backfill-workspaces",
            context.options.other_workspaces,
            Text(
                f"The backfill runs nodes of other workspaces: {names.en}.",
                f"补数据包含其他工作空间的节点：{chinese.zh}。",
            ),
            Text("Exclude them, or coordinate with their owners.", "请排除这些节点，或先与其负责人确认。"),
            subjects=node_subjects(others),
        )


def _describe_node(node: Node) -> str:
    return f"{node.name} ({node.id}, {node.owner})" if node.owner else f"{node.name} ({node.id})"


def _unexplored_finding(context: Context, scope: _BackfillScope) -> Iterator[Finding]:
    if scope.fault:
        raise scope.fault
    if not _exceeds_node_limit(context, scope):  # above it, `backfill-nodes` already says "at least"
        yield from unexplored(context, scope.unexplored)
