"""The standard metrics of the processes of a worker."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from workers.process.monitoring.process_metrics import ProcessMetrics

CHILD = "import time; data = bytearray(64 << 20); print(flush=True); time.sleep(60)"


def collect(pids: dict[str, int]) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels["group"]): sample.value
        for family in ProcessMetrics(lambda: pids).collect()
        for sample in family.samples
    }


def test_a_group_is_measured_with_the_processes_of_its_pool() -> None:
    alone = collect({"io": os.getpid()})
    assert alone["process_cpu_seconds_total", "io"] > 0
    assert alone["process_open_fds", "io"] > 0
    assert 0 < time.time() - alone["process_start_time_seconds", "io"] < 86_400
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout
            child.stdout.readline()
            with_child = collect({"io": os.getpid()})
        finally:
            child.kill()
    grown = with_child["process_resident_memory_bytes", "io"] - alone["process_resident_memory_bytes", "io"]
    assert grown > 64 << 20
    assert (
        collect({"io": os.getpid()})["process_cpu_seconds_total", "io"]
        >= (with_child["process_cpu_seconds_total", "io"])
    ), "the time of a child that has ended stays"


def test_a_process_that_has_ended_has_no_series() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert collect({"io": ended.pid}) == {}
