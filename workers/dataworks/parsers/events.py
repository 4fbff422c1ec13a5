"""From the JSON of the OpenAPI about events, files and the extension to our values; see `fields`.

Each reads a whole answer.
"""

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


def parse_snapshot(answer: Json) -> Snapshot:
    """Read the answer of GetIDEEventDetail."""
    detail = object_field(answer, "EventDetail")
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
    return FileSnapshot(
        file_id=number_field(raw, "FileId"),
        name=text_field(raw, "FileName") or "",
        file_type=number_field(raw, "FileType"),
        content=text_field(raw, "Content") or "",
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


def parse_extension_codes(answer: Json) -> frozenset[str | None]:
    """Read the answer of ListEnabledExtensionsForProject: the codes of the extensions."""
    return frozenset(text_field(item, "ExtensionCode") for item in object_list(answer, "Extensions"))


def parse_extension(answer: Json) -> Extension:
    """Read GetExtension."""
    raw = object_field(answer, "Extension")
    return Extension(status=number_field(raw, "Status"), parameters=text_field(raw, "ParameterSetting") or "")


def parse_option_value(answer: Json) -> str | None:
    """Read GetOptionValueForProject; None when nobody saved any."""
    return text_field(answer, "OptionValue") or None


def parse_versions(answer: Json) -> tuple[FileVersion, ...]:
    """Read one page of ListFileVersions."""
    return tuple(
        FileVersion(number_of, bool_field(item, "IsCurrentProd"))
        for item in object_list(object_field(answer, "Data"), "FileVersions")
        if (number_of := number_field(item, "FileVersion")) is not None
    )


def parse_version_code(answer: Json) -> str:
    """Read GetFileVersion: the code of the version."""
    return text_field(object_field(answer, "Data"), "FileContent") or ""


def parse_processes(answer: Json) -> tuple[tuple[CheckProcess, ...], int | None]:
    """Read one page of ListCheckProcesses: its processes, and how many there are in all if it says so."""
    paging = object_field(answer, "PagingInfo")
    return tuple(parse_process(item) for item in object_list(paging, "CheckProcesses")), number_field(
        paging, "TotalCount"
    )


def parse_process(raw: Json) -> CheckProcess:
    """Read one process of ListCheckProcesses."""
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
