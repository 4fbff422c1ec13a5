"""The check `schedule-consistency`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from common.snapshot import FileSnapshot
from common.text.i18n import Text
from common.verdicts import Finding, Severity, SubjectKind
from workers.checks.api import Context, LookupContext, Lookups, Runs, SkipCheck
from workers.checks.code_effects.declared_io import DeclaredIo, read_declared
from workers.checks.code_effects.dependency_cycle import find_cycle
from workers.checks.code_effects.node_file import committed_file, node_of
from workers.checks.cron import DailyRuns, format_time, parse_cron
from workers.checks.finding_builders import build_finding, cap_findings
from workers.checks.name_lists import summarize_names, summarize_nodes
from workers.checks.registry import check
from workers.checks.subjects import named_subjects
from workers.dataworks.errors import RequestRejected
from workers.dataworks.models import Environment, Node, Scheduler

SLACK_MINUTES = 30
"""Minutes by which a parent may be later: DataWorks itself spreads daily nodes over the first half hour."""


@check("schedule-consistency", points=("commit-file", "deploy-file"), runs=Runs.IO, needs_snapshot=True)
def schedule_consistency(context: LookupContext) -> Iterator[Finding]:
    """Check whether the node's outputs are its own, and its inputs will exist when it runs.

    Why: an output of two nodes, a dependency cycle, or a parent that is missing, frozen or scheduled later
    shows only in the next night, when the node and everything after it wait.
    """
    file = committed_file(context)
    if file.scheduler == Scheduler.MANUAL:
        raise SkipCheck("the node is not scheduled")
    if not file.inputs and not file.outputs:
        raise SkipCheck("the node declares neither inputs nor outputs")
    node = node_of(file, context)
    if node is not None:
        context.lookups.begin(lambda ask, number: ask.node_inputs(number), [node])
    names = read_declared(context, file)
    yield from cap_findings(context, _taken_outputs(context, names, node))
    yield from find_cycle(context, names, node)
    if file.scheduler == Scheduler.PAUSE:
        return  # a frozen node does not wait
    yield from cap_findings(context, _missing_inputs(context, names))
    parents = {item.id: item for name in names.inputs for item in names.producers_of(name) if item.id != node}
    yield from _frozen_parents(context, list(parents.values()))
    yield from _late_parents(context, file, list(parents.values()))


def _taken_outputs(context: Context, names: DeclaredIo, node: int | None) -> Iterator[Finding]:
    for name in names.outputs:
        others = [item for item in names.producers_of(name) if item.id != node]
        if others:
            nodes = summarize_nodes(others)
            message = Text(
                f"Another node already has the output {name}: {nodes.en}.",
                f"输出 {name} 已由其他节点产出：{nodes.zh}。",
            )
            remedy = Text(
                "Give this node an output of its own, or remove the output from the other node first.",
                "请为本节点使用不同的输出名，或先从另一节点移除该输出。",
            )
            yield build_finding(
                context,
                "output-taken",
                Severity.BLOCK,
                message,
                remedy,
                subjects=named_subjects(SubjectKind.OUTPUT, name),
            )


def _missing_inputs(context: LookupContext, names: DeclaredIo) -> Iterator[Finding]:
    """Yield the inputs that no node outputs; at a commit the parent may exist in development only."""
    missing = [name for name in names.inputs if not names.producers_of(name) and name not in names.outputs]
    if not missing:
        return
    in_development = _in_development(context.lookups, missing)
    for name in missing:
        committed = bool(in_development.get(name))
        if committed and context.event.event_code == "commit-file":
            continue
        message = (
            Text(
                f"The input {name} is an output of a node in development only, not in production.",
                f"输入 {name} 只在开发环境中有节点产出，生产环境中没有。",
            )
            if committed
            else Text(f"The input {name} is not an output of any node.", f"没有节点产出输入 {name}。")
        )
        remedy = Text(
            "Deploy the node with this output first or together with this one, or remove the input.",
            "请先发布或一并发布产出它的节点，或移除该输入。",
        )
        severity = Severity.WARN if committed else Severity.BLOCK
        subjects = named_subjects(SubjectKind.OUTPUT, name)
        yield build_finding(context, "input-missing", severity, message, remedy, subjects=subjects)


def _in_development(lookups: Lookups, names: list[str]) -> Mapping[str, tuple[Node, ...]]:
    try:
        return lookups.nodes_by_output(names, Environment.DEV)
    except RequestRejected:
        return {}  # a basic workspace has no development; the answer only lowers the severity


def _frozen_parents(context: Context, parents: list[Node]) -> Iterator[Finding]:
    frozen = [parent for parent in parents if parent.scheduler == Scheduler.PAUSE]
    if frozen:
        nodes = summarize_nodes(frozen)
        message = Text(
            f"The node depends on frozen nodes, and would wait forever: {nodes.en}.",
            f"该节点依赖已冻结的节点，将一直等待：{nodes.zh}。",
        )
        remedy = Text("Unfreeze them, or remove the inputs.", "请先解冻这些节点，或移除对它们的依赖。")
        deployed = context.event.event_code == "deploy-file"
        yield build_finding(
            context, "parent-frozen", Severity.BLOCK if deployed else Severity.WARN, message, remedy
        )


def _late_parents(context: LookupContext, file: FileSnapshot, parents: list[Node]) -> Iterator[Finding]:
    own_runs = parse_cron(file.cron)
    if own_runs is None:
        return
    late = [
        f"{parent.name} ({parent.id}, {format_time(parent_runs.last)})"
        for parent in parents
        if (parent_runs := parse_cron(parent.cron))
        and _waits_for_later_run(context, own_runs, parent_runs, parent)
    ]
    if late:
        start = format_time(own_runs.first)
        names = summarize_names(late)
        message = Text(
            f"The node is scheduled at {start}, before parents that it waits for: {names.en}.",
            f"该节点定时为 {start}，早于它所等待的上游：{names.zh}。",
        )
        remedy = Text(
            "Schedule it after them, so that its time and its alerts match when it really runs.",
            "请将定时设在上游之后，使定时与报警符合实际。",
        )
        yield build_finding(context, "parent-scheduled-later", Severity.WARN, message, remedy)


def _waits_for_later_run(
    context: LookupContext, own_runs: DailyRuns, parent_runs: DailyRuns, parent: Node
) -> bool:
    """Whether the first run of a day waits for a parent's run that is scheduled later.

    A daily node waits for every run of an hourly parent. If that parent depends on its own previous run, the
    node waits only for the latest run before its own time. Two nodes that both run several times a day are
    matched run by run. An hourly node below a daily one is common: its first runs wait, so it counts only if
    all of its runs would.
    """
    if parent_runs.last <= own_runs.first + SLACK_MINUTES:
        return False
    if len(parent_runs.times) == 1:
        return parent_runs.last > own_runs.last + SLACK_MINUTES
    if len(own_runs.times) > 1:
        return False
    return all(other.id != parent.id for other in context.lookups.node_parents(parent.id))
