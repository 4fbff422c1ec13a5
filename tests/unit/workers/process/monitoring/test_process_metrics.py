"""The standard metrics of the processes of a worker."""

from __future__ import annotations

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


PARENT = """
import subprocess, sys

def pause():
    print(flush=True)
    sys.stdin.readline()

pause()
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
child.stdout.readline()
pause()
child.kill()
child.wait()
pause()
"""


def test_a_group_is_measured_with_the_processes_of_its_pool() -> None:
    """In a process of its own: other tests may leave children that are ending."""
    command = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin
        assert parent.stdout
        measured = []
        for _ in range(3):
            parent.stdout.readline()
            measured.append(collect({"io": parent.pid}))
            parent.stdin.write("\n")
            parent.stdin.flush()
    alone, with_child, after = measured
    assert alone["process_cpu_seconds_total", "io"] > 0
    assert alone["process_open_fds", "io"] > 0
    assert 0 < time.time() - alone["process_start_time_seconds", "io"] < 86_400
    grown = with_child["process_resident_memory_bytes", "io"] - alone["process_resident_memory_bytes", "io"]
    assert grown > 64 << 20
    cpu = [each["process_cpu_seconds_total", "io"] for each in measured]
    assert cpu == sorted(cpu), "the time of a child that has ended stays"
    assert after["process_resident_memory_bytes", "io"] < with_child["process_resident_memory_bytes", "io"]


def test_a_process_that_has_ended_has_no_series() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert collect({"io": ended.pid}) == {}
