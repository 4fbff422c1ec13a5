"""The operations of the DataWorks OpenAPI that the emulator serves, by name."""

from __future__ import annotations

from emulator.dataworks.operations import baselines, extensions, files, lineage, nodes, results, tables
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import GatewayError
from emulator.dataworks.state import EmulatedOperation, ParameterLocation

BY_NAME: dict[str, EmulatedOperation] = {
    operation.name: operation
    for module in (results, baselines, extensions, files, lineage, nodes, tables)
    for operation in module.OPERATIONS
}


def find(action: str, method: str, version: str) -> EmulatedOperation:
    """Return the operation of a request.

    Raises:
        GatewayError: no operation of this version has this name and method.
    """
    operation = BY_NAME.get(action)
    if operation is None or operation.method != method or version not in operation.versions:
        raise GatewayError(
            404, "InvalidApi.NotFound", "Specified api is not found, please check your url and method."
        )
    return operation


def read_parameters(operation: EmulatedOperation, version: str, query: str, body: bytes) -> Parameters:
    """Return the parameters of a call, including all mandatory ones.

    Raises:
        GatewayError: a mandatory one is missing, or in the wrong part of the request.
    """
    encoded = query if operation.place is ParameterLocation.QUERY else body.decode("utf-8", "replace")
    parameters = Parameters(encoded, version)
    for name in operation.required:
        parameters.text(name)
    return parameters
