"""The check `downstream-impact`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from pydantic import Field

from common.text.i18n import Text
from common.verdicts import Finding, Severity, Subject, table_subject
from workers.checks import event_fields
from workers.checks.api import Context, LookupContext, Lookups, Runs, SkipCheck
from workers.checks.finding_builders import build_finding
from workers.checks.impact.baselines import HasBaseline, baselines_at_risk, baselines_of
from workers.checks.impact.evidence import (
    record_baselines,
    record_impact,
    record_start_nodes,
    record_written_tables,
)
from workers.checks.impact.findings import chain_findings, unexplored
from workers.checks.impact.graph_walk import Budget, StopReason, Unexplored
from workers.checks.impact.model import Dependent, DependentKind, Impact
from workers.checks.impact.nodes import children, downstream_nodes, is_frozen
from workers.checks.impact.options import WalkOptions
from workers.checks.impact.outputs import written_tables
from workers.checks.impact.start_nodes import StartNodes, load_start_nodes
from workers.checks.impact.summary import summarize
from workers.checks.impact.tables import table_readers
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import invalid_event
from workers.checks.registry import check
from workers.dataworks.models import Baseline

_DEVELOPMENT = "_dev"


class DownstreamImpactOptions(WalkOptions):
    """Options of `downstream-impact`."""

    baseline_priority: int = Field(
        default=7,
        strict=True,
        ge=1,
        le=8,
        description="the lowest priority of a baseline at risk that counts",
    )
    other_workspaces: Severity = Field(
        default=Severity.BLOCK, description="severity for readers of its tables in other workspaces"
    )


@check(
    "downstream-impact",
    points=("delete-file", "undeploy-node", "freeze-node"),
    runs=Runs.IO,
    options=DownstreamImpactOptions,
)
def downstream_impact(context: LookupContext) -> Iterator[Finding]:
    """Check which live nodes, baselines and table readers depend on what is deleted, undeployed or frozen.

    Why: nodes that depend on a deleted or frozen node never start, and their data is no longer updated.
    Frozen nodes, the nodes below them, and nodes of the same operation do not count; nor does freezing a node
    that is already frozen. Readers of tables are searched only if a node is removed permanently. Only
    production is searched.

    Options:
        depth: hops that are searched; 5 if not set.
        max_nodes: dependents found that end the search; 500 if not set.
        max_calls: lookups of one search; 60 if not set.
        baseline_priority: the lowest priority of a baseline at risk that counts; 7 if not set.
        other_workspaces: severity for readers of its tables in other workspaces: block, warn or info;
            block if not set.
    """
    lookups = context.lookups
    try:
        ids = _node_ids(context)
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)
        return
    budget = context.options.budget(context)
    removes = context.event.event_code != "freeze-node"
    lookups.begin(children, ids[: budget.calls])
    if removes:
        lookups.begin(partial(_find_readers, budget=budget), [ids])
    starts, unseen = load_start_nodes(lookups, ids, budget), list[Unexplored]()
    searches = [_dependent_findings(context, lookups, starts, unseen)]
    if removes:
        searches.append(_reader_findings(context, lookups, starts, unseen))
    yield from chain_findings(context, *searches, _unexplored_finding(context, starts, unseen))


def _node_ids(context: Context) -> tuple[int, ...]:
    if context.event.event_code != "delete-file":
        return event_fields.nodes(context.event)
    node = event_fields.number(context.event.data, "nodeId")
    if node is None and context.snapshot.file:
        node = context.snapshot.file.node_id
    if not node:
        raise SkipCheck("the file has no node")
    return (node,)


def _dependent_findings(
    context: Context, lookups: Lookups, starts: StartNodes, unseen: list[Unexplored]
) -> Iterator[Finding]:
    """Yield the nodes below, and the baselines that they or the nodes themselves are on."""
    freezes = context.event.event_code == "freeze-node"
    already_frozen = {node.id for node in starts.nodes if is_frozen(node)}
    changed_ids = [number for number in starts.ids if not freezes or number not in already_frozen]
    changed = replace(starts, ids=tuple(changed_ids))
    budget = context.options.budget(context)
    record_start_nodes(context.impact, starts, changed_ids)
    impact = downstream_nodes(lookups, changed_ids, budget, leave_out=starts.ids).live
    record_impact(context.impact, impact)
    affected: list[HasBaseline] = [node for node in starts.nodes if node.id not in already_frozen]
    affected += impact.dependents
    baselines = baselines_of(lookups, affected)
    record_baselines(context.impact, baselines)
    min_priority = context.options.baseline_priority
    yield from baselines_at_risk(
        context, "baseline-at-risk", Severity.BLOCK, affected, baselines, min_priority, changed.subjects
    )
    if impact.dependents:
        yield _dependents_finding(context, starts, changed.subjects, impact, baselines)
    else:
        unseen.extend(impact.unexplored)


def _dependents_finding(
    context: Context,
    starts: StartNodes,
    subjects: Sequence[Subject],
    impact: Impact,
    baselines: Mapping[int, Baseline],
) -> Finding:
    who, many = starts.subject, len(starts.ids) > 1
    what = summarize(impact, baselines, from_start=many)
    if context.event.event_code == "freeze-node":
        message = Text(
            f"{who.en}, once frozen, would hold up {what.en}.", f"{who.zh} 冻结后将阻塞 {what.zh}。"
        )
    else:
        message = Text(
            f"{who.en} {'are' if many else 'is'} still needed by {what.en}.",
            f"{who.zh} 仍被依赖：{what.zh}。",
        )
    remedy = Text(
        "Remove the dependency, or change these nodes first or in the same operation.",
        "请先解除依赖，或先行（或在同一操作中）处理这些节点。",
    )
    return build_finding(
        context,
        "downstream-nodes",
        Severity.BLOCK,
        message,
        remedy,
        subjects=subjects,
        dependents=len(impact.dependents),
    )


def _reader_findings(
    context: Context, lookups: Lookups, starts: StartNodes, unseen: list[Unexplored]
) -> Iterator[Finding]:
    """Yield readers of the nodes' tables in other workspaces; lineage shows them without a dependency."""
    writers, impact = _find_readers(lookups, starts.ids, budget=context.options.budget(context))
    guids = tuple(writers)
    own = {_project(guid) for guid in guids}
    workspaces = {context.event.project_id, *(node.project_id for node in starts.nodes)}
    others = tuple(item for item in impact.dependents if _is_in_other_workspace(item, own, workspaces))
    # Only direct readers are searched, and a table that lineage does not know has none.
    left = tuple(
        item
        for item in impact.unexplored
        if item.reason not in (StopReason.DEPTH, StopReason.MISSING, StopReason.OWNERS)
    )
    readers = replace(impact, dependents=others, unexplored=left)
    read_tables = {source for source, _ in readers.edges}
    record_written_tables(context.impact, {guid: writers[guid] for guid in guids if guid in read_tables})
    record_impact(context.impact, readers, first_hop=1)
    if others:
        yield _readers_finding(context, starts, guids, readers)
    else:
        unseen.extend(left)


def _find_readers(
    lookups: Lookups, ids: Sequence[int], *, budget: Budget
) -> tuple[Mapping[str, list[int]], Impact]:
    """Return the tables that the nodes `ids` write, with their writers, and the direct readers of these."""
    writers = written_tables(lookups, ids[: budget.calls])
    return writers, table_readers(lookups, tuple(writers), replace(budget, depth=1))


def _readers_finding(context: Context, starts: StartNodes, guids: tuple[str, ...], impact: Impact) -> Finding:
    what = summarize(impact, {}, from_start=len(guids) > 1)
    tables, verb = (
        summarize_names([guid.removeprefix("odps.") for guid in guids]),
        "are" if len(guids) > 1 else "is",
    )
    message = Text(
        f"{tables.en} of {starts.describe.en} {verb} read by {what.en}.",
        f"{starts.describe.zh} 的产出表 {tables.zh} 仍被读取：{what.zh}。",
    )
    remedy = Text("Notify the owners and migrate the readers first.", "请先通知其负责人并切换数据来源。")
    return build_finding(
        context,
        "readers-in-other-workspaces",
        context.options.other_workspaces,
        message,
        remedy,
        subjects=(*starts.subjects, *map(table_subject, guids)),
        readers=len(impact.dependents),
    )


def _is_in_other_workspace(item: Dependent, own: set[str], workspaces: set[int | None]) -> bool:
    if item.kind is DependentKind.CONSUMER:
        return True
    if item.project_id is not None:
        return item.project_id not in workspaces
    return _project(item.key) not in own


def _project(guid: str) -> str:
    """Return the MaxCompute project of a table, the same for development and production.

    Lineage may contain entities other than MaxCompute tables; a name without a project is returned as is.
    """
    _, _, rest = guid.partition(".")
    return rest.partition(".")[0].removesuffix(_DEVELOPMENT) if rest else guid


def _unexplored_finding(context: Context, starts: StartNodes, unseen: list[Unexplored]) -> Iterator[Finding]:
    """Yield what could not be searched; the node of a deleted file need not exist in production."""
    if starts.fault:
        raise starts.fault
    ignored_reason = StopReason.MISSING if context.event.event_code == "delete-file" else None
    left = dict.fromkeys((*starts.unexplored, *unseen))
    yield from unexplored(context, [item for item in left if item.reason is not ignored_reason])
