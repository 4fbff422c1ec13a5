"""The DataWorks emulator: the part of OpenAPI 2020-05-18 that dwgate calls, as one small HTTP server."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import structlog
import uvloop
from aiohttp import web

from common.log import configure_logging
from emulator.dataworks import world as worlds
from emulator.dataworks.check_processes import CheckProcesses
from emulator.dataworks.control_api import Control
from emulator.dataworks.faults import Faults
from emulator.dataworks.gateway import Gateway
from emulator.dataworks.rate_limit import Rates
from emulator.dataworks.state import Profile, State
from emulator.dataworks.world import World

SHUTDOWN_SECONDS = 1.0
MAX_BODY_BYTES = 64 * 1024 * 1024
"""Maximum size of a request body; a world of 5,000 nodes has about 5 MB."""


def create_app(
    *,
    access_key_id: str,
    access_key_secret: str,
    extension_code: str,
    world: World,
    profile: Profile = Profile.LENIENT,
    read_qps: int = 0,
    write_qps: int = 0,
) -> web.Application:
    """Return the emulator as an application: the OpenAPI at `/`, the control API under `/_emulator`.

    Args:
        access_key_id: the only accepted AccessKey.
        access_key_secret: its secret.
        extension_code: the code of the only registered extension.
        world: the emulated data of DataWorks.
        profile: how results are answered whose effect is not documented.
        read_qps: maximum reads per second, 0 for no limit.
        write_qps: maximum writes per second, 0 for no limit.
    """
    state = State(world, CheckProcesses(), profile, extension_code)
    gateway = Gateway(state, {access_key_id: access_key_secret}, Rates(read_qps, write_qps), Faults())
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_route("*", "/", gateway.handle)
    app.add_routes(Control(gateway).routes())
    return app


def run(
    *,
    host: str,
    port: int,
    access_key_id: str,
    access_key_secret: str,
    extension_code: str,
    world: Path = worlds.SAMPLE,
    profile: Profile = Profile.LENIENT,
    read_qps: int = 0,
    write_qps: int = 0,
) -> None:
    """Serve the emulator until SIGINT or SIGTERM; logs `listening` with its URL (port 0 chooses a free one).

    Raises:
        WorldError: the world cannot be read.
        OSError: the port is in use.
    """
    app = create_app(
        access_key_id=access_key_id,
        access_key_secret=access_key_secret,
        extension_code=extension_code,
        world=worlds.load_world(world),
        profile=profile,
        read_qps=read_qps,
        write_qps=write_qps,
    )
    configure_logging("info", "emulator")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(app, host, port))


async def _serve(app: web.Application, host: str, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound_host, bound_port = runner.addresses[0][:2]
        structlog.get_logger().info(
            "server_started", url=f"http://{bound_host}:{bound_port}", port=bound_port
        )
        await stopped.wait()
    finally:
        await runner.cleanup()
