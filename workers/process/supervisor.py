"""Starts the processes of a worker, replaces them if they die or stall, and serves their metrics.

They are forked from multiprocessing's fork server, which has all modules loaded: that takes a second of CPU
time once instead of per process, and the modules are in memory once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.process import BaseProcess
from pathlib import Path

import structlog

from common.log import configure_logging
from review.parsing.self_test import require_pure_python
from review.rules.registry import INSTALLED
from workers.checks import registry
from workers.policy.policy import load_policy
from workers.process.roles import STOP_SECONDS, Pool, ProcessGroup, Role, groups_for
from workers.progress import SharedTime
from workers.settings import WorkerSettings
from workers.waivers.loader import load_waivers

MIN_RESTART_PAUSE = 1.0
MAX_RESTART_PAUSE = 30.0
STABLE_SECONDS = 60.0
"""A process that ran longer than this is restarted after the minimum pause."""

STALL_SECONDS = 30.0
"""How long a process may make no progress (`workers.progress`) before it is replaced."""

KILL_SECONDS = 5.0
"""How long a stalled process may take to exit after SIGTERM."""

POLL_SECONDS = 0.2

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["workers.process.child", "workers.dataworks.sdk", "celery.bin.celery", *registry.module_names()]
)

log = structlog.get_logger()


@dataclass(slots=True)
class ChildProcess:
    """A worker process and the state of its restarts. Times are on the monotonic clock, in seconds.

    Attributes:
        group: its process group.
        roles: the roles that it runs.
        concurrency: number of tasks that it runs at a time.
        process: the process.
        last_progress: when it last made progress, in memory that it shares with the supervisor.
        started: when it was started.
        pause: seconds between its end and its restart.
        restart_at: when it is started again; 0 while it runs.
        kill_at: when it is killed, since it has stalled; 0 if it has not.
    """

    group: ProcessGroup
    roles: tuple[Role, ...]
    concurrency: int
    process: BaseProcess
    last_progress: SharedTime
    started: float
    pause: float = MIN_RESTART_PAUSE
    restart_at: float = 0.0
    kill_at: float = 0.0

    @property
    def state(self) -> str:
        """`up`, `stalled` or `down`."""
        if not self.process.is_alive():
            return "down"
        return "stalled" if self.kill_at else "up"


def run(
    settings: WorkerSettings,
    roles: Sequence[Role],
    *,
    processes_cpu: int,
    threads: int,
    metrics_host: str,
    metrics_port: int | None,
) -> None:
    """Run a worker until SIGTERM or SIGINT.

    Args:
        settings: loaded by the caller, so that an invalid one is reported once and not by every process.
        roles: roles of the worker; all if empty.
        processes_cpu: number of CPU-bound checks that run at a time; half as many slow ones run in addition.
        threads: number of I/O-bound tasks that run at a time, per process.
        metrics_host: address that the port is opened on.
        metrics_port: port of `/metrics` and `/healthz`; None to serve neither.

    Raises:
        common.config_files.errors.ConfigError: the policy file or the waivers file is invalid.
        review.parsing.self_test.ParserUnusable: SQL cannot be parsed here.
    """
    configure_logging(settings.log_level, "worker")
    checks = registry.load_checks()
    for problem in (*registry.problems(), *INSTALLED.problems):
        log.error("plugin_invalid", **asdict(problem))
    policy = load_policy(settings.policy_file, checks)
    if settings.waivers_file:
        load_waivers(settings.waivers_file, policy.waivers, time.time())
    require_pure_python()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="dwgate-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        children = [
            _start(group, group_roles, _concurrency(group, processes_cpu, threads))
            for group, group_roles in groups_for(roles)
        ]
        server = None if metrics_port is None else _serve(metrics_host, metrics_port, folder, children)
        try:
            last_poll = time.monotonic()
            while not stop.wait(POLL_SECONDS):
                _end_stalled(children, last_poll)
                last_poll = time.monotonic()
                _restart_dead(children)
        finally:
            _stop_all(children)
            if server:
                server.shutdown()
                server.server_close()


def _concurrency(group: ProcessGroup, processes_cpu: int, threads: int) -> int:
    if group.is_slow:
        return max(1, processes_cpu // 2)
    return processes_cpu if group.pool is Pool.PREFORK else threads


def _start(group: ProcessGroup, roles: tuple[Role, ...], concurrency: int) -> ChildProcess:
    now = time.monotonic()
    last_progress = _FORKS.Value("d", now, lock=False)
    arguments = (group, roles, concurrency, last_progress)
    process = _FORKS.Process(target=_child_main, args=arguments, name=group.name)
    process.start()
    return ChildProcess(group, roles, concurrency, process, last_progress, now)


def _child_main(
    group: ProcessGroup, roles: tuple[Role, ...], concurrency: int, last_progress: SharedTime
) -> None:
    """Entry point of a child process."""
    from workers.process import child  # noqa: PLC0415 - preloaded in the fork server, not in the supervisor

    # Ctrl-C in a terminal then reaches the supervisor only, which stops its processes in order.
    os.setpgid(0, 0)
    if sys.platform == "linux":
        # The name in top and ps; the command line is that of the fork server.
        Path("/proc/self/comm").write_text(f"dwgate-{group.name}")
    child.run(group, roles, concurrency, last_progress)


def _end_stalled(children: list[ChildProcess], last_poll: float) -> None:
    """End the processes that have made no progress for STALL_SECONDS; they are then restarted.

    Args:
        children: the processes.
        last_poll: when this was last done. If the supervisor itself stood still since then, as in a paused
            container, its processes did, too: they get the whole time once more.
    """
    now = time.monotonic()
    for child in children:
        if now - last_poll > KILL_SECONDS:
            child.last_progress.value = now
        if not child.process.is_alive():
            continue
        if child.kill_at:
            if now >= child.kill_at:
                child.process.kill()
        elif (seconds := now - child.last_progress.value) > STALL_SECONDS:
            log.error("process_stalled", group=child.group.name, roles=[*child.roles], seconds=round(seconds))
            _count_stalled(child.group)
            child.kill_at = now + KILL_SECONDS
            child.process.terminate()


def _count_stalled(group: ProcessGroup) -> None:
    # Imported here since the library reads PROMETHEUS_MULTIPROC_DIR at import.
    from workers import metrics  # noqa: PLC0415

    metrics.STALLED.labels(group.name).inc()


def _restart_dead(children: list[ChildProcess]) -> None:
    now = time.monotonic()
    for child in children:
        if child.process.is_alive():
            continue
        if child.restart_at == 0.0:
            steady = now - child.started > STABLE_SECONDS
            child.pause = MIN_RESTART_PAUSE if steady else min(child.pause * 2, MAX_RESTART_PAUSE)
            child.restart_at = now + child.pause
            log.error("process_exited", group=child.group.name, code=child.process.exitcode)
        elif now >= child.restart_at:
            again = _start(child.group, child.roles, child.concurrency)
            child.process, child.last_progress = again.process, again.last_progress
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


def _serve(host: str, port: int, folder: str, children: list[ChildProcess]) -> ThreadingHTTPServer:
    # Imported here since the library reads PROMETHEUS_MULTIPROC_DIR at import.
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Serve `/metrics` and `/healthz`."""
            if self.path == "/metrics":
                registry_ = CollectorRegistry()
                MultiProcessCollector(registry_, path=folder)  # type: ignore[no-untyped-call]
                self._answer(200, generate_latest(registry_))
            elif self.path == "/healthz":
                states = sorted({f"{role} {child.state}" for child in children for role in child.roles})
                faults = [state for state in states if not state.endswith(" up")]
                self._answer(503 if faults else 200, "\n".join(faults or ["ok"]).encode())
            else:
                self._answer(404, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Do not log requests."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    server = Server((host, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shown = f"[{host}]" if ":" in host else host
    log.info("metrics_server_started", url=f"http://{shown}:{server.server_port}/metrics")
    return server
