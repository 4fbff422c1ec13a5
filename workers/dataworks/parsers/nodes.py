"""From the JSON of lookups about nodes and baselines to our values; each reads a whole answer."""

from __future__ import annotations

from workers.dataworks.json_fields import (
    Json,
    MalformedResponse,
    number,
    object_field,
    object_list,
    optional_bool,
    text,
)
from workers.dataworks.models import Baseline, Node, NodeOutput

CROSS_CYCLE = "3"
"""The `StepType` of an edge between two cycles."""


def node(answer: Json) -> Node | None:
    """Read GetNode; None when it tells of none."""
    data = object_field(answer, "Data")
    return _node(data) if data else None


def nodes(answer: Json) -> tuple[Node, ...]:
    """Read GetNodeChildren or GetNodeParents; a node that is told twice counts once."""
    return tuple(dict.fromkeys(_node(item) for item in object_list(object_field(answer, "Data"), "Nodes")))


def nodes_by_output(answer: Json) -> dict[str, tuple[Node, ...]]:
    """Read ListNodesByOutput: the nodes by the name that they put out."""
    found: dict[str, tuple[Node, ...]] = {}
    for item in object_list(answer, "Data"):
        name = text(item, "Output") or ""
        told = (*found.get(name, ()), *(_node(row) for row in object_list(item, "NodeList")))
        found[name] = tuple(dict.fromkeys(told))
    return found


def code(answer: Json) -> str:
    """Read GetNodeCode; empty when the node has none."""
    return text(answer, "Data") or ""


def outputs(answer: Json) -> tuple[NodeOutput, ...]:
    """Read ListNodeInputOrOutput: names that are put out; rows without a name are left out."""
    rows = (
        NodeOutput(name, number(item, "NodeId"), text(item, "TableName") or None)
        for item in object_list(answer, "Data")
        if (name := text(item, "Data"))
    )
    return tuple(dict.fromkeys(rows))


def baseline(answer: Json) -> Baseline | None:
    """Read GetBaselineConfig; None when it tells of none."""
    data = object_field(answer, "Data")
    if not data:
        return None
    baseline_id = number(data, "BaselineId")
    if baseline_id is None:
        raise MalformedResponse("BaselineId is missing")
    return Baseline(
        id=baseline_id,
        name=text(data, "BaselineName") or "",
        priority=number(data, "Priority"),
        owner=text(data, "Owner"),
        # Not told is not off.
        enabled=optional_bool(data, "UseFlag") is not False,
    )


def _node(raw: Json) -> Node:
    node_id = number(raw, "NodeId")
    if node_id is None:
        raise MalformedResponse("NodeId is missing")
    on_baseline = number(raw, "BaselineId")
    return Node(
        id=node_id,
        name=text(raw, "NodeName") or "",
        owner=text(raw, "OwnerId"),
        project_id=number(raw, "ProjectId"),
        program_type=text(raw, "ProgramType"),
        scheduler=text(raw, "SchedulerType"),
        baseline_id=on_baseline if on_baseline and on_baseline > 0 else None,
        priority=number(raw, "Priority"),
        cross_cycle=text(raw, "StepType") == CROSS_CYCLE,
        cron=text(raw, "CronExpress") or None,
        rerunnable=optional_bool(raw, "Repeatability"),
    )
