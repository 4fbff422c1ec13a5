"""The check `declared-inputs`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set

from pydantic import Field

from common.snapshot import FileSnapshot
from common.text.i18n import Text
from common.verdicts import Finding, Severity, SubjectKind, table_subject
from review.dialects import Dialect
from review.facts import is_same_table
from workers.checks.api import Context, LookupContext, Lookups, Options, Runs, SkipCheck
from workers.checks.code_effects.declared_io import DeclaredIo, read_declared
from workers.checks.code_effects.model import TableRead
from workers.checks.code_effects.node_file import MAXCOMPUTE, code_file, node_of, project_of
from workers.checks.code_effects.reader import read_effects
from workers.checks.code_effects.table_names import (
    is_dynamic,
    name_pattern,
    production_name,
    table_guid,
    unqualified,
)
from workers.checks.finding_builders import build_finding
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import language_unknown, not_checked, require_parsed, unparsed
from workers.checks.registry import check
from workers.checks.subjects import named_subjects
from workers.dataworks.errors import NotFound
from workers.dataworks.models import Node, ProducingTask, Scheduler

_GENERATED = "_out"
"""Suffix of the output that every node gets from its id (`project.700123_out`): it names no table."""

_REMEDY = Text(
    "Parse the inputs of the node again, or declare the table as an input.",
    "请重新解析节点的输入，或将该表声明为输入。",
)


class DeclaredInputsOptions(Options):
    """Options of `declared-inputs`."""

    project: str | None = Field(
        default=None,
        description="MaxCompute project of tables named without one; default: that of the outputs",
    )
    max_lookups: int = Field(
        default=10, ge=1, le=100, strict=True, description="undeclared tables whose writers are looked up"
    )


@check(
    "declared-inputs",
    points=("commit-file", "deploy-file"),
    runs=Runs.CPU,
    options=DeclaredInputsOptions,
    needs_snapshot=True,
    uses_lookups=True,
)
def declared_inputs(context: LookupContext) -> Iterator[Finding]:
    """Check whether the node depends on the writers of the tables that its code reads.

    Why: a node that reads a table without depending on its writer may run first, and process yesterday's
    data as today's. Tables that no task writes need no input; nor do tables whose writer is a dependency of
    one of the node's parents.

    Options:
        project: MaxCompute project of tables named without one; default: that of the node's declared outputs.
        max_lookups: undeclared tables whose writers are looked up; the rest is reported as not checked.
    """
    file, script = code_file(context)
    _require_scheduled(file)
    if script.dialect is Dialect.UNKNOWN:
        yield language_unknown(context, Severity.INFO)  # the review already warns
        return
    if script.dialect not in MAXCOMPUTE:
        raise SkipCheck(f"inputs are compared with MaxCompute tables, not with those of {script.dialect}")
    effects = read_effects(context, script.code, script.dialect, context.options.project or project_of(file))
    hidden = (*effects.unparsed, *effects.dynamic_reads)
    # The review already warns about this code.
    yield from unparsed(context, hidden, Severity.INFO)
    own = [unqualified(name) for name in file.outputs]
    reads = [read for read in effects.reads if not _is_among(read.table, own)]
    inputs = [production_name(unqualified(name)) for name in file.inputs]
    undeclared = [read for read in reads if not _is_among(read.table, inputs)]
    known = [read for read in undeclared if not is_dynamic(read.table)]
    if known:
        yield from _undeclared_inputs(context, file, known)
    if not undeclared and not hidden:
        yield from _unused_inputs(context, inputs, reads)
    require_parsed(context, effects.gaps)


def _require_scheduled(file: FileSnapshot) -> None:
    if file.scheduler == Scheduler.MANUAL:
        raise SkipCheck("the node is not scheduled")
    if file.rerun_mode is None and not file.inputs and not file.outputs:
        raise SkipCheck("the node's inputs and outputs are unknown")


def _is_among(table: str, names: Sequence[str]) -> bool:
    """Whether one of the output names denotes `table`, or a table that its dynamic name can become."""
    if is_dynamic(table):
        form = name_pattern(table)
        return any(form.fullmatch(name) for name in names)
    return any(is_same_table(name, table) for name in names)


def _undeclared_inputs(
    context: LookupContext, file: FileSnapshot, reads: list[TableRead]
) -> Iterator[Finding]:
    max_lookups = context.options.max_lookups
    tables = [name for read in reads[:max_lookups] if (name := table_guid(read.table))]
    context.lookups.begin(_writers_children, tables)
    parents = _parents(read_declared(context, file))
    node = node_of(file, context)
    for read in reads[:max_lookups]:
        name = table_guid(read.table)
        if name is None:
            what = Text(
                f"whether {read.table} needs an input: its project is unknown",
                f"{read.table} 是否需要声明为输入：所属项目未知",
            )
            yield not_checked(context, what, line=read.line, subjects=[table_subject(read.table)])
            continue
        writers = _writers(context.lookups, name)
        own = {task.id for task in writers} & {*parents, str(node)}
        if writers and not own and not _has_writer_upstream(context, writers, parents):
            yield _undeclared_finding(context, read, writers)
    if len(reads) > max_lookups:
        left = len(reads) - max_lookups
        what = Text(f"{left} more undeclared tables", f"另外 {left} 张未声明的表")
        yield not_checked(context, what, subjects=[table_subject(read.table) for read in reads[max_lookups:]])


def _parents(names: DeclaredIo) -> set[str]:
    return {str(node.id) for name in names.inputs for node in names.producers_of(name)}


def _has_writer_upstream(context: LookupContext, writers: Iterable[ProducingTask], parents: Set[str]) -> bool:
    """Whether a parent depends on a writer, so that the node waits for it too."""
    return any(
        str(child.id) in parents and not child.cross_cycle
        for writer in writers
        if writer.node_id is not None
        for child in _children(context.lookups, writer.node_id)
    )


def _writers_children(lookups: Lookups, table: str) -> None:
    """Look up the writers of a table, and the nodes that depend on them."""
    lookups.begin(_children, [task.node_id for task in _writers(lookups, table) if task.node_id is not None])


def _children(lookups: Lookups, node: int) -> tuple[Node, ...]:
    try:
        return lookups.node_children(node)
    except NotFound:
        return ()


def _writers(lookups: Lookups, name: str) -> tuple[ProducingTask, ...]:
    """Return the tasks that write a table; none for a table that does not exist."""
    try:
        return lookups.producing_tasks(name)
    except NotFound:
        return ()


def _undeclared_finding(context: Context, read: TableRead, writers: Sequence[ProducingTask]) -> Finding:
    named = summarize_names([f"{task.name} ({task.id})" for task in writers])
    message = Text(
        f"The code reads {read.table}, which {named.en} writes, but the node does not depend on it.",
        f"代码读取了由 {named.zh} 产出的 {read.table}，但节点没有依赖它。",
    )
    return build_finding(
        context,
        "input-undeclared",
        Severity.WARN,
        message,
        _REMEDY,
        line=read.line,
        subjects=[table_subject(read.table)],
        writers=len(writers),
    )


def _unused_inputs(context: Context, inputs: Sequence[str], reads: Sequence[TableRead]) -> Iterator[Finding]:
    """Yield the inputs that are named like a table which the code does not read."""
    tables = [read.table for read in reads]
    for name in dict.fromkeys(inputs):
        if (
            "." not in name
            or name.endswith((_GENERATED, "_root"))
            or any(_is_among(table, [name]) for table in tables)
        ):
            continue
        message = Text(
            f"The node depends on {name}, but its code does not read it.",
            f"节点依赖 {name}，但代码没有读取它。",
        )
        remedy = Text(
            "Remove the input, unless the node must wait for it anyway.",
            "如果不需要等待它，请移除该输入。",
        )
        yield build_finding(
            context,
            "input-unread",
            Severity.INFO,
            message,
            remedy,
            subjects=named_subjects(SubjectKind.OUTPUT, name),
        )
