"""The standard metrics `process_*` for the processes of a worker, read from /proc; none on other systems.

The library has them for its own process only, and none in multi-process mode.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """What processes use.

    Attributes:
        cpu_seconds: CPU time, that of their ended children included, so that it never decreases.
        resident_bytes: resident memory; what processes share counts for each of them.
        open_files: open file descriptors.
    """

    cpu_seconds: float = 0.0
    resident_bytes: int = 0
    open_files: int = 0

    def __add__(self, other: ProcessUse) -> ProcessUse:
        """Return the sum of both."""
        return ProcessUse(
            self.cpu_seconds + other.cpu_seconds,
            self.resident_bytes + other.resident_bytes,
            self.open_files + other.open_files,
        )


class ProcessMetrics(Collector):
    """Collects the use of each process group, the processes of its pool included.

    Args:
        processes: returns the pid of each group's process.
    """

    def __init__(self, processes: Callable[[], Mapping[str, int]]) -> None:
        self._processes = processes

    def collect(self) -> Iterable[Metric]:
        """Return the metrics; called by the library."""
        cpu = CounterMetricFamily(
            "process_cpu_seconds", "CPU time of the processes of a group.", labels=["group"]
        )
        memory = GaugeMetricFamily(
            "process_resident_memory_bytes",
            "Resident memory of the processes of a group; shared memory counts for each.",
            labels=["group"],
        )
        files = GaugeMetricFamily(
            "process_open_fds", "Open file descriptors of the processes of a group.", labels=["group"]
        )
        started = GaugeMetricFamily(
            "process_start_time_seconds",
            "When the process of a group was started, in seconds since the epoch.",
            labels=["group"],
        )
        for group, pid in self._processes().items():
            with suppress(OSError):  # it has ended, or there is no /proc
                started_at = _start_time(pid)
                use = sum((_use(each) for each in _with_children(pid)), ProcessUse())
                cpu.add_metric([group], use.cpu_seconds)
                memory.add_metric([group], use.resident_bytes)
                files.add_metric([group], use.open_files)
                started.add_metric([group], started_at)
        return cpu, memory, files, started


def _with_children(pid: int) -> Iterator[int]:
    """Yield a process and its children, which are those of its pool."""
    yield pid
    for file in (_PROC / str(pid) / "task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, file.read_text().split())


def _use(pid: int) -> ProcessUse:
    """Return what one process uses; nothing if it has ended."""
    try:
        fields = _stat(pid)
        files = sum(1 for _ in (_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return ProcessUse()
    ticks = sum(int(fields[number]) for number in range(11, 15))
    return ProcessUse(ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE"), files)


def _start_time(pid: int) -> float:
    lines = (_PROC / "stat").read_text().splitlines()
    boot = next(float(line.split()[1]) for line in lines if line.startswith("btime "))
    return boot + int(_stat(pid)[19]) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on: the second, a name, may contain blanks.

    Source: proc_pid_stat(5).
    """
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
