"""Operations on files and their versions."""

from __future__ import annotations

from collections.abc import Mapping

from common.json_types import Json
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import BusinessError, enveloped
from emulator.dataworks.state import EmulatedOperation, ParameterLocation, State


def _versions(state: State, parameters: Parameters) -> Mapping[int, Json]:
    versions = state.world.versions.get(parameters.integer("FileId"))
    if versions is None:
        raise BusinessError("Invalid.File.NotExists", "There is no such file.")
    return versions


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


OPERATIONS = (
    EmulatedOperation("ListFileVersions", ParameterLocation.BODY, ("FileId",), _list_versions),
    EmulatedOperation("GetFileVersion", ParameterLocation.BODY, ("FileId", "FileVersion"), _get_version),
)
