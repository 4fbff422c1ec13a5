"""The control API under `/_emulator`: start operations, read verdicts, inject faults. Loopback only."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from common.extension_points import BY_CODE
from common.json_types import Json
from emulator.dataworks import graph_generator
from emulator.dataworks.check_processes import CheckProcess
from emulator.dataworks.faults import Fault
from emulator.dataworks.gateway import Gateway
from emulator.dataworks.state import Profile

WAIT_SECONDS = 10.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """Controls a gateway. An invalid request is answered 400 with `{"error": …}`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._state = gateway.state

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the API."""
        return [
            web.get("/_emulator/state", _guarded(self.get_state)),
            web.get("/_emulator/verdicts", _guarded(self.get_verdicts)),
            web.get("/_emulator/verdicts/wait", _guarded(self.wait_for_verdict)),
            web.post("/_emulator/processes", _guarded(self.start_process)),
            web.post("/_emulator/faults", _guarded(self.add_fault)),
            web.delete("/_emulator/faults", _guarded(self.clear_faults)),
            web.post("/_emulator/world", _guarded(self.merge_world)),
            web.post("/_emulator/graph", _guarded(self.add_graph)),
            web.post("/_emulator/profile", _guarded(self.set_profile)),
        ]

    async def get_state(self, _: web.Request) -> web.Response:
        """Return all counts."""
        gateway = self._gateway
        body = {
            "profile": self._state.profile,
            "calls": dict(gateway.calls),
            "refused": dict(gateway.rejected),
            "throttled": gateway.rates.refused,
            **self._state.processes.counts(),
        }
        return _json(body)

    async def get_verdicts(self, request: web.Request) -> web.Response:
        """Return the posted results: those for `message_id`, or all."""
        message_id = request.query.get("message_id")
        processes = self._state.processes
        verdict = processes.verdict(message_id) if message_id else None
        body = {
            "processes": [process.to_json() for process in processes.of_message(message_id or "")],
            "verdict": verdict.to_json() if verdict else None,
            "posts": [post.to_json() for post in processes.posts(message_id)],
        }
        return _json(body)

    async def wait_for_verdict(self, request: web.Request) -> web.Response:
        """Return the verdict for `message_id` once there is one; 408 after `timeout` seconds without it."""
        seconds = float(request.query.get("timeout", WAIT_SECONDS))
        verdict = await self._state.processes.wait(request.query["message_id"], seconds)
        return _json({"verdict": verdict.to_json() if verdict else None}, status=200 if verdict else 408)

    async def start_process(self, request: web.Request) -> web.Response:
        """Start an operation that waits for the extension, listed after `listed_after` seconds (0)."""
        process = self._start(await _read(request))
        return _json(process.to_json(), status=201)

    def _start(self, raw: Mapping[str, Any]) -> CheckProcess:
        if raw["event_code"] not in BY_CODE:
            raise ValueError(f"event_code: unknown extension point {raw['event_code']}")
        now = time.time()
        process = CheckProcess(
            message_id=raw["message_id"],
            extension_code=raw.get("extension") or self._state.extension_code,
            event_code=raw["event_code"],
            project_id=raw.get("project_id"),
            operator=raw.get("operator"),
            snapshot=raw.get("snapshot"),
            started_at=now,
            listed_at=now + float(raw.get("listed_after") or 0),
        )
        self._state.processes.start(process)
        return process

    async def add_fault(self, request: web.Request) -> web.Response:
        """Inject a fault; its fields are those of `Fault`."""
        self._gateway.faults.add(Fault.from_json(await _read(request)))
        return _json({}, status=201)

    async def clear_faults(self, _: web.Request) -> web.Response:
        """Remove all faults."""
        self._gateway.faults.clear()
        return _json({})

    async def merge_world(self, request: web.Request) -> web.Response:
        """Add nodes, baselines, tables and files, as in a world file."""
        self._state.world.merge(await _read(request))
        return _json({}, status=201)

    async def add_graph(self, request: web.Request) -> web.Response:
        """Add a generated world of realistic size; the fields are those of `graph_generator.Size`."""
        world = graph_generator.build_world(graph_generator.Size.from_json(await _read(request)))
        self._state.world.merge(world)
        return _json({name: len(entries) for name, entries in world.items()}, status=201)

    async def set_profile(self, request: web.Request) -> web.Response:
        """Switch to another profile: `{"profile": "strict"}`."""
        self._state.profile = Profile((await _read(request))["profile"])
        return _json({})


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        if not ipaddress.ip_address(request.remote or "0.0.0.0").is_loopback:  # noqa: S104 - not a bind address
            return _json({"error": "the control API is served on loopback only"}, status=403)
        try:
            return await handler(request)
        except KeyError as error:
            return _json({"error": f"missing {error}"}, status=400)
        except ValueError as error:
            return _json({"error": str(error)}, status=400)

    return guarded


async def _read(request: web.Request) -> Json:
    raw = orjson.loads(await request.read())
    if not isinstance(raw, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - answered as 400
    return raw


def _json(body: Json, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
