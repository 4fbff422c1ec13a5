"""The check `schedule-consistency`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from common.i18n import Text
from common.snapshot import FileSnapshot
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
"""Minutes that a parent may be later: DataWorks itself spreads daily nodes over the first half hour."""


@check("schedule-consistency", points=("commit-file", "deploy-file"), runs=Runs.IO, needs_snapshot=True)
def schedule_consistency(context: LookupContext) -> Iterator[Finding]:
    """Ask whether the node's outputs are its own, and its inputs will be there when it runs.

    Why: an output that two nodes put out, a dependency cycle, a parent that is gone, frozen or scheduled
    for later shows only in the next night, when the node waits and everything after it does.
    """
    file = committed_file(context)
    if file.scheduler == Scheduler.MANUAL:
        raise SkipCheck("the node does not run by schedule")
    if not file.inputs and not file.outputs:
        raise SkipCheck("the node declares neither inputs nor outputs")
    names, node = read_declared(context, file), node_of(file, context)
    yield from cap_findings(context, _taken_outputs(context, names, node))
    yield from find_cycle(context, names, node)
    if file.scheduler == Scheduler.PAUSE:
        return  # it is frozen itself: it waits for nobody
    yield from cap_findings(context, _missing(context, names))
    parents = {item.id: item for name in names.inputs for item in names.producers_of(name) if item.id != node}
    yield from _frozen(context, list(parents.values()))
    yield from _late_parents(context, file, list(parents.values()))


def _taken_outputs(context: Context, names: DeclaredIo, node: int | None) -> Iterator[Finding]:
    for name in names.outputs:
        others = [item for item in names.producers_of(name) if item.id != node]
        if others:
            nodes = summarize_nodes(others)
            said = Text(
                f"The output {name} is put out by another node already: {nodes.en}.",
                f"输出 {name} 已由其他节点产出：{nodes.zh}。",
            )
            help_ = Text(
                "Give this node an output of its own, or take the output away from the other node first.",
                "请为本节点使用不同的输出名，或先从另一节点移除该输出。",
            )
            yield build_finding(
                context,
                "output-taken",
                Severity.BLOCK,
                said,
                help_,
                subjects=named_subjects(SubjectKind.OUTPUT, name),
            )


def _missing(context: LookupContext, names: DeclaredIo) -> Iterator[Finding]:
    """Yield the inputs that nobody puts out; at a commit the parent may still be in development."""
    missing = [name for name in names.inputs if not names.producers_of(name) and name not in names.outputs]
    if not missing:
        return
    there = _in_development(context.lookups, missing)
    for name in missing:
        committed = bool(there.get(name))
        if committed and context.event.event_code == "commit-file":
            continue
        said = (
            Text(
                f"The input {name} is put out in development only, not in production.",
                f"输入 {name} 只在开发环境中有节点产出，生产环境中没有。",
            )
            if committed
            else Text(f"No node puts out the input {name}.", f"没有节点产出输入 {name}。")
        )
        help_ = Text(
            "Deploy the node that puts it out first or together with this one, or remove the input.",
            "请先发布或一并发布产出它的节点，或移除该输入。",
        )
        severity = Severity.WARN if committed else Severity.BLOCK
        subjects = named_subjects(SubjectKind.OUTPUT, name)
        yield build_finding(context, "input-missing", severity, said, help_, subjects=subjects)


def _in_development(lookups: Lookups, names: list[str]) -> Mapping[str, tuple[Node, ...]]:
    try:
        return lookups.nodes_by_output(names, Environment.DEV)
    except RequestRejected:
        return {}  # a basic workspace has no development


def _frozen(context: Context, parents: list[Node]) -> Iterator[Finding]:
    frozen = [parent for parent in parents if parent.scheduler == Scheduler.PAUSE]
    if frozen:
        nodes = summarize_nodes(frozen)
        said = Text(
            f"The node depends on frozen nodes, and would wait for ever: {nodes.en}.",
            f"该节点依赖已冻结的节点，将一直等待：{nodes.zh}。",
        )
        help_ = Text("Have them unfrozen, or remove the inputs.", "请先解冻这些节点，或移除对它们的依赖。")
        deployed = context.event.event_code == "deploy-file"
        yield build_finding(
            context, "parent-frozen", Severity.BLOCK if deployed else Severity.WARN, said, help_
        )


def _late_parents(context: LookupContext, file: FileSnapshot, parents: list[Node]) -> Iterator[Finding]:
    mine = parse_cron(file.cron)
    if mine is None:
        return
    late = [
        f"{parent.name} ({parent.id}, {format_time(theirs.last)})"
        for parent in parents
        if (theirs := parse_cron(parent.cron)) and _wait_finding(context, mine, theirs, parent)
    ]
    if late:
        start = format_time(mine.first)
        names = summarize_names(late)
        said = Text(
            f"The node is scheduled at {start}, before parents it waits for: {names.en}.",
            f"该节点定时为 {start}，早于它所等待的上游：{names.zh}。",
        )
        help_ = Text(
            "Schedule it after them, so that its time and its alarms tell the truth.",
            "请将定时设在上游之后，使定时与报警符合实际。",
        )
        yield build_finding(context, "parent-scheduled-later", Severity.WARN, said, help_)


def _wait_finding(context: LookupContext, mine: DailyRuns, theirs: DailyRuns, parent: Node) -> bool:
    """Whether the first run of a day waits for a parent's run that is scheduled later.

    A daily node waits for every run of an hourly parent, unless that one depends on its own last run: then
    for the latest run before its own time. Two nodes that both run several times are matched run by run. An
    hourly node below a daily one is as it should be: its first runs wait, unless all of them would.
    """
    if theirs.last <= mine.first + SLACK_MINUTES:
        return False
    if len(theirs.times) == 1:
        return theirs.last > mine.last + SLACK_MINUTES
    if len(mine.times) > 1:
        return False
    return all(other.id != parent.id for other in context.lookups.node_parents(parent.id))
