"""The check `frozen-parents`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from common.text.i18n import Text
from common.verdicts import Finding, Severity, SubjectKind
from workers.checks import event_fields
from workers.checks.api import Context, LookupContext, Lookups, Runs
from workers.checks.finding_builders import build_finding
from workers.checks.impact.findings import chain_findings, unexplored
from workers.checks.impact.graph_walk import Budget, StopReason, Unexplored
from workers.checks.impact.model import Impact
from workers.checks.impact.nodes import upstream_nodes
from workers.checks.impact.options import WalkOptions
from workers.checks.impact.start_nodes import StartNodes, load_start_nodes
from workers.checks.impact.summary import count_dependents, nearest_dependents
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import invalid_event
from workers.checks.registry import check
from workers.checks.subjects import named_subjects
from workers.dataworks.errors import NotFound
from workers.dataworks.models import Environment, Node, NodeOutput

_ROOT = "_root"
_MAX_SHOWN = 3


@check("frozen-parents", points=("unfreeze-node",), runs=Runs.IO, options=WalkOptions)
def frozen_parents(context: LookupContext) -> Iterator[Finding]:
    """Check whether a node that is unfrozen would wait for nodes that are frozen or deleted.

    Why: it would wait forever. The search goes up to the first frozen node on each path, in production, and
    covers inputs that no node outputs. Nodes that the same operation unfreezes do not count.

    Options:
        depth: hops that are searched; 5 if not set.
        max_nodes: nodes found that end the search; 500 if not set.
        max_calls: lookups of one search; 60 if not set.
    """
    lookups = context.lookups
    try:
        ids = event_fields.nodes(context.event)
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)
        return
    lookups.begin(_find_producers, [ids[: context.options.max_calls]])
    unseen: list[Unexplored] = []
    yield from chain_findings(
        context,
        _frozen_finding(context, lookups, ids, unseen),
        _missing_parents_finding(context, lookups, ids, unseen),
        _unexplored_finding(context, unseen),
    )


def _frozen_finding(
    context: Context, lookups: Lookups, ids: tuple[int, ...], unseen: list[Unexplored]
) -> Iterator[Finding]:
    impact = upstream_nodes(lookups, ids, context.options.budget(context))
    unseen.extend(impact.unexplored)
    frozen = Impact(tuple(item for item in impact.dependents if item.frozen), (), impact.calls)
    if frozen.dependents:
        starts, count = _load_names(lookups, ids), count_dependents(frozen)
        names = nearest_dependents(frozen.dependents, from_start=len(ids) > 1)
        yield build_finding(
            context,
            "frozen-parents",
            Severity.BLOCK,
            Text(
                f"{starts.subject.en} would wait for {count.en.replace('node', 'frozen node')}: {names.en}.",
                f"{starts.describe.zh} 会一直等待 {count.zh}（已冻结）：{names.zh}。",
            ),
            Text(
                "Unfreeze these first or in the same operation, or remove the dependency.",
                "请先行（或在同一操作中）解冻这些节点，或解除依赖。",
            ),
            subjects=starts.subjects,
            frozen=len(frozen.dependents),
        )


def _missing_parents_finding(
    context: Context, lookups: Lookups, ids: tuple[int, ...], unseen: list[Unexplored]
) -> Iterator[Finding]:
    """Yield the inputs that no node outputs; the root of a workspace (`…_root`) is always there."""
    max_calls = context.options.max_calls
    producers, missing = _find_producers(lookups, ids[:max_calls])
    unseen.extend(missing)
    if ids[max_calls:]:
        unseen.append(Unexplored(StopReason.CALLS, tuple(map(str, ids[max_calls:]))))
    if orphaned := [name for name, nodes in producers.items() if not nodes]:
        starts, names = _load_names(lookups, ids), summarize_names(orphaned)
        verb = "depend" if len(ids) > 1 else "depends"
        yield build_finding(
            context,
            "missing-parents",
            Severity.BLOCK,
            Text(
                f"{starts.subject.en} {verb} on {names.en}, which no node outputs any more.",
                f"{starts.describe.zh} 依赖 {names.zh}，但已没有节点产出。",
            ),
            Text("Deploy the parent again, or remove the dependency.", "请重新发布上游节点，或解除依赖。"),
            subjects=(*starts.subjects, *named_subjects(SubjectKind.OUTPUT, *orphaned)),
        )


def _find_producers(
    lookups: Lookups, ids: Sequence[int]
) -> tuple[Mapping[str, Sequence[Node]], list[Unexplored]]:
    """Return the nodes that output each input of the nodes `ids`, and the nodes that do not exist."""
    inputs: dict[str, None] = {}
    missing: list[Unexplored] = []
    lookups.begin(_inputs, ids)
    for number in ids:
        try:
            declared = _inputs(lookups, number)
        except NotFound as error:
            missing.append(Unexplored(StopReason.MISSING, (str(number),), error.code))
            continue
        inputs |= dict.fromkeys(item.name for item in declared if item.name and not item.name.endswith(_ROOT))
    found = lookups.nodes_by_output(tuple(inputs), Environment.PROD) if inputs else {}
    return {name: found.get(name, ()) for name in inputs}, missing


def _inputs(lookups: Lookups, node: int) -> Sequence[NodeOutput]:
    return lookups.node_inputs(node, Environment.PROD)


def _load_names(lookups: Lookups, ids: tuple[int, ...]) -> StartNodes:
    """Return the nodes, and the names of those that a message shows."""
    shown = load_start_nodes(lookups, ids, Budget(calls=_MAX_SHOWN))
    return StartNodes(ids, shown.nodes, ())


def _unexplored_finding(context: Context, unseen: list[Unexplored]) -> Iterator[Finding]:
    yield from unexplored(context, list(dict.fromkeys(unseen)))
