"""One process of the local stack: started from its command, with its own log, and stopped in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import orjson

from common.errors import DwgateError
from common.processes import parent_death

START_SECONDS = 60.0
"""Seconds within which a process must be ready."""

STOP_SECONDS = 30.0
"""Seconds that a process has to exit after SIGTERM; a worker needs up to 25."""

_END_WITH_PARENT = (sys.executable, "-I", "-S", parent_death.__file__)
"""Starts a command so that it ends with this process, however this process ends."""

POLL_SECONDS = 0.05
TAIL_LINES = 15

Found = TypeVar("Found")


class ServiceError(DwgateError):
    """A process of the stack did not start: the message names it, and quotes the end of its log."""


class ManagedProcess:
    """One process.

    Args:
        name: its name in messages; its log is `logs/NAME.log`.
        command: program and arguments; secrets belong in the environment or in a file.
        folder: its working directory, which also contains the logs' directory.
        environment: its whole environment; None for that of this process.
    """

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = folder / "logs" / f"{name}.log"
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("wb") as log:
            # A separate session: Ctrl-C reaches only this process, which stops the others in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                [*_END_WITH_PARENT, *command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether the process is running."""
        return self._process.poll() is None

    def listening(self) -> str | None:
        """Return the URL in its log event `listening`; None before that event."""
        for line in self.log.read_bytes().splitlines():
            if b'"server_started"' in line:
                return str(orjson.loads(line)["url"])
        return None

    def tail(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def stop(self, limit: float) -> None:
        """Wait until the process exits; at `limit` (monotonic seconds) kill it and its whole session."""
        try:
            self._process.wait(max(0.1, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def wait_for(
    what: str,
    look: Callable[[], Found | None],
    services: Iterable[ManagedProcess],
    seconds: float = START_SECONDS,
) -> Found:
    """Poll `look` until it returns a value, and return that.

    Args:
        what: what is waited for, for the error.
        look: returns None while the value is not available.
        services: the processes it depends on; if one exits, waiting stops.
        seconds: maximum time to wait.

    Raises:
        ServiceError: a process exited, or the time is up.
    """
    watched = tuple(services)
    limit = time.monotonic() + seconds
    while (found := look()) is None:
        for service in watched:
            if not service.running:
                raise ServiceError(f"{service.name} exited during start; its log ends:\n{service.tail()}")
        if time.monotonic() > limit:
            tails = "\n".join(f"the log of {service.name} ends:\n{service.tail()}" for service in watched)
            raise ServiceError(f"{what}: not ready after {seconds:.0f} s; {tails}")
        time.sleep(POLL_SECONDS)
    return found


def stop_all(services: Iterable[ManagedProcess]) -> None:
    """Stop processes concurrently: SIGTERM, and SIGKILL for those still running after STOP_SECONDS."""
    ending = tuple(services)
    for service in ending:
        service.terminate()
    limit = time.monotonic() + STOP_SECONDS
    for service in ending:
        service.stop(limit)


def free_port() -> int:
    """Return a TCP port of loopback that is currently unused."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
