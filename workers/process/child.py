"""One worker process, forked for the supervisor: it runs the roles of one process group."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from typing import Any

import redis
import structlog
from celery import Celery, signals
from celery.worker.state import active_requests

from common import settings as common_settings
from common.log import configure_logging
from common.parent_death import end_with_parent
from review.dialects import Dialect
from review.engine import review
from review.parsing.self_test import run_self_test
from workers import tasks
from workers.celery_app import create_app
from workers.event_sender import ConsumerEvents, ProcessEvents
from workers.process import refused_messages, remote_control
from workers.process.file_audit import FileAudit
from workers.process.progress_report import ProgressReport
from workers.process.roles import STOP_SECONDS, Pool, ProcessGroup, Role
from workers.process.spool_reader import SpoolReader
from workers.progress import SharedTime
from workers.recovery import (
    backstop_rabbitmq,
    backstop_redis,
    reconciler,
    report_recovery,
    slow_queue_recovery,
    watchdog,
)
from workers.services import Services
from workers.settings import WorkerSettings

HEARTBEAT_SECONDS = 5.0

LAST_EVENTS_SECONDS = 1.0
"""How long the last events may take at the end, so that Flower shows at once that the process has ended."""

_PLANNING_ROLES = frozenset({Role.INTAKE, Role.WATCHDOG})
"""Roles that resolve the policy; their processes record which one they use."""

SLOW_NICENESS = 10
"""Niceness of the slow checks: all else on the machine goes first."""

log = structlog.get_logger()


def run(group: ProcessGroup, roles: Sequence[Role], concurrency: int, last_progress: SharedTime) -> None:
    """Run `roles` of `group` until SIGTERM.

    Args:
        group: the process group.
        roles: those of its roles that run here.
        concurrency: number of tasks at a time.
        last_progress: shared with the supervisor, which replaces a process without progress.
    """
    exit_with_parent()
    ProgressReport(last_progress).start()
    if group.is_slow:
        os.nice(SLOW_NICENESS)
    settings = common_settings.load_settings(WorkerSettings)
    configure_logging(settings.log_level, group.name)
    app = create_app(settings)
    name = f"{group.name}-{uuid.uuid4().hex[:6]}@{socket.gethostname()}"
    events = ProcessEvents(app, name) if group.pool is Pool.NONE else ConsumerEvents()
    services = Services(
        settings,
        app,
        is_io_pool=group.pool is Pool.THREADS,
        busy=lambda: len(active_requests),
        send_event=events.send_event,
    )
    _warm_up(services, group)
    if isinstance(events, ProcessEvents):
        _run_loops(services, name, roles, events)
    else:
        tasks.register_tasks(app, services)
        _consume(app, services, group, name, concurrency, roles)


def _warm_up(services: Services, group: ProcessGroup) -> None:
    """Load what is slow to load (about a second), so that the first event does not wait for it."""
    if group.pool is Pool.PREFORK:
        run_self_test()
        review("SELECT 1", Dialect.MAXCOMPUTE)
        # Modules and parser tables stay for ever, and a garbage collection of all of them takes 80 ms.
        gc.collect()
        gc.freeze()
    services.dataworks.warm_up()


def exit_with_parent() -> None:
    """Send this process SIGTERM when its supervisor dies, and SIGKILL after STOP_SECONDS."""

    def watch(supervisor: BaseProcess) -> None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    if supervisor := multiprocessing.parent_process():
        threading.Thread(target=watch, args=(supervisor,), daemon=True).start()


def _consume(
    app: Celery, services: Services, group: ProcessGroup, name: str, concurrency: int, roles: Sequence[Role]
) -> None:
    stop = threading.Event()
    queues = [queue for role in roles if (queue := group.queues[role])]
    # Started when the pool has forked its processes, so that they inherit no connection.
    sending = threading.Thread(target=app.background_sender.run, args=(stop,), daemon=True)

    def ready(*, sender: Any, **_: Any) -> None:
        log.info("worker_started", worker=name, roles=list(roles))
        threading.Thread(target=_heartbeat, args=(services, name, stop), daemon=True).start()
        reader = SpoolReader(services, sender, queues, concurrency)
        threading.Thread(target=reader.run, args=(stop,), daemon=True).start()
        sending.start()
        _start_file_audit(services, name, roles, stop)

    def keep_logging(**_: Any) -> None:
        """Keep dwgate's logging: Celery configures none if this signal has a receiver."""

    signals.worker_ready.connect(ready, weak=False)
    signals.setup_logging.connect(keep_logging, weak=False)
    if not services.settings.uses_rabbitmq:
        refused_messages.keep_in_ledger(app, services)
    signals.worker_process_init.connect(_end_with_pool, weak=False)
    remote_control.restrict(app, has_untrusted_code=group.pool is Pool.PREFORK)
    app.worker_main(
        [
            "--quiet",
            "worker",
            f"--pool={group.pool}",
            f"--concurrency={concurrency}",
            f"--queues={','.join(services.settings.topology[queue].name for queue in queues)}",
            f"--hostname={name}",
            "--without-mingle",
            "--without-gossip",
            "--loglevel=WARNING",
        ]
    )
    stop.set()
    if sending.is_alive():
        sending.join(LAST_EVENTS_SECONDS)


def _end_with_pool(**_: Any) -> None:
    """End this process of a pool with the process that started it: its result would go nowhere."""
    end_with_parent(signal.SIGKILL)


def _run_loops(services: Services, name: str, roles: Sequence[Role], events: ProcessEvents) -> None:
    """Run roles that consume no task queue, until SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_heartbeat, args=(services, name, stop), daemon=True).start()
    _start_file_audit(services, name, roles, stop)
    log.info("worker_started", worker=name, roles=list(roles))
    for loop in (services.app.background_sender.run, events.send_heartbeats):
        threading.Thread(target=loop, args=(stop,), daemon=True).start()
    _run_watchdog(services, stop)


def _run_watchdog(services: Services, stop: threading.Event) -> None:
    on_rabbitmq = services.settings.uses_rabbitmq
    serve_backstop = backstop_rabbitmq.run if on_rabbitmq else backstop_redis.run
    for loop in (reconciler.run, serve_backstop, report_recovery.run, slow_queue_recovery.run):
        threading.Thread(target=loop, args=(services, stop), daemon=True).start()
    watchdog.run(services, stop)


def _heartbeat(services: Services, name: str, stop: threading.Event) -> None:
    while True:
        try:
            services.ledger.membership.heartbeat(name)
        except redis.RedisError as error:
            log.warning("heartbeat_failed", error=type(error).__name__)
        if stop.wait(HEARTBEAT_SECONDS):
            return


def _start_file_audit(services: Services, name: str, roles: Sequence[Role], stop: threading.Event) -> None:
    # The other roles follow a plan, and need no policy.
    if _PLANNING_ROLES.intersection(roles):
        threading.Thread(target=FileAudit(services, name).run, args=(stop,), daemon=True).start()
