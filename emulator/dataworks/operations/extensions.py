"""Operations on the extension and its check processes."""

from __future__ import annotations

import time

from common.json_types import Json
from emulator.dataworks.check_processes import CheckProcess, Status
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import GatewayError
from emulator.dataworks.state import EmulatedOperation, ParameterLocation, Profile, State

EXTENSION_FIELDS = (
    *("BindEventList", "DetailUrl", "EventCategoryList", "ExtensionDesc", "ExtensionName", "HelpDocUrl"),
    *("OptionSetting", "ParameterSetting", "ProjectTesting", "Status"),
)
"""Fields of GetExtension (help page and SDK), in addition to ExtensionCode."""

PARTS = ("CommittedFile", "DeletedFile", "FileExecutionCommand", "TableModel")
"""Parts of an event detail; those not filled by an event are null, as in the help page's sample."""


def _get_event_detail(state: State, parameters: Parameters) -> Json:
    project_id = parameters.integer("ProjectId")
    processes = state.processes.of_message(parameters.text("MessageId"))
    process = next((process for process in processes if process.project_id == project_id), None)
    if process is None and state.profile is Profile.STRICT:
        raise GatewayError(400, "InvalidParameter.MessageId", "There is no such message in the workspace.")
    snapshot = (process.snapshot if process else None) or {}
    return {"EventDetail": {**dict.fromkeys(PARTS), **snapshot}}


def _list_check_processes(state: State, parameters: Parameters) -> Json:
    status = parameters.optional("Status")
    if status is not None:
        parameters.choice("Status", *Status)
    page = parameters.page()
    operator, project_id = parameters.optional("Operator"), parameters.optional("ProjectId")
    rows = [
        process
        for process in state.processes.listed(
            parameters.text("EventCode"),
            time.time(),
            message_id=parameters.optional("MessageId"),
            status=Status(status) if status else None,
        )
        if operator in {None, process.operator} and project_id in {None, str(process.project_id)}
    ]
    return {
        "PagingInfo": {
            "CheckProcesses": [_process_row(process) for process in page.rows_of_page(rows)],
            "PageNumber": page.number,
            "PageSize": page.size,
            "TotalCount": page.total(rows),
        }
    }


def _process_row(process: CheckProcess) -> Json:
    name = process.event_code.replace("-", " ")
    return {
        "EventCode": process.event_code,
        "EventName": name,
        "EventNameEn": name,
        "MessageId": process.message_id,
        "Operator": process.operator,
        "ProcessId": process.process_id,
        "ProcessName": f"{name} {process.process_id[:8]}",
        "ProjectId": process.project_id,
        "Status": process.status,
    }


def _get_extension(state: State, parameters: Parameters) -> Json:
    _check_code(state, parameters)
    fields = state.world.extension.fields
    shown = {name: fields[name] for name in EXTENSION_FIELDS if name in fields}
    return {"Extension": {**shown, "ExtensionCode": state.extension_code}}


def _list_enabled_extensions(state: State, parameters: Parameters) -> Json:
    extension = state.world.extension
    bound = {event["EventCode"] for event in extension.fields.get("BindEventList", ())}
    enabled = parameters.integer("ProjectId") in extension.projects and parameters.text("EventCode") in bound
    names = (
        "CreateUser",
        "ExtensionDesc",
        "ExtensionName",
        "ModifyUser",
        "Owner",
        "ParameterSetting",
        "TenantId",
    )
    row = {name: extension.fields.get(name) for name in names}
    return {"Extensions": [{**row, "ExtensionCode": state.extension_code}] if enabled else []}


def _get_option_value(state: State, parameters: Parameters) -> Json:
    _check_code(state, parameters)
    return {"OptionValue": state.world.extension.options.get(parameters.integer("ProjectId"))}


def _check_code(state: State, parameters: Parameters) -> None:
    if parameters.text("ExtensionCode") != state.extension_code:
        raise GatewayError(400, "InvalidParameter.ExtensionCode", "There is no such extension.")


OPERATIONS = (
    EmulatedOperation(
        "GetIDEEventDetail", ParameterLocation.BODY, ("MessageId", "ProjectId"), _get_event_detail
    ),
    EmulatedOperation("ListCheckProcesses", ParameterLocation.BODY, ("EventCode",), _list_check_processes),
    EmulatedOperation("GetExtension", ParameterLocation.QUERY, ("ExtensionCode",), _get_extension),
    EmulatedOperation(
        "ListEnabledExtensionsForProject",
        ParameterLocation.BODY,
        ("EventCode", "ProjectId"),
        _list_enabled_extensions,
    ),
    EmulatedOperation(
        "GetOptionValueForProject", ParameterLocation.BODY, ("ExtensionCode", "ProjectId"), _get_option_value
    ),
)
