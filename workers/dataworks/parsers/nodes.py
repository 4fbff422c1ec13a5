"""From the JSON of lookups about nodes and baselines to our values; each reads a whole answer."""

from __future__ import annotations

from common.json_types import Json
from workers.dataworks.json_fields import (
    MalformedResponse,
    number_field,
    object_field,
    object_list,
    optional_bool,
    text_field,
)
from workers.dataworks.models import Baseline, Node, NodeOutput

CROSS_CYCLE = "3"
"""The `StepType` of an edge between two cycles."""


def parse_node(answer: Json) -> Node | None:
    """Read GetNode; None when it tells of none."""
    data = object_field(answer, "Data")
    return _node_from_row(data) if data else None


def parse_nodes(answer: Json) -> tuple[Node, ...]:
    """Read GetNodeChildren or GetNodeParents; a node that is told twice counts once."""
    return tuple(
        dict.fromkeys(_node_from_row(item) for item in object_list(object_field(answer, "Data"), "Nodes"))
    )


def parse_nodes_by_output(answer: Json) -> dict[str, tuple[Node, ...]]:
    """Read ListNodesByOutput: the nodes by the name that they put out."""
    found: dict[str, tuple[Node, ...]] = {}
    for item in object_list(answer, "Data"):
        name = text_field(item, "Output") or ""
        told = (*found.get(name, ()), *(_node_from_row(row) for row in object_list(item, "NodeList")))
        found[name] = tuple(dict.fromkeys(told))
    return found


def parse_code(answer: Json) -> str:
    """Read GetNodeCode; empty when the node has none."""
    return text_field(answer, "Data") or ""


def parse_outputs(answer: Json) -> tuple[NodeOutput, ...]:
    """Read ListNodeInputOrOutput: names that are put out; rows without a name are left out."""
    rows = (
        NodeOutput(name, number_field(item, "NodeId"), text_field(item, "TableName") or None)
        for item in object_list(answer, "Data")
        if (name := text_field(item, "Data"))
    )
    return tuple(dict.fromkeys(rows))


def parse_baseline(answer: Json) -> Baseline | None:
    """Read GetBaselineConfig; None when it tells of none."""
    data = object_field(answer, "Data")
    if not data:
        return None
    baseline_id = number_field(data, "BaselineId")
    if baseline_id is None:
        raise MalformedResponse("BaselineId is missing")
    return Baseline(
        id=baseline_id,
        name=text_field(data, "BaselineName") or "",
        priority=number_field(data, "Priority"),
        owner=text_field(data, "Owner"),
        # Not told is not off.
        enabled=optional_bool(data, "UseFlag") is not False,
    )


def _node_from_row(raw: Json) -> Node:
    node_id = number_field(raw, "NodeId")
    if node_id is None:
        raise MalformedResponse("NodeId is missing")
    on_baseline = number_field(raw, "BaselineId")
    return Node(
        id=node_id,
        name=text_field(raw, "NodeName") or "",
        owner=text_field(raw, "OwnerId"),
        project_id=number_field(raw, "ProjectId"),
        program_type=text_field(raw, "ProgramType"),
        scheduler=text_field(raw, "SchedulerType"),
        baseline_id=on_baseline if on_baseline and on_baseline > 0 else None,
        priority=number_field(raw, "Priority"),
        cross_cycle=text_field(raw, "StepType") == CROSS_CYCLE,
        cron=text_field(raw, "CronExpress") or None,
        rerunnable=optional_bool(raw, "Repeatability"),
    )
