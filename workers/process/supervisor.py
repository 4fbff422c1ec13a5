"""Starts the processes of a worker, and replaces them if they die or stall.

The supervisor loads all modules and forks its processes: that takes a second of CPU time once instead of per
process, and the modules are in memory once (`workers.process.preloaded`). So it must have one thread only:
the metrics are served by a process of their own.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http.server import ThreadingHTTPServer
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

import structlog

from common.config_files.errors import ConfigError
from common.errors import DwgateError
from common.log import configure_logging
from workers.process import preloaded
from workers.process.forks import FORKS, Forks
from workers.process.health import Health, health_of
from workers.process.monitoring import metrics_server
from workers.process.monitoring.metrics_process import MetricsProcess
from workers.process.process_state import ProcessState
from workers.process.roles import STOP_SECONDS, Pool, ProcessGroup, Role, groups_for
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from celery import Celery

    from workers.policy.policy import Policy

MIN_RESTART_PAUSE = 1.0
MAX_RESTART_PAUSE = 30.0
"""Limits of the pause before a process that ended is started again; it doubles each time. The process that
keeps the deadlines always has the shortest one: the margin of a deadline may be 2 seconds.
"""

STABLE_SECONDS = 60.0
"""A process that ran longer than this is restarted after the minimum pause."""

STALL_SECONDS = 30.0
"""How long a process may make no progress (`workers.progress`) before it is replaced."""

KILL_SECONDS = 5.0
"""How long a stalled process may take to exit after SIGTERM."""

MAX_HANGING_CHECKS = 100
"""Abandoned runs of checks above which a process is replaced, as each of them keeps a thread."""

POLL_SECONDS = 0.2

log = structlog.get_logger()


class StartFailed(DwgateError):
    """The processes of the worker cannot be started."""


@dataclass(slots=True)
class ChildProcess:
    """A worker process and the state of its restarts. Times are on the monotonic clock, in seconds.

    Attributes:
        group: its process group.
        roles: the roles that it runs.
        concurrency: number of tasks that it runs at a time.
        shared: its state, in memory that all processes of the worker share.
        process: the process.
        started: when it was started.
        pause: seconds between its end and its restart.
        restart_at: when it is started again; 0 while it runs.
        kill_at: when it is killed, since it has stalled; 0 if it has not.
    """

    group: ProcessGroup
    roles: tuple[Role, ...]
    concurrency: int
    shared: ProcessState
    process: BaseProcess
    started: float
    pause: float = MIN_RESTART_PAUSE
    restart_at: float = 0.0
    kill_at: float = 0.0

    def update_health(self) -> Health:
        """Note whether it runs and is ready now, and return its health."""
        self.shared.pid = (self.process.pid or 0) if self.process.is_alive() else 0
        health = health_of(self.roles, self.shared)
        if health.state == "ready":
            self.shared.was_ready, self.shared.ready_at = True, time.monotonic()
        return health


def run(
    settings: WorkerSettings,
    roles: Sequence[Role],
    *,
    processes_cpu: int,
    threads: int,
    metrics_host: str,
    metrics_port: int | None,
    check_access: Callable[[WorkerSettings], None],
) -> None:
    """Run a worker until SIGTERM or SIGINT.

    Args:
        settings: loaded by the caller, so that an invalid one is reported once and not by every process.
        roles: roles of the worker; all if empty.
        processes_cpu: number of CPU-bound checks that run at a time; half as many slow ones run in addition.
        threads: number of I/O-bound tasks that run at a time, per process.
        metrics_host: address that the port is opened on.
        metrics_port: port of `/metrics`, `/healthz` and `/readyz`; None to serve none of them.
        check_access: raises an error if an engine refuses the settings.

    Raises:
        DwgateError: what `check_access` raised.
        common.config_files.errors.ConfigError: the policy file or the waivers file is invalid.
        review.parsing.self_test.ParserUnusable: SQL cannot be parsed here.
        StartFailed: the configuration cannot be validated.
    """
    configure_logging(settings.log_level, "worker")
    forks = Forks()
    groups = groups_for(roles)
    with tempfile.TemporaryDirectory(prefix="dwgate-metrics-") as folder:
        # Before the modules are loaded: the library reads it at import.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        _load_modules(groups, is_traced=settings.trace_ratio > 0)
        policy = _read_policy(settings)
        _validate(forks, settings, policy, check_access)
        start = partial(_start, forks, settings, _create_app(settings), policy)
        # What is loaded stays for ever. Frozen, no collection looks at it, so that it remains shared.
        gc.freeze()
        states = list(FORKS.RawArray(ProcessState, len(groups)))
        metrics = None
        if metrics_port is not None:
            server = _listen(metrics_host, metrics_port, folder, groups, states)
            metrics = MetricsProcess(forks, server)
            metrics.keep()
        children = [
            start(group, group_roles, _concurrency(group, processes_cpu, threads), shared)
            for (group, group_roles), shared in zip(groups, states, strict=True)
        ]
        try:
            last_poll = time.monotonic()
            while not forks.stop.wait(POLL_SECONDS):
                _end_stalled(children, last_poll)
                last_poll = time.monotonic()
                _restart_dead(children, start)
                if metrics:
                    metrics.keep()
                for child in children:
                    child.update_health()
        finally:
            _stop_all(children)
            if metrics:
                metrics.stop()


def _load_modules(groups: Sequence[tuple[ProcessGroup, tuple[Role, ...]]], *, is_traced: bool) -> None:
    """Load what the processes of `groups` need."""
    preloaded.load(calls_dataworks=not all(group.reads_code for group, _ in groups), is_traced=is_traced)


def _create_app(settings: WorkerSettings) -> Celery:
    """Return the Celery application with everything that all processes need; nothing is connected."""
    from workers.celery_app import create_app  # noqa: PLC0415 - not in the first import of the command

    app = create_app(settings)
    app.finalize()
    return app


def _read_policy(settings: WorkerSettings) -> Policy | None:
    """Return the policy, for all processes; None if it is invalid: the validation then says why."""
    from workers.checks import registry  # noqa: PLC0415 - not in the first import of the command
    from workers.policy.policy import load_policy  # noqa: PLC0415

    try:
        return load_policy(settings.policy_file, registry.load_checks())
    except ConfigError:
        return None


def _validate(
    forks: Forks,
    settings: WorkerSettings,
    policy: Policy | None,
    check_access: Callable[[WorkerSettings], None],
) -> None:
    """Validate the configuration in a process of its own, since it may start threads, and raise the error."""
    from workers.process import configuration  # noqa: PLC0415 - only its processes need it

    answers, sender = FORKS.Pipe(duplex=False)
    with answers:
        arguments = (settings, policy, sender, check_access)
        process = forks.start(configuration.send_validation, *arguments, name="validation")
        sender.close()
        try:
            error = answers.recv()
        except EOFError:
            error = StartFailed("the configuration cannot be validated; the log shows why")
        process.join()
    if error:
        raise error


def _listen(
    host: str,
    port: int,
    folder: str,
    groups: Sequence[tuple[ProcessGroup, tuple[Role, ...]]],
    states: Sequence[ProcessState],
) -> ThreadingHTTPServer:
    """Open the port of the server, which another process runs: that sees only what is in shared memory."""

    def pids() -> dict[str, int]:
        running = {
            group.name: state.pid for (group, _), state in zip(groups, states, strict=True) if state.pid
        }
        return {"supervisor": os.getppid(), **running}

    def healths() -> list[Health]:
        return [health_of(roles, state) for (_, roles), state in zip(groups, states, strict=True)]

    return metrics_server.listen(host, port, folder, healths, pids)


def _concurrency(group: ProcessGroup, processes_cpu: int, threads: int) -> int:
    if group.is_slow:
        return max(1, processes_cpu // 2)
    return processes_cpu if group.pool is Pool.PREFORK else threads


def _start(
    forks: Forks,
    settings: WorkerSettings,
    app: Celery,
    policy: Policy | None,
    group: ProcessGroup,
    roles: tuple[Role, ...],
    concurrency: int,
    shared: ProcessState,
) -> ChildProcess:
    from workers.process import child  # noqa: PLC0415 - not in the first import of the command

    shared.last_progress, shared.is_ready = time.monotonic(), False
    shared.hanging_checks, shared.was_ready = 0, False
    arguments = (settings, app, policy, group, roles, concurrency, shared, forks.lifeline)
    process = forks.start(child.run, *arguments, name=group.name)
    started = ChildProcess(group, roles, concurrency, shared, process, time.monotonic())
    started.update_health()
    return started


def _end_stalled(children: list[ChildProcess], last_poll: float) -> None:
    """End the processes without progress for STALL_SECONDS, or full of checks that hang; others replace them.

    Args:
        children: the processes.
        last_poll: when this was last done. If the supervisor itself stood still since then, as in a paused
            container, its processes did, too: they get the whole time once more.
    """
    now = time.monotonic()
    for child in children:
        if now - last_poll > KILL_SECONDS:
            child.shared.last_progress = now
        if not child.process.is_alive():
            continue
        if child.kill_at:
            if now >= child.kill_at:
                child.process.kill()
            continue
        seconds, hanging = now - child.shared.last_progress, child.shared.hanging_checks
        if seconds > STALL_SECONDS or hanging > MAX_HANGING_CHECKS:
            log.error(
                "process_stalled",
                group=child.group.name,
                roles=[*child.roles],
                seconds=round(seconds),
                hanging_checks=hanging,
            )
            _count_stalled(child.group)
            # One that makes progress may finish its tasks.
            child.kill_at = now + (KILL_SECONDS if seconds > STALL_SECONDS else STOP_SECONDS)
            child.process.terminate()


def _count_stalled(group: ProcessGroup) -> None:
    # Imported here since the library reads PROMETHEUS_MULTIPROC_DIR at import.
    from workers import metrics  # noqa: PLC0415

    metrics.STALLED.labels(group.name).inc()


def _remove_gauges(pid: int | None) -> None:
    """Remove the gauges of a process that has ended: the metrics of the worker would show them for ever."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - see above

    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]


def _restart_dead(children: list[ChildProcess], start: Callable[..., ChildProcess]) -> None:
    now = time.monotonic()
    for child in children:
        if child.process.is_alive():
            continue
        if child.restart_at == 0.0:
            steady = child.group.keeps_deadlines or now - child.started > STABLE_SECONDS
            child.pause = MIN_RESTART_PAUSE if steady else min(child.pause * 2, MAX_RESTART_PAUSE)
            child.restart_at = now + child.pause
            log.error("process_exited", group=child.group.name, code=child.process.exitcode)
            _remove_gauges(child.process.pid)
        elif now >= child.restart_at:
            again = start(child.group, child.roles, child.concurrency, child.shared)
            child.process, child.started = again.process, now
            child.restart_at, child.kill_at = 0.0, 0.0


def _stop_all(children: list[ChildProcess]) -> None:
    for child in children:
        child.process.terminate()
    limit = time.monotonic() + STOP_SECONDS
    for child in children:
        child.process.join(max(0.1, limit - time.monotonic()))
        if child.process.is_alive():
            log.warning("process_killed", group=child.group.name)
            child.process.kill()
            child.process.join()
