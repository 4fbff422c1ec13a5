"""What the operations work on, and what one operation is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from emulator.dataworks.check_processes import Processes
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import Json
from emulator.dataworks.world import World


class Profile(StrEnum):
    """How the emulator behaves where no page says what DataWorks does.

    LENIENT: 200 for any result; the first one counts.
    STRICT: 400 for a result of an unknown or answered message id, a wrong extension code, or a result that
        the operation does not offer. The codes of these refusals are the emulator's own.
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
    processes: Processes
    profile: Profile
    extension_code: str


class Place(StrEnum):
    """Where an operation takes its parameters from."""

    QUERY = "query"
    BODY = "body"


Handler = Callable[[State, Parameters], Json]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of DataWorks OpenAPI 2020-05-18.

    Attributes:
        name: the action.
        place: where its parameters are.
        required: names of mandatory parameters.
        handle: what it does; it returns the body without the request id.
        method: the HTTP method.
    """

    name: str
    place: Place
    required: tuple[str, ...]
    handle: Handler
    method: str = "POST"
