"""The check `frozen-parents`."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Finding, Severity
from workers.checks import fields
from workers.checks.check import Context, Runs
from workers.checks.named import name_nodes
from workers.checks.registry import check
from workers.dataworks.values import Scheduler


@check("frozen-parents", points=("unfreeze-node",), runs=Runs.WAITING)
def frozen_parents(context: Context) -> Iterator[Finding]:
    """Ask whether a node that is unfrozen depends on frozen nodes.

    Why: it would wait for them for ever. Parents that the same operation unfreezes do not count. It looks one
    hop up, in production.
    """
    assert context.lookups  # noqa: S101 - a WAITING check has lookups
    try:
        nodes = fields.nodes(context.event)
    except fields.Unreadable as error:
        yield fields.unreadable(error)
        return
    for node in nodes:
        frozen = [
            parent
            for parent in context.lookups.node_parents(node)
            if parent.scheduler == Scheduler.PAUSE and parent.id not in nodes
        ]
        if frozen:
            yield Finding(
                "frozen-parents",
                Severity.BLOCK,
                f"Node {node} depends on frozen nodes: {name_nodes(frozen)}.",
                help="Unfreeze these first or in the same operation, or remove the dependency.",
            )
