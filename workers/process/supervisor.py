"""Starts the processes of a worker, replaces them if they die or stall, and serves their metrics.

They are forked from multiprocessing's fork server, which has all modules loaded: that takes a second of CPU
time once instead of per process, and the modules are in memory once (`workers.process.preloaded`). The
supervisor itself loads little.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import structlog

from common.errors import DwgateError
from common.log import configure_logging
from common.processes.stop_signals import set_on_signals
from workers.process.health import Health
from workers.process.monitoring import metrics_server
from workers.process.process_state import ProcessState
from workers.process.roles import STOP_SECONDS, Pool, ProcessGroup, Role, groups_for
from workers.settings import WorkerSettings

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

_IMPORT_PAUSE = "common.processes.import_pause"
_STRUCTLOG = "common.processes.structlog_import"
_PRELOADED = "workers.process.preloaded"
_SDK = "workers.dataworks.sdk"
_RECORDER = "common.tracing.recorder"
"""Modules loaded before the first fork; the SDK before the last one, if a process calls DataWorks; the
recorder of spans if events are traced."""

_FORKS = multiprocessing.get_context("forkserver")

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
        process: the process.
        shared: its state, in memory that it shares with the supervisor.
        started: when it was started.
        pause: seconds between its end and its restart.
        restart_at: when it is started again; 0 while it runs.
        kill_at: when it is killed, since it has stalled; 0 if it has not.
        ready_at: when it, or a process before it, was last ready; 0 if none ever was.
        was_ready: whether this process was ready.
    """

    group: ProcessGroup
    roles: tuple[Role, ...]
    concurrency: int
    process: BaseProcess
    shared: ProcessState
    started: float
    pause: float = MIN_RESTART_PAUSE
    restart_at: float = 0.0
    kill_at: float = 0.0
    ready_at: float = 0.0
    was_ready: bool = False

    def health(self) -> Health:
        """Return its health now."""
        now = time.monotonic()
        health = Health(
            self.roles,
            self.process.is_alive(),
            self.shared.is_ready,
            self.was_ready,
            now - self.shared.last_progress,
            now - self.ready_at if self.ready_at else None,
            self.shared.hanging_checks,
        )
        if health.state == "ready":
            self.was_ready, self.ready_at = True, now
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
        check_access: raises an error if an engine refuses the settings. It must be picklable: it is called in
            another process, which has the engines' clients loaded.

    Raises:
        DwgateError: what `check_access` raised.
        common.config_files.errors.ConfigError: the policy file or the waivers file is invalid.
        review.parsing.self_test.ParserUnusable: SQL cannot be parsed here.
        StartFailed: the processes cannot be started.
    """
    configure_logging(settings.log_level, "worker")
    stop = threading.Event()
    set_on_signals(stop)
    groups = groups_for(roles)
    _preload(groups, is_traced=settings.trace_ratio > 0)
    with tempfile.TemporaryDirectory(prefix="dwgate-metrics-") as folder:
        # Before the fork server is started: the library reads it at import.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        _validate(check_access)
        children = [
            _start(group, group_roles, _concurrency(group, processes_cpu, threads))
            for group, group_roles in groups
        ]
        server = None
        if metrics_port is not None:
            _create_series()
            server = metrics_server.serve(
                metrics_host,
                metrics_port,
                folder,
                lambda: [child.health() for child in children],
                lambda: _pids(children),
            )
        try:
            last_poll = time.monotonic()
            while not stop.wait(POLL_SECONDS):
                _end_stalled(children, last_poll)
                last_poll = time.monotonic()
                _restart_dead(children)
                for child in children:
                    child.health()
        finally:
            _stop_all(children)
            if server:
                server.shutdown()
                server.server_close()


def _preload(groups: Sequence[tuple[ProcessGroup, tuple[Role, ...]]], *, is_traced: bool) -> None:
    """Let the fork server load what the processes of `groups` need."""
    sdk = () if all(group.reads_code for group, _ in groups) else (_SDK,)
    recorder = (_RECORDER,) if is_traced else ()
    _FORKS.set_forkserver_preload([_IMPORT_PAUSE, _STRUCTLOG, *sdk, *recorder, _PRELOADED])


def _validate(check_access: Callable[[WorkerSettings], None]) -> None:
    """Validate the configuration in a process of the fork server, and raise the error."""
    answers, sender = _FORKS.Pipe(duplex=False)
    with answers, _no_main_module():
        process = _FORKS.Process(target=_validation_main, args=(sender, check_access), name="validation")
        process.start()
        sender.close()
        try:
            error = answers.recv()
        except EOFError:
            error = StartFailed("dwgate cannot be loaded; the log shows why")
        process.join()
    if error:
        raise error


def _validation_main(answers: Connection, check_access: Callable[[WorkerSettings], None]) -> None:
    """Entry point of the process that validates."""
    from workers.process import configuration  # noqa: PLC0415 - preloaded in the fork server

    configuration.send_validation(answers, check_access)


def _create_series() -> None:
    """Create the series of the metrics, in a process of the fork server: it has what they are named by."""
    with _no_main_module():
        _FORKS.Process(target=_series_main, name="metric-series", daemon=True).start()


def _series_main() -> None:
    """Entry point of the process that creates the series."""
    from workers.process.monitoring import metric_series  # noqa: PLC0415 - not in the supervisor, as above

    metric_series.create_series()


def _pids(children: Sequence[ChildProcess]) -> dict[str, int]:
    """Return the pid of each running process by its group, and that of this one as `supervisor`."""
    found = {child.group.name: child.process.pid for child in children if child.process.is_alive()}
    return {"supervisor": os.getpid(), **{name: pid for name, pid in found.items() if pid is not None}}


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Keep multiprocessing from importing the main module, the command line, again in each child.

    It would take a fifth of a second per process; the entry points are not in the main module.
    """
    main = vars(sys.modules["__main__"])
    names: dict[str, object] = {name: main.pop(name) for name in ("__spec__", "__file__") if name in main}
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update(names)


def _concurrency(group: ProcessGroup, processes_cpu: int, threads: int) -> int:
    if group.is_slow:
        return max(1, processes_cpu // 2)
    return processes_cpu if group.pool is Pool.PREFORK else threads


def _start(group: ProcessGroup, roles: tuple[Role, ...], concurrency: int) -> ChildProcess:
    now = time.monotonic()
    shared = _FORKS.RawValue(ProcessState, now)
    arguments = (group, roles, concurrency, shared)
    process = _FORKS.Process(target=_child_main, args=arguments, name=group.name)
    with _no_main_module():
        process.start()
    return ChildProcess(group, roles, concurrency, process, shared, now)


def _child_main(group: ProcessGroup, roles: tuple[Role, ...], concurrency: int, shared: ProcessState) -> None:
    """Entry point of a child process."""
    from workers.process import child  # noqa: PLC0415 - preloaded in the fork server, not in the supervisor

    # Ctrl-C in a terminal then reaches the supervisor only, which stops its processes in order.
    os.setpgid(0, 0)
    if sys.platform == "linux":
        # The name in top and ps; the command line is that of the fork server.
        Path("/proc/self/comm").write_text(f"dwgate-{group.name}")
    child.run(group, roles, concurrency, shared)


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


def _restart_dead(children: list[ChildProcess]) -> None:
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
            again = _start(child.group, child.roles, child.concurrency)
            child.process, child.shared, child.was_ready = again.process, again.shared, False
            child.started, child.restart_at, child.kill_at = now, 0.0, 0.0


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
