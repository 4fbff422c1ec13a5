"""Reviews texts in processes that their input can stall or break without harm to the others."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait
from typing import TypeVar

from common.processes.isolated_process import Interrupted, IsolatedProcess
from common.processes.time_limits import REVIEW_SECONDS

JOBS_PER_PROCESS = 2
"""Up to this number, jobs are done in one process: starting another would take longer."""

Job = TypeVar("Job")
Result = TypeVar("Result")


def load_before(load: Callable[[], object]) -> None:
    """Load what all jobs need, before processes are forked. It is permanent: it is not collected."""
    gc.disable()  # collecting meanwhile is wasted time
    load()
    gc.freeze()
    gc.enable()


def do_all(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    on_done: Callable[[int], None] = lambda _: None,
) -> list[Result | Interrupted]:
    """Return the results of `work` on each of `jobs`, in order; each has `REVIEW_SECONDS`.

    A job that reaches the limit, or ends its process, is interrupted, and the others are done.

    Args:
        work: does one job; it runs in forked processes.
        jobs: the jobs; they and their results are pickled.
        on_done: called with the number of jobs that are done, when there are more.

    Raises:
        Exception: whatever a job raised.
    """
    count = min(core_count(), -(-len(jobs) // JOBS_PER_PROCESS))
    processes: list[IsolatedProcess[Job, Result]] = [
        IsolatedProcess(lambda job, _: work(job), REVIEW_SECONDS) for _ in range(count)
    ]
    results: dict[int, Result | Interrupted] = {}
    left = iter(enumerate(jobs))
    running: dict[IsolatedProcess[Job, Result], int] = {}
    try:
        for process in processes:
            _start_next(process, left, running)
        while running:
            ready = wait([process.connection for process in running])
            for process in [each for each in running if each.connection in ready]:
                results[running.pop(process)] = process.result()
                _start_next(process, left, running)
            on_done(len(results))
    finally:
        for process in processes:
            process.close()
    return [results[number] for number in range(len(jobs))]


def core_count() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start_next(
    process: IsolatedProcess[Job, Result],
    left: Iterator[tuple[int, Job]],
    running: dict[IsolatedProcess[Job, Result], int],
) -> None:
    for number, job in left:
        process.start(job)
        running[process] = number
        return
