"""Operations on baselines."""

from __future__ import annotations

from common.json_types import Json
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import BusinessError, enveloped
from emulator.dataworks.state import EmulatedOperation, ParameterLocation, State

_ROW = (
    "AlertEnabled",
    "AlertMarginThreshold",
    "BaselineId",
    "BaselineName",
    "BaselineType",
    "Enabled",
    "OverTimeSettings",
    "Owner",
    "Priority",
    "ProjectId",
)
"""Fields of a baseline that `ListBaselines` returns."""


def _baseline(state: State, parameters: Parameters) -> Json:
    baseline = state.world.baselines.get(parameters.integer("BaselineId"))
    if baseline is None:
        raise BusinessError("Invalid.Baseline.NotExists", "There is no such baseline.")
    return baseline


def _get_baseline(state: State, parameters: Parameters) -> Json:
    baseline, project_id = _baseline(state, parameters), parameters.integer("ProjectId")
    if baseline["ProjectId"] != project_id:
        raise BusinessError("Invalid.Baseline.NotExists", "There is no such baseline in the workspace.")
    nodes = [node["NodeId"] for node in _nodes(state, baseline["BaselineId"])]
    return enveloped({**baseline, "NodeIds": nodes})


def _get_config(state: State, parameters: Parameters) -> Json:
    baseline = _baseline(state, parameters)
    hour, minute = baseline["OverTimeSettings"][0]["Time"].split(":")
    same = ("BaselineId", "BaselineName", "BaselineType", "Owner", "Priority", "ProjectId")
    return enveloped(
        {
            **{name: baseline.get(name) for name in same},
            "IsDefault": False,
            "SlaHour": int(hour),
            "SlaMinu": int(minute),
            "UseFlag": baseline["Enabled"],
        }
    )


def _get_nodes(state: State, parameters: Parameters) -> Json:
    rows = [
        {
            "NodeId": node["NodeId"],
            "NodeName": node["NodeName"],
            "Owner": node.get("OwnerId"),
            "ProjectId": node["ProjectId"],
        }
        for node in _nodes(state, _baseline(state, parameters)["BaselineId"])
    ]
    # Only here, Success is a string.
    return {**enveloped(rows), "Success": "true"}


def _nodes(state: State, baseline_id: int) -> list[Json]:
    nodes = state.world.nodes.values()
    return [node.fields for node in nodes if node.fields.get("BaselineId") == baseline_id]


def _list_baselines(state: State, parameters: Parameters) -> Json:
    project_id, page = parameters.integer("ProjectId"), parameters.page()
    rows = [
        {name: baseline.get(name) for name in _ROW}
        for baseline in state.world.baselines.values()
        if baseline["ProjectId"] == project_id and _matches(baseline, parameters)
    ]
    return enveloped(
        {
            "Baselines": list(page.rows_of_page(rows)),
            # Strings only here.
            "PageNumber": str(page.number),
            "PageSize": str(page.size),
            "TotalCount": str(page.total(rows)),
        }
    )


def _matches(baseline: Json, parameters: Parameters) -> bool:
    def among(name: str, value: object) -> bool:
        wanted = parameters.optional(name)
        return wanted is None or str(value) in wanted.split(",")

    enabled = parameters.optional("Enable")
    return (
        among("Owner", baseline.get("Owner"))
        and among("Priority", baseline["Priority"])
        and among("BaselineTypes", baseline["BaselineType"])
        and (enabled is None or (enabled.lower() == "true") == baseline["Enabled"])
        and (parameters.optional("SearchText") or "") in baseline["BaselineName"]
    )


_ONE = ("BaselineId",)
OPERATIONS = (
    EmulatedOperation("GetBaseline", ParameterLocation.BODY, ("BaselineId", "ProjectId"), _get_baseline),
    EmulatedOperation("GetBaselineConfig", ParameterLocation.BODY, _ONE, _get_config),
    EmulatedOperation("GetNodeOnBaseline", ParameterLocation.BODY, _ONE, _get_nodes),
    EmulatedOperation("ListBaselines", ParameterLocation.BODY, ("ProjectId",), _list_baselines),
)
