"""Flower, the web pages of Celery's workers and tasks: password-protected, read-only, without arguments.

Flower runs in this process, so that no password appears on a command line. What it must not show is
removed before Flower stores it: its API returns everything stored, however the pages format it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from base64 import b64decode
from pathlib import Path
from typing import Any, NoReturn

import structlog
from celery import Celery
from flower.app import Flower
from flower.events import Events
from flower.options import options
from flower.urls import settings as web_settings
from kombu import Queue
from pydantic import Field, field_validator
from pydantic.types import SecretStr
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop

from common import topology
from common.log import configure_logging
from common.settings import BrokerSettings, SecretList, reject_placeholder

SAVE_SECONDS = 30
"""Interval at which Flower's state is written to its file."""

_HIDDEN = frozenset({"args", "kwargs", "result", "traceback"})
_ALLOWED_REQUESTS = ("stats", "active_queues", "registered", "active", "revoked")
"""Inspections that Flower may run. `active` returns the arguments as the sender chose to display them;
`reserved` and `scheduled` would return the arguments themselves, `conf` the settings."""


class FlowerSettings(BrokerSettings):
    """Settings of Flower besides the broker."""

    flower_users: SecretList = Field(
        min_length=1, description="one or more user:password pairs, separated by commas, in ASCII"
    )
    flower_db: Path = Field(
        default=Path("flower.db"), description="a file in a directory that only dwgate may write to"
    )

    @field_validator("flower_users")
    @classmethod
    def _pairs(cls, users: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for pair in users:
            user, colon, password = pair.get_secret_value().partition(":")
            if not (user and colon and password) or not pair.get_secret_value().isascii():
                raise ValueError("not a list of user:password pairs")
            reject_placeholder(pair)
        return users

    @field_validator("flower_db")
    @classmethod
    def _writable(cls, file: Path) -> Path:
        if not file.parent.is_dir():
            raise ValueError(f"{file.parent} is not a directory")
        return file


class MaskedEvents(Events):  # type: ignore[misc] # Flower has no types
    """Flower's store of tasks, without arguments, results and tracebacks."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Store one event, masked."""
        super().on_event(mask(event))


class ClosedFlower(Flower):  # type: ignore[misc] # Flower has no types
    """Flower that rejects malformed credentials; by itself it raises on them and shows a traceback."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Return the handler of `request`."""
        if not comparable(request.headers.get("Authorization", "")):
            del request.headers["Authorization"]
        return super().find_handler(request, **kwargs)


def comparable(authorization: str) -> bool:
    """Return whether a basic `Authorization` header decodes to ASCII; Flower can compare nothing else."""
    try:
        return b64decode(authorization.partition(" ")[2]).isascii()
    except ValueError:
        return False


def mask(event: dict[str, Any]) -> dict[str, Any]:
    """Return a task event without arguments, result and traceback; an exception is reduced to its type."""
    kept = {key: value for key, value in event.items() if key not in _HIDDEN}
    if "exception" in kept:
        kept["exception"] = str(kept["exception"]).partition("(")[0]
    return kept


def run(settings: FlowerSettings, host: str = "127.0.0.1", port: int = 5555) -> NoReturn:
    """Serve Flower until SIGTERM or SIGINT, then exit the process.

    Args:
        settings: the broker, the users, and the file with Flower's state.
        host: address to listen on.
        port: port to listen on; 0 takes a free one. The log event `listening` names it.
    """
    configure_logging(settings.log_level, "flower")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = _flower(settings, host, port)
    bound = app.start_http_server()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, loop.stop)
    structlog.get_logger().info("server_started", url=f"http://{host}:{bound}")
    app.start()
    app.stop()
    # The state is saved; threads that wait for an unreachable broker would delay the exit by minutes.
    os._exit(0)


def _flower(settings: FlowerSettings, host: str, port: int) -> ClosedFlower:
    options.address, options.port = host, port
    options.basic_auth = [pair.get_secret_value() for pair in settings.flower_users]
    options.read_only = True
    loop = IOLoop.current()
    celery = _celery(settings.broker_url.get_secret_value())
    events = MaskedEvents(
        celery,
        io_loop=loop,
        db=str(settings.flower_db),
        persistent=True,
        state_save_interval=SAVE_SECONDS * 1000,
        max_workers_in_memory=options.max_workers,
        max_tasks_in_memory=options.max_tasks,
    )
    app = ClosedFlower(options=options, capp=celery, events=events, io_loop=loop, **web_settings)
    app.inspector.inspect_methods = _ALLOWED_REQUESTS
    return app


def _celery(broker_url: str) -> Celery:
    app = Celery("dwgate", broker=broker_url, set_as_current=False)
    app.conf.task_queues = [Queue(queue.name) for queue in topology.TASK_QUEUES]
    return app
