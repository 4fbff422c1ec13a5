"""Work in a process of its own: results, calls, limits, crashes and exceptions."""

from __future__ import annotations

import collections
import itertools
import os
import signal
import sys
from collections.abc import Iterator

import pytest

from common.processes.isolated_process import MEMORY, TIMEOUT, Interrupted, IsolatedProcess, RemoteCalls
from common.processes.time_limits import TimeLimitReached

SECONDS = 0.3
Process = IsolatedProcess[str, str]


RAISED = {"limit": TimeLimitReached(), "memory": MemoryError(), "raise": ValueError("as it is")}


class Library:
    """What the work may look up."""

    def title(self, number: int, *, loud: bool = False) -> str:
        if number < 0:
            raise LookupError(str(number))
        return f"book {number}{'!' * loud}"


def work(job: str, library: RemoteCalls) -> str:
    if job in RAISED:
        raise RAISED[job]
    match job:
        case "pid":
            return str(os.getpid())
        case "call":
            return str(library.title(7, loud=True))
        case "failing call":
            return str(library.title(-1))
        case "stall":
            collections.deque(itertools.repeat(0), maxlen=0)
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            sys.exit(3)
        case "unpicklable":
            return lambda: job  # type: ignore[return-value]
    return job.upper()


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process(work, SECONDS, served=Library())
    yield process
    process.close()


def test_jobs_are_done_one_after_another(process: Process) -> None:
    assert [process.run(job) for job in ("a", "b", "c")] == ["A", "B", "C"]


def test_calls_are_answered_by_the_process_that_started_it(process: Process) -> None:
    assert process.run("call") == "book 7!"
    with pytest.raises(LookupError, match="-1"):
        process.run("failing call")
    assert process.run("a") == "A"


@pytest.mark.parametrize(
    ("job", "end"),
    [
        ("stall", TIMEOUT),
        ("limit", TIMEOUT),
        ("memory", MEMORY),
        ("crash", Interrupted(is_timeout=False, reason="its process ended with signal SIGKILL")),
        ("exit", Interrupted(is_timeout=False, reason="its process ended with exit status 3")),
    ],
)
def test_a_job_that_is_interrupted_harms_no_other(process: Process, job: str, end: Interrupted) -> None:
    assert process.run("a") == "A"
    assert process.run(job) == end
    assert process.run("b") == "B"


def test_a_process_that_ended_between_jobs_is_replaced(process: Process) -> None:
    pid = process.run("pid")
    os.kill(int(str(pid)), signal.SIGKILL)
    process._process.join()
    assert process.run("pid") != pid


def test_exceptions_are_raised_here(process: Process) -> None:
    with pytest.raises(ValueError, match="as it is"):
        process.run("raise")
    with pytest.raises(TypeError, match="cannot be sent"):
        process.run("unpicklable")
    assert process.run("a") == "A"
