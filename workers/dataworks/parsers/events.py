"""From the JSON of the OpenAPI about events, files and the extension to our values; see `fields`.

Each reads a whole answer.
"""

from __future__ import annotations

from typing import Any

from common.snapshot import FileSnapshot, Snapshot, TableSnapshot
from workers.dataworks.json_fields import (
    Json,
    MalformedResponse,
    bool_field,
    number,
    object_field,
    object_list,
    text,
)
from workers.dataworks.models import CheckProcess, Extension, FileVersion
from workers.dataworks.parsers.tables import column


def snapshot(answer: Json) -> Snapshot:
    """Read the answer of GetIDEEventDetail."""
    detail = object_field(answer, "EventDetail")
    if committed := object_field(detail, "CommittedFile"):
        return Snapshot(file=_committed(committed))
    if deleted := object_field(detail, "DeletedFile"):
        return Snapshot(file=_file(deleted, deleted, change_type="DELETE"))
    if command := object_field(detail, "FileExecutionCommand"):
        return Snapshot(file=_file(command, command))
    if model := object_field(detail, "TableModel"):
        return Snapshot(table=_table(model))
    return Snapshot()


def _committed(raw: Json) -> FileSnapshot:
    node = object_field(raw, "NodeConfiguration")
    return _file(
        raw,
        object_field(raw, "FilePropertyContent"),
        change_type=text(raw, "ChangeType"),
        parameters=text(node, "ParaValue"),
        rerun_mode=text(node, "RerunMode"),
        scheduler=text(node, "SchedulerType"),
        cron=text(node, "CronExpress"),
        inputs=tuple(text(item, "Input") or "" for item in object_list(node, "InputList")),
        outputs=tuple(text(item, "Output") or "" for item in object_list(node, "OutputList")),
    )


def _file(raw: Json, properties: Json, **more: Any) -> FileSnapshot:
    return FileSnapshot(
        file_id=number(raw, "FileId"),
        name=text(raw, "FileName") or "",
        file_type=number(raw, "FileType"),
        content=text(raw, "Content") or "",
        node_id=number(raw, "NodeId"),
        owner=text(properties, "Owner"),
        version=number(properties, "CurrentVersion"),
        data_source=text(properties, "DataSourceName"),
        **more,
    )


def _table(raw: Json) -> TableSnapshot:
    return TableSnapshot(
        name=text(raw, "TableName") or "",
        environment=text(raw, "Env"),
        comment=text(raw, "Comment") or "",
        lifecycle=number(raw, "LifeCycle"),
        data_source=text(raw, "DataSourceName"),
        columns=tuple(column(item) for item in object_list(raw, "Columns")),
    )


def extension_codes(answer: Json) -> frozenset[str | None]:
    """Read the answer of ListEnabledExtensionsForProject: the codes of the extensions."""
    return frozenset(text(item, "ExtensionCode") for item in object_list(answer, "Extensions"))


def extension(answer: Json) -> Extension:
    """Read GetExtension."""
    raw = object_field(answer, "Extension")
    return Extension(status=number(raw, "Status"), parameters=text(raw, "ParameterSetting") or "")


def option_value(answer: Json) -> str | None:
    """Read GetOptionValueForProject; None when nobody saved any."""
    return text(answer, "OptionValue") or None


def versions(answer: Json) -> tuple[FileVersion, ...]:
    """Read one page of ListFileVersions."""
    return tuple(
        FileVersion(number_of, bool_field(item, "IsCurrentProd"))
        for item in object_list(object_field(answer, "Data"), "FileVersions")
        if (number_of := number(item, "FileVersion")) is not None
    )


def version_code(answer: Json) -> str:
    """Read GetFileVersion: the code of the version."""
    return text(object_field(answer, "Data"), "FileContent") or ""


def processes(answer: Json) -> tuple[tuple[CheckProcess, ...], int | None]:
    """Read one page of ListCheckProcesses: its processes, and how many there are in all if it says so."""
    paging = object_field(answer, "PagingInfo")
    return tuple(process(item) for item in object_list(paging, "CheckProcesses")), number(
        paging, "TotalCount"
    )


def process(raw: Json) -> CheckProcess:
    """Read one process of ListCheckProcesses."""
    message_id = text(raw, "MessageId")
    if not message_id:
        raise MalformedResponse("MessageId is missing")
    return CheckProcess(
        message_id=message_id,
        event_code=text(raw, "EventCode") or "",
        project_id=number(raw, "ProjectId"),
        operator=text(raw, "Operator"),
        status=(text(raw, "Status") or "").upper(),
    )
