"""The check `downstream-impact`."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Finding, Severity
from workers.checks import fields
from workers.checks.check import Context, Runs, Skip
from workers.checks.named import name_nodes
from workers.checks.registry import check
from workers.dataworks.values import Scheduler


@check("downstream-impact", points=("delete-file", "undeploy-node", "freeze-node"), runs=Runs.WAITING)
def downstream_impact(context: Context) -> Iterator[Finding]:
    """Ask whether live nodes depend on what is deleted, undeployed or frozen.

    Why: nodes that depend on a node that is gone or frozen never start, and their data stops. Nodes that are
    frozen themselves, and nodes of the same operation, do not count. It looks one hop down, in production.
    """
    assert context.lookups  # noqa: S101 - a WAITING check has lookups
    try:
        nodes = _nodes(context)
    except fields.Unreadable as error:
        yield fields.unreadable(error)
        return
    for node in nodes:
        children = context.lookups.node_children(node)
        live = [child for child in children if child.id not in nodes and child.scheduler != Scheduler.PAUSE]
        if live:
            count = "1 live node depends" if len(live) == 1 else f"{len(live)} live nodes depend"
            yield Finding(
                "downstream-nodes",
                Severity.BLOCK,
                f"{count} on node {node}: {name_nodes(live)}.",
                help="Remove the dependency, or change these nodes first or in the same operation.",
            )


def _nodes(context: Context) -> tuple[int, ...]:
    if context.event.event_code != "delete-file":
        return fields.nodes(context.event)
    node = fields.number(context.event.data, "nodeId")
    if node is None and context.snapshot.file:
        node = context.snapshot.file.node_id
    if not node:
        raise Skip("the file has no node")
    return (node,)
