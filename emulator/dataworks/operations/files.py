"""Operations on files and their versions.

Both versions of the OpenAPI have them, with the same fields: 2020-05-18 for workspaces on the old Data
Studio, 2024-05-18 for those on the new one. The wrong version may fail or return unexpected results (help
page "Use DataWorks OpenAPI"); here it knows no such file.
"""

from __future__ import annotations

from collections.abc import Mapping

from common.json_types import Json
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import BusinessError, enveloped
from emulator.dataworks.signature import DATA_STUDIO_VERSION, VERSION
from emulator.dataworks.state import EmulatedOperation, ParameterLocation, State


def _versions(state: State, parameters: Parameters) -> Mapping[int, Json]:
    _require_workspace(parameters)
    file = state.world.files.get(parameters.integer("FileId"))
    if (
        file is None
        or file.in_new_studio is not (parameters.version == DATA_STUDIO_VERSION)
        or (file.project_id and parameters.optional("ProjectId") not in {None, str(file.project_id)})
    ):
        raise BusinessError("Invalid.File.NotExists", "There is no such file.")
    return file.versions


def _require_workspace(parameters: Parameters) -> None:
    # The help pages of both operations: one of the two must be set.
    if parameters.optional("ProjectIdentifier") is None:
        parameters.text("ProjectId")


def _list_versions(state: State, parameters: Parameters) -> Json:
    versions, page = _versions(state, parameters), parameters.page()
    newest_first = [versions[number] for number in sorted(versions, reverse=True)]
    return enveloped(
        {
            "FileVersions": list(page.rows_of_page(newest_first)),
            "PageNumber": page.number,
            "PageSize": page.size,
            "TotalCount": page.total(newest_first),
        }
    )


def _get_version(state: State, parameters: Parameters) -> Json:
    version = _versions(state, parameters).get(parameters.integer("FileVersion"))
    if version is None:
        raise BusinessError("Invalid.FileVersion.NotExists", "There is no such version of the file.")
    return enveloped(version)


_VERSIONS = (VERSION, DATA_STUDIO_VERSION)
OPERATIONS = (
    EmulatedOperation(
        "ListFileVersions", ParameterLocation.BODY, ("FileId",), _list_versions, versions=_VERSIONS
    ),
    EmulatedOperation(
        "GetFileVersion", ParameterLocation.BODY, ("FileId", "FileVersion"), _get_version, versions=_VERSIONS
    ),
)
