"""Parsers of responses about events, files and the extension; each takes a whole response."""

from __future__ import annotations

from typing import Any

from common.json_types import Json
from common.snapshot import FileSnapshot, Snapshot, TableSnapshot
from workers.dataworks.json_fields import (
    MalformedResponse,
    bool_field,
    number_field,
    object_field,
    object_list,
    text_field,
)
from workers.dataworks.models import CheckProcess, Extension, FileVersion
from workers.dataworks.parsers.tables import parse_column


def parse_snapshot(response: Json) -> Snapshot:
    """Parse GetIDEEventDetail."""
    detail = object_field(response, "EventDetail")
    if committed := object_field(detail, "CommittedFile"):
        return Snapshot(file=_committed_file(committed))
    if deleted := object_field(detail, "DeletedFile"):
        return Snapshot(file=_file(deleted, deleted, change_type="DELETE"))
    if command := object_field(detail, "FileExecutionCommand"):
        return Snapshot(file=_file(command, command))
    if model := object_field(detail, "TableModel"):
        return Snapshot(table=_table(model))
    return Snapshot()


def _committed_file(raw: Json) -> FileSnapshot:
    node = object_field(raw, "NodeConfiguration")
    return _file(
        raw,
        object_field(raw, "FilePropertyContent"),
        change_type=text_field(raw, "ChangeType"),
        parameters=text_field(node, "ParaValue"),
        rerun_mode=text_field(node, "RerunMode"),
        scheduler=text_field(node, "SchedulerType"),
        cron=text_field(node, "CronExpress"),
        inputs=tuple(text_field(item, "Input") or "" for item in object_list(node, "InputList")),
        outputs=tuple(text_field(item, "Output") or "" for item in object_list(node, "OutputList")),
    )


def _file(raw: Json, properties: Json, **more: Any) -> FileSnapshot:
    content = text_field(raw, "Content")
    return FileSnapshot(
        file_id=number_field(raw, "FileId"),
        name=text_field(raw, "FileName") or "",
        file_type=number_field(raw, "FileType"),
        content=content or "",
        has_content=content is not None,
        node_id=number_field(raw, "NodeId"),
        owner=text_field(properties, "Owner"),
        version=number_field(properties, "CurrentVersion"),
        data_source=text_field(properties, "DataSourceName"),
        **more,
    )


def _table(raw: Json) -> TableSnapshot:
    return TableSnapshot(
        name=text_field(raw, "TableName") or "",
        environment=text_field(raw, "Env"),
        comment=text_field(raw, "Comment") or "",
        lifecycle=number_field(raw, "LifeCycle"),
        data_source=text_field(raw, "DataSourceName"),
        columns=tuple(parse_column(item) for item in object_list(raw, "Columns")),
    )


def parse_extension_codes(response: Json) -> frozenset[str | None]:
    """Parse ListEnabledExtensionsForProject: the codes of the extensions."""
    return frozenset(text_field(item, "ExtensionCode") for item in object_list(response, "Extensions"))


def parse_extension(response: Json) -> Extension:
    """Parse GetExtension."""
    raw = object_field(response, "Extension")
    return Extension(
        status=number_field(raw, "Status"),
        parameters=text_field(raw, "ParameterSetting") or "",
        code=text_field(raw, "ExtensionCode"),
        test_project_id=number_field(raw, "ProjectTesting"),
        points=tuple(
            code for item in object_list(raw, "BindEventList") if (code := text_field(item, "EventCode"))
        ),
    )


def parse_option_value(response: Json) -> str | None:
    """Parse GetOptionValueForProject; None if no options were saved."""
    return text_field(response, "OptionValue") or None


def parse_versions(response: Json) -> tuple[FileVersion, ...]:
    """Parse one page of ListFileVersions."""
    return tuple(
        FileVersion(number_of, bool_field(item, "IsCurrentProd"))
        for item in object_list(object_field(response, "Data"), "FileVersions")
        if (number_of := number_field(item, "FileVersion")) is not None
    )


def parse_version_code(response: Json) -> str:
    """Parse GetFileVersion: the code of the version."""
    return text_field(object_field(response, "Data"), "FileContent") or ""


def parse_processes(response: Json) -> tuple[tuple[CheckProcess, ...], int | None]:
    """Parse one page of ListCheckProcesses: its processes, and the total number if reported."""
    paging = object_field(response, "PagingInfo")
    return tuple(parse_process(item) for item in object_list(paging, "CheckProcesses")), number_field(
        paging, "TotalCount"
    )


def parse_process(raw: Json) -> CheckProcess:
    """Parse one process of ListCheckProcesses."""
    message_id = text_field(raw, "MessageId")
    if not message_id:
        raise MalformedResponse("MessageId is missing")
    return CheckProcess(
        message_id=message_id,
        event_code=text_field(raw, "EventCode") or "",
        project_id=number_field(raw, "ProjectId"),
        operator=text_field(raw, "Operator"),
        status=(text_field(raw, "Status") or "").upper(),
    )
