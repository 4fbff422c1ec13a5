"""Queries DataWorks for waiting operations, and answers those that are lost, ignored or dead.

EventBridge's default retry ends after about a minute; without the reconciler, an operation whose event was
lost would remain in Checking. One sweep queries every extension point, several at a time. A fault of
DataWorks ends only the work on the operation or extension point that it concerns.
"""

from __future__ import annotations

import math
import queue
import random
import socket
import threading
import time

import redis
import structlog
from kombu.exceptions import KombuError

from common import clock, tracing
from common.events import Event
from common.extension_points import BY_CODE
from common.ledger import EventRecord, State
from workers import metrics, progress, reporter
from workers.dataworks.errors import DataWorksError
from workers.dataworks.models import CheckProcess, ProcessStatus
from workers.intake import admit, advance
from workers.pipeline import planner
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services
from workers.task_base import error_location

WAIVER_WARNING_SECONDS = 86400.0
"""Seconds between two log warnings about waivers that expire soon."""

CALL_SECONDS = 20.0
"""Timeout of the query for one extension point, in seconds."""

FAILURE_SECONDS = 20.0
"""Time that failed recoveries may take at one extension point; the rest is left to the next sweep."""

THREADS = 8
"""Extension points that are swept at a time: one that hangs delays only those that share its thread."""

log = structlog.get_logger()


def run(services: Services, stop: threading.Event) -> None:
    """Sweep every `reconcile_seconds` until `stop` is set, in one process of the fleet at a time."""
    every = services.settings.reconcile_seconds
    busy: set[str] = set()

    def step() -> None:
        if services.ledger.membership.try_lead("reconciler", every):
            sweep(services, busy, seconds=every)
        if services.ledger.membership.try_lead("waivers", WAIVER_WARNING_SECONDS):
            warn_expiring_waivers(services, clock.now())

    run_until_stopped(step, stop, component="reconciler", every=min(every, 5.0), pause=0)


def sweep(services: Services, busy: set[str] | None = None, *, seconds: float = math.inf) -> None:
    """Query every extension point once for waiting operations, and recover those without an answer.

    An extension point, or an operation, for which DataWorks fails or refuses, is logged and left to the next
    sweep.

    Args:
        services: of this process.
        busy: the extension points that an earlier sweep has not finished; they are omitted. It is updated.
        seconds: how long to wait for all of them; those that hang continue in the background.

    Raises:
        Exception: a fault of Redis or the broker, after the other extension points were swept.
    """
    started, limit = clock.now(), time.monotonic() + seconds
    busy = set() if busy is None else busy
    codes = [code for code in BY_CODE if code not in busy]
    busy.update(codes)
    remaining: queue.SimpleQueue[str] = queue.SimpleQueue()
    for code in codes:
        remaining.put(code)
    faults: list[Exception] = []

    def sweep_points() -> None:
        while True:
            try:
                code = remaining.get_nowait()
            except queue.Empty:
                return
            try:
                _sweep_point(services, code, started)
            except Exception as error:  # noqa: BLE001 - raised below, after the other extension points
                faults.append(error)
            finally:
                busy.discard(code)

    # Daemons, unlike the threads of a pool: a query that hangs does not keep a stopping process alive.
    threads = [threading.Thread(target=sweep_points, daemon=True) for _ in range(min(THREADS, len(codes)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(min(max(limit - time.monotonic(), 0), threading.TIMEOUT_MAX))
    if faults:
        raise faults[0]


def _sweep_point(services: Services, code: str, started: float) -> None:
    with progress.step(may_wait=True):
        try:
            waiting = services.dataworks.check_processes(
                code, status=ProcessStatus.CHECKING, deadline=clock.now() + CALL_SECONDS
            )
        except DataWorksError as error:
            metrics.SWEEPS_FAILED.labels(code).inc()
            log.warning("sweep_failed", event_code=code, error=error.code)
            return
        metrics.LAST_SWEEP.set(clock.now())
        failed = 0.0
        # In random order: those that fail must not always keep the same others waiting.
        for process in random.sample(waiting, len(waiting)):
            begin = time.monotonic()
            if not _recover_guarded(services, code, process, started):
                failed += time.monotonic() - begin
            if failed > FAILURE_SECONDS:
                log.warning("sweep_cut_short", event_code=code)
                return


def _recover_guarded(services: Services, code: str, process: CheckProcess, started: float) -> bool:
    """Recover one operation; return False if it failed. Faults of Redis and the broker are raised."""
    with structlog.contextvars.bound_contextvars(message_id=process.message_id):
        try:
            _recover(services, code, process, started)
        except DataWorksError as error:
            log.warning("recovery_failed", event_code=code, error=error.code)
        except (redis.RedisError, KombuError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - one operation must not stop the others
            log.error(
                "recovery_failed", event_code=code, error=type(error).__name__, at=error_location(error)
            )
        else:
            return True
        return False


def warn_expiring_waivers(services: Services, now: float) -> None:
    """Log waivers that expire soon, after which their findings count again."""
    for waiver in services.waivers.expiring(now):
        log.warning("waiver_expiring", id=waiver.id, owner=waiver.owner, at=waiver.expires_at.isoformat())


def _recover(services: Services, code: str, process: CheckProcess, sweep_started: float) -> None:
    # Only if seen in an earlier sweep: an event that is still on its way gets time to arrive.
    if not services.ledger.seen_at_least_ago(process.message_id, services.settings.reconcile_seconds * 0.9):
        return
    record = services.ledger.get(process.message_id)
    if record is not None and record.state is State.DEAD:
        _report_dead(services, record)
        return
    if record is not None and record.state is not State.IGNORED:
        return
    # The list also contains operations that wait for other extensions.
    if not services.enabled_workspaces.is_enabled(code, process.project_id, known_since=sweep_started):
        return
    log.warning("event_recovered", event_code=code, project_id=process.project_id)
    metrics.RECOVERED.labels(code).inc()
    if record is None:
        _admit(services, code, process)
    else:
        _reopen(services, record)


def _admit(services: Services, code: str, process: CheckProcess) -> None:
    with tracing.start_trace("recover", event_code=code, message_id=process.message_id) as span:
        event = Event(
            message_id=process.message_id,
            event_code=code,
            project_id=process.project_id,
            operator=process.operator,
            blocking=None,
            data={},
            received_at=clock.now(),
            recovered=True,
            traceparent=span.traceparent,
        )
        advance(services, *admit(services, [event]))


def _reopen(services: Services, record: EventRecord) -> None:
    """Run an ignored event: DataWorks listed it too late, or the extension has been enabled since."""
    event = record.event
    times = planner.deadline_for(event, services.policy, admitted_at=clock.now())
    actor = f"reconciler@{socket.gethostname()}"
    if services.ledger.reopen(event.message_id, *times, actor=actor, reason="DataWorks waits for it") > 0:
        advance(services, *admit(services, [event]))


def _report_dead(services: Services, record: EventRecord) -> None:
    """Try to answer a dead event; it stays dead until DataWorks has its verdict."""
    log.warning("dead_event_retried", event_code=record.event.event_code)
    takeover_after = reporter.takeover_seconds(record)
    reporter.decide_and_post(services, record.event.message_id, due=True, takeover_after=takeover_after)
