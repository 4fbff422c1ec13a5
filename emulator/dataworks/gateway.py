"""The emulated gateway: signatures, flow control and faults in front of the operations."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from dataclasses import dataclass

import orjson
from aiohttp import web

from common.extension_points import Answer as Point
from emulator.dataworks import signature
from emulator.dataworks.check_processes import Fate
from emulator.dataworks.faults import Fault, FaultKind, Faults
from emulator.dataworks.operations import registry, results
from emulator.dataworks.rate_limit import Rates
from emulator.dataworks.request_parameters import Parameters
from emulator.dataworks.responses import BusinessError, GatewayError, Json
from emulator.dataworks.state import Operation, State

_RESULT_ACTIONS = frozenset(Point)
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Call:
    """A correctly signed call of a known operation, with its mandatory parameters."""

    operation: Operation
    parameters: Parameters

    @property
    def message_id(self) -> str | None:
        """The event that the call is about."""
        return self.parameters.optional("MessageId")


class Gateway:
    """Serves the emulated OpenAPI.

    `calls` counts accepted calls by action, `refused` counts rejected calls by error code.
    """

    def __init__(self, state: State, secrets: dict[str, str], rates: Rates, faults: Faults) -> None:
        self.state = state
        self.faults = faults
        self.rates = rates
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._secrets = secrets
        self._nonces = signature.Nonces()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Handle one request."""
        try:
            call = self._admit(request, await request.read())
        except GatewayError as error:
            self.refused[error.code] += 1
            return _refusal(request, error)
        name = call.operation.name
        self.calls[name] += 1
        try:
            self._throttle(call)
            fault = self.faults.take(name, call.message_id)
            return await self._spoiled(request, call, fault) if fault else _success(self._apply(call))
        except GatewayError as error:
            return _refusal(request, error)

    def _admit(self, request: web.Request, body: bytes) -> Call:
        headers = {name.lower(): value.strip() for name, value in request.headers.items()}
        query = request.rel_url.raw_query_string
        signed = signature.SignedRequest(request.method, request.path, query, headers, body)
        nonce = signature.verify(signed, self._secrets, time.time())
        self._nonces.use(nonce)
        operation = registry.find(headers.get("x-acs-action", ""), request.method)
        return Call(operation, registry.read_parameters(operation, query, body))

    def _throttle(self, call: Call) -> None:
        try:
            self.rates.take(call.operation.name, time.monotonic())
        except GatewayError:
            self._record(call, Fate.THROTTLED)
            raise

    def _apply(self, call: Call) -> Json:
        try:
            return call.operation.handle(self.state, call.parameters)
        except BusinessError as error:
            return error.body()

    def _record(self, call: Call, fate: Fate) -> None:
        # Tests count every posted result, including those without effect.
        if call.operation.name in _RESULT_ACTIONS:
            answer = results.read(call.operation.name, call.parameters)
            self.state.processes.record(answer, fate, time.time())

    async def _spoiled(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse:
        match fault.kind:
            case FaultKind.ENDLESS | FaultKind.CHANGING:
                call.parameters.fault = fault.kind
                return _success(self._apply(call))
            case FaultKind.LOST:
                self._apply(call)
                return _cut(request)
            case FaultKind.DELAY:
                await asyncio.sleep(fault.seconds)
                return _success(self._apply(call))
            case FaultKind.HANG:
                reply = self._apply(call)
                await asyncio.sleep(fault.seconds)
                return _success(reply)
        self._record(call, Fate.FAULT)
        return _without_effect(request, fault)


def _without_effect(request: web.Request, fault: Fault) -> web.StreamResponse:
    match fault.kind:
        case FaultKind.RESET:
            return _cut(request)
        case FaultKind.HTML:
            return web.Response(status=502, text=_HTML, content_type="text/html")
        case FaultKind.BUSINESS:
            return _success(BusinessError(fault.code, "Injected fault.").body())
        case FaultKind.THROTTLE:
            return _refusal(
                request, GatewayError(429, "Throttling.Api", "Request was denied due to api flow control.")
            )
    return _refusal(request, GatewayError(fault.status, fault.code, "Injected fault."))


def _cut(request: web.Request) -> web.Response:
    # An aborted transport sends RST and discards anything that aiohttp writes to it afterwards.
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _success(reply: Json) -> web.Response:
    return _json(200, {"RequestId": _request_id(), **reply})


def _refusal(request: web.Request, error: GatewayError) -> web.Response:
    return _json(error.status, error.body(_request_id(), request.host))


def _request_id() -> str:
    return str(uuid.uuid4()).upper()


def _json(status: int, body: Json) -> web.Response:
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/json", charset="utf-8"
    )
