"""The state that the operations use, and the definition of an operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from common.json_types import Json
from emulator.dataworks.check_processes import CheckProcesses
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.signature import VERSION
from emulator.dataworks.world import World


class Profile(StrEnum):
    """The emulator's behavior where DataWorks' own is not documented.

    LENIENT: 200 for any result; the first one counts.
    STRICT: 400 for a result for an unknown or answered message ID, a wrong extension code, or a result that
        the operation does not offer. The codes of these errors exist only in the emulator.
    """

    LENIENT = "lenient"
    STRICT = "strict"


@dataclass(slots=True)
class State:
    """The emulated DataWorks.

    Attributes:
        extension_code: the code of the one registered extension.
    """

    world: World
    processes: CheckProcesses
    profile: Profile
    extension_code: str


class ParameterLocation(StrEnum):
    """The part of a request that carries the parameters of an operation."""

    QUERY = "query"
    BODY = "body"


Handler = Callable[[State, Parameters], Json]


@dataclass(frozen=True, slots=True)
class EmulatedOperation:
    """One operation of the DataWorks OpenAPI.

    Attributes:
        name: the action.
        place: the part of the request with its parameters.
        required: names of mandatory parameters.
        handle: implements it; returns the body without the request ID.
        method: the HTTP method.
        versions: the versions of the OpenAPI that have it.
    """

    name: str
    place: ParameterLocation
    required: tuple[str, ...]
    handle: Handler
    method: str = "POST"
    versions: tuple[str, ...] = (VERSION,)
