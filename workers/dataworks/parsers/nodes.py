"""Parsers of responses about nodes and baselines; each takes a whole response."""

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
"""`StepType` of a cross-cycle dependency."""


def parse_node(response: Json) -> Node | None:
    """Parse GetNode; None if it holds no node."""
    data = object_field(response, "Data")
    return _node_from_row(data) if data else None


def parse_nodes(response: Json) -> tuple[Node, ...]:
    """Parse GetNodeChildren or GetNodeParents; duplicate nodes count once."""
    return tuple(
        dict.fromkeys(_node_from_row(item) for item in object_list(object_field(response, "Data"), "Nodes"))
    )


def parse_nodes_by_output(response: Json) -> dict[str, tuple[Node, ...]]:
    """Parse ListNodesByOutput: the nodes by the name of their output."""
    found: dict[str, tuple[Node, ...]] = {}
    for item in object_list(response, "Data"):
        name = text_field(item, "Output") or ""
        nodes = (*found.get(name, ()), *(_node_from_row(row) for row in object_list(item, "NodeList")))
        found[name] = tuple(dict.fromkeys(nodes))
    return found


def parse_code(response: Json) -> str:
    """Parse GetNodeCode; empty if the node has no code."""
    return text_field(response, "Data") or ""


def parse_outputs(response: Json) -> tuple[NodeOutput, ...]:
    """Parse ListNodeInputOrOutput; rows without a name are skipped."""
    rows = (
        NodeOutput(name, number_field(item, "NodeId"), text_field(item, "TableName") or None)
        for item in object_list(response, "Data")
        if (name := text_field(item, "Data"))
    )
    return tuple(dict.fromkeys(rows))


def parse_baseline(response: Json) -> Baseline | None:
    """Parse GetBaselineConfig; None if it holds no baseline."""
    data = object_field(response, "Data")
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
        # A missing flag does not mean disabled.
        enabled=optional_bool(data, "UseFlag") is not False,
        due=_committed_time(data),
    )


def _committed_time(baseline: Json) -> str | None:
    """Return the committed time of a daily baseline; an hourly one has one per cycle instead."""
    hour, minute = number_field(baseline, "SlaHour"), number_field(baseline, "SlaMinu")
    is_hourly = text_field(baseline, "BaselineType") == "HOURLY"
    return None if hour is None or is_hourly else f"{hour:02d}:{minute or 0:02d}"


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
