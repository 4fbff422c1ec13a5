"""Runs work on hostile input in a forked process that a limit can end, for commands.

Workers need none of this: each of their check processes is one that may be ended.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from common.processes import memory_limits, time_limits
from common.processes.memory_limits import REVIEW_BYTES
from common.processes.time_limits import KILL_SIGNAL, TimeLimitReached

Job = TypeVar("Job")
Result = TypeVar("Result")

_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Why a job has no result: its input broke or stalled it.

    Attributes:
        is_timeout: whether it reached the time limit.
        reason: a few words, without data of the job.
    """

    is_timeout: bool
    reason: str


TIMEOUT = Interrupted(is_timeout=True, reason="the time limit was reached")
MEMORY = Interrupted(is_timeout=False, reason="it needs too much memory")


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that the process requests of the one that started it."""

    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception


class RemoteCalls:
    """In the process: the methods of an object that lives in the process that started it."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection

    def __getattr__(self, method: str) -> Any:
        """Return a function that calls `method` there."""

        def call(*args: Any, **kwargs: Any) -> Any:
            self._connection.send(_Call(method, args, kwargs))
            answer = self._connection.recv()
            if isinstance(answer, _Raised):
                raise answer.error
            return answer

        return call


class IsolatedProcess(Generic[Job, Result]):
    """A forked process that does jobs one at a time, within limits of time and memory. It starts when needed.

    Args:
        work: does one job; its second argument calls methods of `served`. Jobs and results are pickled.
        seconds: time limit of one job.
        served: the object whose methods `work` may call; a call does not count as the job's time.
    """

    def __init__(
        self, work: Callable[[Job, RemoteCalls], Result], seconds: float, served: object = None
    ) -> None:
        self._work = work
        self._seconds = seconds
        self._served = served
        self._process: Any = None
        self._connection: Connection[Any, Any] | None = None

    @property
    def connection(self) -> Connection[Any, Any]:
        """Becomes readable when the job that was started has ended, or calls."""
        assert self._connection is not None  # noqa: S101 - only read while a job runs
        return self._connection

    def start(self, job: Job) -> None:
        """Start a job; the one before it has ended."""
        if self._process is not None and not self._process.is_alive():
            self.close()
        if self._process is None:
            self._connection, inside = _FORK.Pipe()
            self._process = _FORK.Process(
                target=_do_jobs, args=(inside, self._work, self._seconds), daemon=True
            )
            self._process.start()
            # Only the process has this end now: its death is the end of the stream.
            inside.close()
        self.connection.send(job)

    def result(self) -> Result | Interrupted:
        """Wait for the job's result; after the death of the process, the reason.

        Raises:
            Exception: whatever the job raised.
        """
        while True:
            try:
                answer = self.connection.recv()
            except (EOFError, ConnectionError):
                return self._interruption()
            if isinstance(answer, _Call):
                self.connection.send(self._serve(answer))
            elif isinstance(answer, _Raised):
                raise answer.error
            else:
                result: Result | Interrupted = answer
                return result

    def run(self, job: Job) -> Result | Interrupted:
        """Do one job; see `result`."""
        self.start(job)
        return self.result()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self.connection.close()
            self._process = self._connection = None

    def _serve(self, call: _Call) -> Any:
        try:
            return getattr(self._served, call.method)(*call.args, **call.kwargs)
        except Exception as error:  # noqa: BLE001 - raised again in the process
            return _Raised(error)

    def _interruption(self) -> Interrupted:
        self._process.join()
        code = self._process.exitcode
        self.close()
        if code == -KILL_SIGNAL:
            return TIMEOUT
        end = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        return Interrupted(is_timeout=False, reason=f"its process ended with {end}")


def _do_jobs(
    connection: Connection[Any, Any], work: Callable[[Any, RemoteCalls], Any], seconds: float
) -> None:
    # Ctrl-C in a terminal reaches the process that started this one, which ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    calls = RemoteCalls(connection)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        answer = _do_job(work, job, calls, seconds)
        try:
            connection.send(answer)
        except (TypeError, AttributeError, ValueError) as error:
            # A result or an exception that cannot be pickled.
            connection.send(_Raised(TypeError(f"cannot be sent: {type(error).__name__}")))


def _do_job(work: Callable[[Any, RemoteCalls], Any], job: Any, calls: RemoteCalls, seconds: float) -> Any:
    try:
        with time_limits.limited(seconds), memory_limits.limited(REVIEW_BYTES):
            return work(job, calls)
    except TimeLimitReached:
        return TIMEOUT
    except MemoryError:
        return MEMORY
    except Exception as error:  # noqa: BLE001 - raised again in the process that started this one
        return _Raised(error)
