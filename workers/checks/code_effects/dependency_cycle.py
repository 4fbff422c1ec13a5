"""Whether new inputs of a node create a dependency cycle."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from common.text.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind
from workers.checks.api import Context, LookupContext, Lookups
from workers.checks.code_effects.declared_io import DeclaredIo
from workers.checks.finding_builders import build_finding
from workers.checks.not_checked import not_checked
from workers.checks.subjects import named_subjects
from workers.dataworks.errors import NotFound, RequestRejected
from workers.dataworks.models import Node

MAX_LOOKUPS = 100
"""Maximum nodes whose parents are looked up."""

_HELP = Text(
    "Remove the input, or make it a cross-cycle dependency if it needs the data of the previous cycle.",
    "请移除该输入；如果需要的是上一周期的数据，请改为跨周期依赖。",
)


def find_cycle(context: LookupContext, names: DeclaredIo, node: int | None) -> Iterator[Finding]:
    """Yield a finding if the node depends on itself within a scheduling cycle, or if that is unknown.

    Production has no dependency cycle, so only inputs that are new there can create one, and only if other
    nodes depend on this node.
    """
    for name in sorted(set(names.inputs) & set(names.outputs)):
        message = Text(f"The node depends on its own output {name}.", f"该节点依赖自己的输出 {name}。")
        yield _finding(context, message, named_subjects(SubjectKind.OUTPUT, name))
    if node is None:
        return
    new = _new_inputs(context.lookups, names, node)
    if not new or not _has_children(context.lookups, node):
        return
    path, complete = _search_upstream(context.lookups, new, node)
    if path:
        names_on_path = [f"{item.name} ({item.id})" for item in path]
        message = Text(
            "The inputs create a dependency cycle: the node depends on "
            f"{', which depends on '.join(names_on_path)}, which depends on the node.",
            f"输入形成循环依赖：本节点依赖 {'，其依赖 '.join(names_on_path)}，其又依赖本节点。",
        )
        yield _finding(context, message)
    elif not complete:
        what = Text(
            "whether the inputs create a dependency cycle (not all upstream nodes could be looked up)",
            "输入是否形成循环依赖（未能查询全部上游节点）",
        )
        yield not_checked(context, what)


def _new_inputs(lookups: Lookups, names: DeclaredIo, node: int) -> list[Node]:
    """Return the producers of the inputs that the node does not have in production."""
    try:
        had = {item.name for item in lookups.node_inputs(node)}
    except NotFound:
        return []  # the node is not in production, so no other node depends on it
    found = {item.id: item for name in names.inputs if name not in had for item in names.producers_of(name)}
    found.pop(node, None)
    return list(found.values())


def _has_children(lookups: Lookups, node: int) -> bool:
    return any(child.id != node and not child.cross_cycle for child in lookups.node_children(node))


def _search_upstream(lookups: Lookups, starts: list[Node], node: int) -> tuple[tuple[Node, ...], bool]:
    """Return the path from a start up to a child of `node`, and whether the search was complete.

    The path is empty if none was found.
    """
    lookups.begin(_parents, [start.id for start in starts[:MAX_LOOKUPS]])
    seen, complete = {start.id for start in starts}, True
    left: deque[tuple[Node, ...]] = deque((start,) for start in starts)
    for _ in range(MAX_LOOKUPS):
        if not left:
            return (), complete
        path = left.popleft()
        parents = _parents(lookups, path[-1].id)
        complete = complete and parents is not None
        for parent in parents or ():
            if parent.id == node:
                return path, True
            if parent.id not in seen:
                seen.add(parent.id)
                left.append((*path, parent))
    return (), complete and not left


def _parents(lookups: Lookups, node: int) -> list[Node] | None:
    """Return the parents of a node within a scheduling cycle; None if DataWorks rejects the query."""
    try:
        return [parent for parent in lookups.node_parents(node) if not parent.cross_cycle]
    except RequestRejected:
        return None


def _finding(context: Context, message: Text, subjects: Iterable[Subject] = ()) -> Finding:
    return build_finding(context, "dependency-cycle", Severity.BLOCK, message, _HELP, subjects=subjects)
