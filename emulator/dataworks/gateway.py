"""The emulated gateway: signatures, flow control and faults in front of the operations."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

import orjson
from aiohttp import web

from common.extension_points import ResultOperation as Point
from common.json_types import Json
from emulator.dataworks import signature
from emulator.dataworks.check_processes import PostStatus
from emulator.dataworks.faults import Fault, FaultKind, Faults
from emulator.dataworks.operations import registry, results
from emulator.dataworks.rate_limit import Rates
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import BusinessError, GatewayError
from emulator.dataworks.state import EmulatedOperation, State

_RESULT_ACTIONS = frozenset(Point)
_UNENDING = {FaultKind.DRIP: (b" ", 1.0), FaultKind.FLOOD: (b" " * 65536, 0.0)}
"""The piece that such a response repeats, and the seconds between two of them."""

_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class GatewayCall:
    """A correctly signed call of a known operation, with its mandatory parameters."""

    operation: EmulatedOperation
    parameters: Parameters

    @property
    def message_id(self) -> str | None:
        """The event that the call is about."""
        return self.parameters.optional("MessageId")


class Gateway:
    """Serves the emulated OpenAPI.

    `calls` counts accepted calls by action, `rejected` counts rejected calls by error code.
    """

    def __init__(self, state: State, secrets: dict[str, str], rates: Rates, faults: Faults) -> None:
        self.state = state
        self.faults = faults
        self.rates = rates
        self.calls: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self._secrets = secrets
        self._nonces = signature.Nonces()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Handle one request."""
        try:
            call = self._admit(request, await request.read())
        except GatewayError as error:
            self.rejected[error.code] += 1
            return _error_response(request, error)
        name = call.operation.name
        self.calls[name] += 1
        try:
            self._throttle(call)
            fault = self.faults.take(name, call.message_id, call.parameters.optional("EventCode"))
            return await self._apply_fault(request, call, fault) if fault else _success(self._apply(call))
        except GatewayError as error:
            return _error_response(request, error)

    def _admit(self, request: web.Request, body: bytes) -> GatewayCall:
        headers = {name.lower(): value.strip() for name, value in request.headers.items()}
        query = request.rel_url.raw_query_string
        signed = signature.SignedRequest(request.method, request.path, query, headers, body)
        nonce = signature.verify(signed, self._secrets, time.time())
        self._nonces.use(nonce)
        version = headers["x-acs-version"]  # verified with the signature
        operation = registry.find(headers.get("x-acs-action", ""), request.method, version)
        return GatewayCall(operation, registry.read_parameters(operation, version, query, body))

    def _throttle(self, call: GatewayCall) -> None:
        try:
            self.rates.take(call.operation.name, time.monotonic())
        except GatewayError:
            self._record(call, PostStatus.THROTTLED)
            raise

    def _apply(self, call: GatewayCall) -> Json:
        try:
            return call.operation.handle(self.state, call.parameters)
        except BusinessError as error:
            return error.body()

    def _record(self, call: GatewayCall, status: PostStatus) -> None:
        # Tests count every posted result, including those without effect.
        if call.operation.name in _RESULT_ACTIONS:
            answer = results.read(call.operation.name, call.parameters)
            self.state.processes.record(answer, status, time.time())

    async def _apply_fault(self, request: web.Request, call: GatewayCall, fault: Fault) -> web.StreamResponse:
        match fault.kind:
            case FaultKind.ENDLESS | FaultKind.CHANGING:
                call.parameters.fault = fault.kind
                return _success(self._apply(call))
            case FaultKind.LOST:
                self._apply(call)
                return _abort_connection(request)
            case FaultKind.DELAY:
                await asyncio.sleep(fault.seconds)
                return _success(self._apply(call))
            case FaultKind.HANG:
                reply = self._apply(call)
                await asyncio.sleep(fault.seconds)
                return _success(reply)
        self._record(call, PostStatus.FAULT)
        if fault.kind in _UNENDING:
            return await _respond_without_end(request, fault.kind)
        return _fault_reply(request, fault)


def _fault_reply(request: web.Request, fault: Fault) -> web.StreamResponse:
    match fault.kind:
        case FaultKind.RESET:
            return _abort_connection(request)
        case FaultKind.HTML:
            return web.Response(status=502, text=_HTML, content_type="text/html")
        case FaultKind.BUSINESS:
            return _success(BusinessError(fault.code, "Injected fault.").body())
        case FaultKind.THROTTLE:
            return _error_response(
                request, GatewayError(429, "Throttling.Api", "Request was denied due to api flow control.")
            )
    return _error_response(request, GatewayError(fault.status, fault.code, "Injected fault."))


async def _respond_without_end(request: web.Request, kind: FaultKind) -> web.StreamResponse:
    """Send a response of JSON that does not end, until the client closes the connection."""
    response = web.StreamResponse(headers={"content-type": "application/json"})
    await response.prepare(request)
    piece, pause = _UNENDING[kind]
    with suppress(ConnectionError):
        await response.write(b"{")
        while not (request.transport is None or request.transport.is_closing()):
            await response.write(piece)
            await asyncio.sleep(pause)
    return response


def _abort_connection(request: web.Request) -> web.Response:
    # An aborted transport sends RST and discards anything that aiohttp writes to it afterwards.
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _success(reply: Json) -> web.Response:
    return _json(200, {"RequestId": _request_id(), **reply})


def _error_response(request: web.Request, error: GatewayError) -> web.Response:
    return _json(error.status, error.body(_request_id(), request.host))


def _request_id() -> str:
    return str(uuid.uuid4()).upper()


def _json(status: int, body: Json) -> web.Response:
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/json", charset="utf-8"
    )
