"""One worker process, forked for the supervisor: it runs the roles of one process group."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import redis
import structlog
from celery import Celery, signals
from celery.worker.state import active_requests

from common import clock, tracing
from common.log import configure_logging
from common.processes.parent_death import Lifeline, end_with_parent
from common.processes.stop_signals import set_on_signals
from workers import metrics, progress, tasks
from workers.broker.event_sender import ConsumerEvents, ProcessEvents
from workers.dataworks.lookup_requests.server import RENEW_SECONDS
from workers.policy.policy import Policy
from workers.process import refused_messages, remote_control
from workers.process.file_audit import FileAudit
from workers.process.health import PROGRESS_SECONDS
from workers.process.monitoring import fleet_watch, queue_watch
from workers.process.process_state import ProcessState
from workers.process.progress_report import ProgressReport
from workers.process.roles import STOP_SECONDS, Pool, ProcessGroup, Role, worker_name
from workers.process.spool_reader import SpoolReader
from workers.recovery import (
    backstop_rabbitmq,
    backstop_redis,
    engine_loop,
    memory_watch,
    notifier,
    plan_recovery,
    reconciler,
    report_recovery,
    slow_queue_recovery,
    takeover,
    watchdog,
)
from workers.services import Services
from workers.settings import WorkerSettings
from workers.task_base import describe_error

HEARTBEAT_SECONDS = clock.MEASURE_SECONDS

LAST_EVENTS_SECONDS = 1.0
"""How long the last events may take at the end, so that Flower shows at once that the process has ended."""

log = structlog.get_logger()


def run(
    settings: WorkerSettings,
    app: Celery,
    policy: Policy | None,
    group: ProcessGroup,
    roles: Sequence[Role],
    concurrency: int,
    shared: ProcessState,
    lifeline: Lifeline,
) -> None:
    """Run `roles` of `group` until SIGTERM.

    Args:
        settings: of the worker.
        app: the Celery application, not connected.
        policy: the policy as it is now.
        group: the process group.
        roles: those of its roles that run here.
        concurrency: number of tasks at a time.
        shared: its state, for the supervisor, which replaces a process without progress.
        lifeline: of the supervisor: without it this process ends.
    """
    # Ctrl-C in a terminal then reaches the supervisor only, which stops its processes in order.
    os.setpgid(0, 0)
    exit_with_supervisor(lifeline)
    clock.reset()
    report = ProgressReport(shared)
    report.start()
    os.nice(group.niceness)
    configure_logging(settings.log_level, group.name)
    tracing.configure(settings.trace_ratio, group.name)
    name = worker_name(group, roles, uuid.uuid4().hex[:6], socket.gethostname())
    events = ProcessEvents(app, name) if group.pool is Pool.NONE else ConsumerEvents()
    services = Services(
        settings,
        app,
        is_io_pool=group.pool is not Pool.PREFORK,
        threads=watchdog.THREADS if group.pool is Pool.NONE else concurrency,
        calls_dataworks=not group.reads_code,
        # A check that does not release the interpreter's lock would stop the recovery of everything else.
        runs_plugins=not group.is_planning,
        policy=policy,
        busy=lambda: len(active_requests),
        send_event=events.send_event,
    )
    report.count_hanging(lambda: services.check_threads.hanging)
    _measure_clock(services)
    try:
        if isinstance(events, ProcessEvents):
            report.set_ready()
            _run_loops(services, group, name, events)
        else:
            if not group.reads_code:
                services.dataworks.warm_up()
            tasks.register_tasks(app, services)
            _consume(app, services, group, name, concurrency, roles)
    finally:
        tracing.shut_down()


def _measure_clock(services: Services) -> None:
    """Measure the clock before the first event; while Redis is down, the heartbeat does it later."""
    try:
        clock.measure(services.ledger.client)
    except redis.RedisError as error:
        log.warning("clock_not_measured", error=describe_error(error))


def exit_with_supervisor(lifeline: Lifeline) -> None:
    """Send this process SIGTERM when its supervisor dies, and SIGKILL after STOP_SECONDS."""

    def watch() -> None:
        lifeline.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


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
        if Role.INTAKE in roles:
            _start_file_audit(services, name, stop)
        if Role.CHECKS_IO in roles:
            _start_lookup_server(services, stop)
        reader = SpoolReader(services, sender, queues, concurrency)
        threading.Thread(target=reader.run, args=(stop,), daemon=True).start()
        sending.start()

    def keep_logging(**_: Any) -> None:
        """Keep dwgate's logging: Celery configures none if this signal has a receiver."""

    signals.worker_ready.connect(ready, weak=False)
    signals.setup_logging.connect(keep_logging, weak=False)
    if not services.settings.uses_rabbitmq:
        refused_messages.keep_in_ledger(services)
    signals.worker_process_init.connect(_end_with_pool, weak=False)
    signals.worker_process_shutdown.connect(_export_spans, weak=False)
    remote_control.restrict(app, has_untrusted_code=group.reads_code)
    # Not by `app.worker_main`, which loads Celery's whole command line.
    app.Worker(
        pool_cls=group.pool.value,
        concurrency=concurrency,
        queues=[services.settings.topology[queue].name for queue in queues],
        hostname=name,
        without_mingle=True,
        without_gossip=True,
        loglevel=logging.WARNING,
        quiet=True,
    ).start()
    stop.set()
    if sending.is_alive():
        sending.join(LAST_EVENTS_SECONDS)


def _end_with_pool(**_: Any) -> None:
    """End this process of a pool with the process that started it: its result would go nowhere."""
    end_with_parent(signal.SIGKILL)


def _export_spans(**_: Any) -> None:
    """Export the spans of a process of a pool before it ends."""
    tracing.shut_down()


def _run_loops(services: Services, group: ProcessGroup, name: str, events: ProcessEvents) -> None:
    """Run the loops of a process that consumes no task queue, until SIGTERM."""
    stop = threading.Event()
    set_on_signals(stop)
    threading.Thread(target=_heartbeat, args=(services, name, stop), daemon=True).start()
    if group.is_planning:
        _start_file_audit(services, name, stop)
    log.info("worker_started", worker=name, roles=[*group.queues])
    for sender in (services.app.background_sender.run, events.send_heartbeats):
        threading.Thread(target=sender, args=(stop,), daemon=True).start()
    # What is due does not wait for it, unless DataWorks must be called.
    threading.Thread(target=services.dataworks.warm_up, daemon=True).start()
    first, *others = _loops(services, group)
    for loop in others:
        threading.Thread(target=loop, args=(services, stop), daemon=True).start()
    first(services, stop)


def _loops(
    services: Services, group: ProcessGroup
) -> tuple[Callable[[Services, threading.Event], None], ...]:
    if not group.is_planning:
        return (
            watchdog.run,
            report_recovery.run,
            plan_recovery.run,
            slow_queue_recovery.run,
            memory_watch.run,
            fleet_watch.run,
            queue_watch.run,
        )
    on_rabbitmq = services.settings.uses_rabbitmq
    serve_backstop = backstop_rabbitmq.run if on_rabbitmq else backstop_redis.run
    return serve_backstop, takeover.run, reconciler.run, notifier.run


def _heartbeat(services: Services, name: str, stop: threading.Event) -> None:
    report = clock.SkewReport()
    while True:
        try:
            clock.measure(services.ledger.client)
            skew = report.update()
            metrics.CLOCK_SKEW.set(skew)
            if time.monotonic() - progress.last_progress() < PROGRESS_SECONDS:
                services.ledger.membership.heartbeat(name, skew)
        except redis.RedisError as error:
            log.warning("heartbeat_failed", error=describe_error(error))
        if stop.wait(HEARTBEAT_SECONDS):
            return


def _start_file_audit(services: Services, name: str, stop: threading.Event) -> None:
    """Record which policy a process uses that plans events; the other processes follow a plan."""
    threading.Thread(target=FileAudit(services, name).run, args=(stop,), daemon=True).start()


def _start_lookup_server(services: Services, stop: threading.Event) -> None:
    """Serve the lookups of processes without credentials, in threads that no other work uses."""
    loops = (services.lookup_server.serve_next, 0.0), (services.lookup_server.renew_leases, RENEW_SECONDS)
    for step, every in loops:
        threading.Thread(
            target=engine_loop.run_until_stopped,
            args=(step, stop),
            kwargs={"component": "lookup-server", "every": every},
            daemon=True,
        ).start()
