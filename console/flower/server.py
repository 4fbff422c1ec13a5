"""Flower, the web pages of Celery's workers and tasks: password-protected, read-only, without arguments.

Flower runs in this process, so that no password appears on a command line. What it must not show is
removed before Flower stores it: its API returns everything stored, however the pages format it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any, NoReturn

import structlog
from celery import Celery
from flower.app import Flower
from flower.events import Events
from flower.options import options
from flower.urls import settings as web_settings
from kombu import Queue
from kombu.utils.url import sanitize_url
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop

from common.log import configure_logging
from common.tls import create_context
from console.flower.access import PasswordGate, SecurityHeaders, TooManyAttempts
from console.flower.pages import HANDLERS, PAGES_SETTING, FleetPages
from console.flower.settings import FlowerSettings
from workers.celery_app import broker_config, monitoring_config
from workers.task_events import is_safe_result

SAVE_SECONDS = 30
"""Interval at which Flower's state is written to its file."""

_HIDDEN = frozenset({"args", "kwargs", "traceback"})
_COLUMNS = "name,uuid,state,result,exception,received,runtime,worker"
_ALLOWED_REQUESTS = ("stats", "active_queues", "registered", "active", "revoked")
"""Inspections that Flower may run. `active` returns the arguments as the sender chose to display them;
`reserved` and `scheduled` would return the arguments themselves, `conf` the settings."""


class MaskedEvents(Events):  # type: ignore[misc] # Flower has no types
    """Flower's store of tasks, without arguments, results and tracebacks."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Store one event, masked."""
        super().on_event(mask(event))


class ClosedFlower(Flower):  # type: ignore[misc] # Flower has no types
    """Flower behind a password gate; by itself it also raises on credentials that are not ASCII.

    Args:
        gate: checks passwords.
        broker_url: the broker whose queues are listed, as Celery writes it; of several nodes the first one.
        kwargs: see Flower.
    """

    def __init__(self, gate: PasswordGate, broker_url: str, **kwargs: Any) -> None:
        self._gate = gate
        self.broker_uri_with_password = broker_url
        self.broker_uri = sanitize_url(broker_url)
        super().__init__(transforms=[SecurityHeaders], **kwargs)
        self.add_handlers(r".*", HANDLERS)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Return the handler of `request`."""
        if authorization := request.headers.get("Authorization"):
            address = request.remote_ip or ""
            if self._gate.is_locked(address):
                return self.get_handler_delegate(request, TooManyAttempts)
            if not self._gate.check(address, authorization):
                del request.headers["Authorization"]
        return super().find_handler(request, **kwargs)


def mask(event: dict[str, Any]) -> dict[str, Any]:
    """Return a task event without arguments and traceback; an exception is reduced to its type.

    A result is kept if it is a verdict or the end of a check, which contain no data of an event.
    """
    kept = {key: value for key, value in event.items() if key not in _HIDDEN}
    if not is_safe_result(str(kept.get("result"))):
        kept.pop("result", None)
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
    options.tasks_columns = _COLUMNS
    options.broker_api = settings.management_api
    # Tornado's client, with which Flower queries the management API, sends the password to any redirect.
    AsyncHTTPClient.configure(
        None, defaults={"ssl_options": create_context(settings.tls_files), "follow_redirects": False}
    )
    loop = IOLoop.current()
    celery = _celery(settings)
    events = MaskedEvents(
        celery,
        io_loop=loop,
        db=str(settings.flower_db),
        persistent=True,
        state_save_interval=SAVE_SECONDS * 1000,
        max_workers_in_memory=options.max_workers,
        max_tasks_in_memory=options.max_tasks,
    )
    gate = PasswordGate(options.basic_auth)
    pages = FleetPages(_queue_names(settings), settings.details_url)
    app = ClosedFlower(
        gate,
        celery.conf.broker_url.partition(";")[0],
        options=options,
        capp=celery,
        events=events,
        io_loop=loop,
        **{PAGES_SETTING: pages, **web_settings},
    )
    app.inspector.inspect_methods = _ALLOWED_REQUESTS
    return app


def _celery(settings: FlowerSettings) -> Celery:
    app = Celery("dwgate", set_as_current=False)
    app.conf.update(broker_config(settings), **monitoring_config(settings.topology))
    # Flower passes it on to redis-py's asynchronous client, which cannot use it, and sets its own.
    app.conf.broker_transport_options.get("sentinel_kwargs", {}).pop("retry", None)
    app.conf.task_queues = [Queue(queue.name) for queue in settings.topology.task_queues]
    return app


def _queue_names(settings: FlowerSettings) -> list[str]:
    """Return the names of the queues of the fleet; on Redis only the tasks have any."""
    topology = settings.topology
    return [queue.name for queue in (topology.queues if settings.uses_rabbitmq else topology.task_queues)]
