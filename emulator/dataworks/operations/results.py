"""The three operations that accept a verdict.

There are two profiles, since the effect of a second, unknown or misdirected result is not documented: see
`Profile`. The codes `InvalidParameter.MessageId`, `.ExtensionCode` and `.CheckResult` exist only in the
emulator.
"""

from __future__ import annotations

import time

from common.extension_points import ResultOperation as Point
from common.json_types import Json
from emulator.dataworks.check_processes import PostedResult, PostStatus
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import GatewayError
from emulator.dataworks.state import EmulatedOperation, Handler, ParameterLocation, Profile, State

_ALL = ("MessageId", "ExtensionCode", "CheckResult")
_REQUIRED: dict[Point, tuple[str, ...]] = {Point.IDE: (), Point.WORKBENCH: _ALL, Point.CALLBACK: _ALL}
"""Mandatory parameters; the help page of UpdateIDEEventResult calls all of its parameters optional."""

_TIP = {Point.CALLBACK: "CheckMessage"}
_RESULTS = {
    Point.IDE: {"OK", "WARN", "FAIL"},
    Point.WORKBENCH: {"OK", "FAIL"},
    Point.CALLBACK: {"OK", "WARN", "FAIL"},
}
_BODY: dict[Point, Json] = {
    Point.IDE: {},
    Point.WORKBENCH: {"Success": True},
    Point.CALLBACK: {"Success": "true"},
}


def read(action: str, parameters: Parameters) -> PostedResult:
    """Return the result in a call of `action`; empty where a parameter is missing."""
    return PostedResult(
        action=action,
        message_id=parameters.optional("MessageId") or "",
        extension_code=parameters.optional("ExtensionCode") or "",
        result=parameters.optional("CheckResult") or "",
        tip=parameters.optional(_TIP.get(Point(action), "CheckResultTip")) or "",
    )


def _refusal(state: State, answer: PostedResult) -> GatewayError | None:
    point = Point(answer.action)
    if answer.result not in _RESULTS[point]:
        return _invalid("CheckResult", f"{point} takes {', '.join(sorted(_RESULTS[point]))}.")
    if point is Point.CALLBACK and answer.result == "FAIL" and not answer.tip:
        return GatewayError(400, "MissingCheckMessage", "CheckMessage is mandatory for FAIL.")
    known = [process.extension_code for process in state.processes.of_message(answer.message_id)]
    if known and answer.extension_code not in known:
        return _invalid("ExtensionCode", "The extension does not check this message.")
    if not known or state.processes.classify(answer) is not PostStatus.FIRST:
        return _invalid("MessageId", "The message does not wait for a result of this operation.")
    return None


def _invalid(name: str, message: str) -> GatewayError:
    return GatewayError(400, f"InvalidParameter.{name}", message)


def _handler(point: Point) -> Handler:
    def handle(state: State, parameters: Parameters) -> Json:
        answer = read(point.value, parameters)
        now = time.time()
        refusal = _refusal(state, answer) if state.profile is Profile.STRICT else None
        if refusal:
            state.processes.record(answer, PostStatus.REFUSED, now)
            raise refusal
        state.processes.accept(answer, now)
        return dict(_BODY[point])

    return handle


_PLACES = {
    Point.IDE: ParameterLocation.BODY,
    Point.WORKBENCH: ParameterLocation.QUERY,
    Point.CALLBACK: ParameterLocation.BODY,
}
OPERATIONS = tuple(
    EmulatedOperation(point.value, place, _REQUIRED[point], _handler(point))
    for point, place in _PLACES.items()
)
