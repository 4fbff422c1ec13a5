"""Whether new inputs of a node close a dependency cycle."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from common.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind
from workers.checks.api import Context, LookupContext, Lookups
from workers.checks.code_effects.declared_io import DeclaredIo
from workers.checks.finding_builders import build_finding
from workers.checks.not_checked import not_checked
from workers.checks.subjects import named_subjects
from workers.dataworks.errors import RequestRejected
from workers.dataworks.models import Node

MAX_LOOKUPS = 100
"""Nodes whose parents are looked up."""

_HELP = Text(
    "Remove the input, or make it a cross-cycle dependency when yesterday's data is meant.",
    "请移除该输入；如果需要的是前一周期的数据，请改为跨周期依赖。",
)


def find_cycle(context: LookupContext, names: DeclaredIo, node: int | None) -> Iterator[Finding]:
    """Yield a finding when the node depends on itself within a cycle, or that could not be found out.

    What runs in production has no cycle, so only inputs that are new there can close one, and only when
    somebody depends on the node.
    """
    for name in sorted(set(names.inputs) & set(names.outputs)):
        said = Text(f"The node depends on its own output {name}.", f"该节点依赖自己的输出 {name}。")
        yield _finding(context, said, named_subjects(SubjectKind.OUTPUT, name))
    if node is None:
        return
    new = _new_inputs(context.lookups, names, node)
    if not new or not _has_children(context.lookups, node):
        return
    way, complete = _search_upstream(context.lookups, new, node)
    if way:
        path = [f"{item.name} ({item.id})" for item in way]
        said = Text(
            "The inputs close a dependency cycle: the node waits for "
            f"{', which waits for '.join(path)}, which waits for it.",
            f"输入形成循环依赖：本节点依赖 {'，其依赖 '.join(path)}，其又依赖本节点。",
        )
        yield _finding(context, said)
    elif not complete:
        what = Text(
            "whether the inputs close a dependency cycle, because not all nodes upstream could be read",
            "输入是否形成循环依赖：未能查看全部上游节点",
        )
        yield not_checked(context, what)


def _new_inputs(lookups: Lookups, names: DeclaredIo, node: int) -> list[Node]:
    """Return the nodes behind inputs that the node does not have in production."""
    try:
        had = {item.name for item in lookups.node_inputs(node)}
    except RequestRejected:
        return []  # it does not run yet, so nobody depends on it
    found = {item.id: item for name in names.inputs if name not in had for item in names.producers_of(name)}
    found.pop(node, None)
    return list(found.values())


def _has_children(lookups: Lookups, node: int) -> bool:
    return any(child.id != node and not child.cross_cycle for child in lookups.node_children(node))


def _search_upstream(lookups: Lookups, starts: list[Node], node: int) -> tuple[tuple[Node, ...], bool]:
    """Return the way from a start up to a child of `node`, empty when none is found, and if it is sure."""
    seen, sure = {start.id for start in starts}, True
    left: deque[tuple[Node, ...]] = deque((start,) for start in starts)
    for _ in range(MAX_LOOKUPS):
        if not left:
            return (), sure
        way = left.popleft()
        parents = _parents(lookups, way[-1].id)
        sure = sure and parents is not None
        for parent in parents or ():
            if parent.id == node:
                return way, True
            if parent.id not in seen:
                seen.add(parent.id)
                left.append((*way, parent))
    return (), sure and not left


def _parents(lookups: Lookups, node: int) -> list[Node] | None:
    """Return the parents that a node waits for within a cycle; None when DataWorks does not tell."""
    try:
        return [parent for parent in lookups.node_parents(node) if not parent.cross_cycle]
    except RequestRejected:
        return None


def _finding(context: Context, message: Text, subjects: Iterable[Subject] = ()) -> Finding:
    return build_finding(context, "dependency-cycle", Severity.BLOCK, message, _HELP, subjects=subjects)
