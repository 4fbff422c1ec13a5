"""Operations on scheduled nodes. DEV and PROD return the same nodes."""

from __future__ import annotations

from collections.abc import Mapping

from common.json_types import Json
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import BusinessError, enveloped
from emulator.dataworks.state import EmulatedOperation, ParameterLocation, State
from emulator.dataworks.world import Node

ENVIRONMENTS = ("DEV", "PROD")
RELATIVE_FIELDS = (
    "BaselineId",
    "CronExpress",
    "NodeId",
    "NodeName",
    "OwnerId",
    "Priority",
    "ProgramType",
    "ProjectId",
    "Repeatability",
    "SchedulerType",
)
"""Fields of a node that `GetNodeChildren` and `GetNodeParents` return, besides the step type."""


def _node(state: State, parameters: Parameters) -> Node:
    _check_environment(parameters)
    node = state.world.nodes.get(parameters.integer("NodeId"))
    if node is None:
        raise BusinessError("Invalid.Node.NotExists", "There is no such node.")
    return node


def _check_environment(parameters: Parameters) -> None:
    parameters.choice("ProjectEnv", *ENVIRONMENTS)


def _relatives(state: State, steps: Mapping[int, str]) -> Json:
    # A parent may be outside this world (in another workspace); only known nodes are returned.
    rows = [
        {
            **{name: state.world.nodes[node_id].fields.get(name) for name in RELATIVE_FIELDS},
            "StepType": step,
        }
        for node_id, step in steps.items()
        if node_id in state.world.nodes
    ]
    return enveloped({"Nodes": rows})


def _get_children(state: State, parameters: Parameters) -> Json:
    _check_environment(parameters)
    return _relatives(state, state.world.children(parameters.integer("NodeId")))


def _get_parents(state: State, parameters: Parameters) -> Json:
    _check_environment(parameters)
    node = state.world.nodes.get(parameters.integer("NodeId"))
    return _relatives(state, node.parents if node else {})


def _get_node(state: State, parameters: Parameters) -> Json:
    fields = _node(state, parameters).fields
    return enveloped({**fields, "Repeatability": str(fields["Repeatability"]).lower()})


def _get_code(state: State, parameters: Parameters) -> Json:
    return enveloped(_node(state, parameters).code)


def _list_nodes(state: State, parameters: Parameters) -> Json:
    _check_environment(parameters)
    project_id, page = parameters.integer("ProjectId"), parameters.page()
    rows = [
        node.fields
        for node in state.world.nodes.values()
        if node.fields["ProjectId"] == project_id and _matches(node.fields, parameters)
    ]
    return enveloped(
        {
            "Nodes": list(page.rows_of_page(rows)),
            "PageNumber": page.number,
            "PageSize": page.size,
            "TotalCount": page.total(rows),
        }
    )


def _matches(fields: Json, parameters: Parameters) -> bool:
    filters = {"Owner": "OwnerId", "ProgramType": "ProgramType", "SchedulerType": "SchedulerType"}
    part = parameters.optional("NodeName")
    return (part is None or part in fields["NodeName"]) and all(
        parameters.optional(name) in {None, fields.get(field)} for name, field in filters.items()
    )


def _list_by_output(state: State, parameters: Parameters) -> Json:
    _check_environment(parameters)
    outputs = parameters.text("Outputs").split(",")
    return enveloped([{"Output": output, "NodeList": _putting_out(state, output)} for output in outputs])


def _putting_out(state: State, output: str) -> list[Json]:
    nodes = state.world.nodes_with_output(output)
    return [{**node.fields, "FileType": str(node.fields["FileType"])} for node in nodes]


def _list_input_or_output(state: State, parameters: Parameters) -> Json:
    node = _node(state, parameters)
    side = parameters.choice("IoType", "input", "output")
    parents = [state.world.nodes[parent] for parent in node.parents if parent in state.world.nodes]
    rows = node.outputs if side == "output" else [row for parent in parents for row in parent.outputs]
    return enveloped([{"TableName": None, **row, "NodeId": node.fields["NodeId"]} for row in rows])


_ONE = ("NodeId", "ProjectEnv")
OPERATIONS = (
    EmulatedOperation("GetNodeChildren", ParameterLocation.BODY, _ONE, _get_children),
    EmulatedOperation("GetNodeParents", ParameterLocation.BODY, _ONE, _get_parents),
    EmulatedOperation("GetNode", ParameterLocation.BODY, _ONE, _get_node),
    EmulatedOperation("GetNodeCode", ParameterLocation.BODY, _ONE, _get_code),
    EmulatedOperation("ListNodes", ParameterLocation.BODY, ("ProjectId", "ProjectEnv"), _list_nodes),
    EmulatedOperation(
        "ListNodesByOutput", ParameterLocation.BODY, ("Outputs", "ProjectEnv"), _list_by_output
    ),
    EmulatedOperation(
        "ListNodeInputOrOutput", ParameterLocation.BODY, (*_ONE, "IoType"), _list_input_or_output
    ),
)
