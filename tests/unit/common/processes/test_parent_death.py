"""Processes end with the one that started them, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from common.processes import parent_death

RUN = {
    "linux": "parent_death.run_program(command)",
    "other": "parent_death.run_child(command)",
}
PARENT = """
import subprocess, sys, time
sys.path.insert(0, {folder!r})
code = '''
import sys
sys.path.insert(0, {folder!r})
import parent_death
command = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]
{run}
'''
subprocess.Popen([sys.executable, "-c", code])
time.sleep(60)
"""
THREAD = """
import os, signal
from common.processes import parent_death
signal.signal(signal.SIGTERM, lambda *_: (print("signal", flush=True), os._exit(0)))
parent_death.watch_parent(signal.SIGTERM, parent=1)
signal.pause()
"""


@pytest.mark.parametrize("system", RUN)
def test_a_program_ends_when_its_parent_is_killed(system: str) -> None:
    folder = str(Path(parent_death.__file__).parent)
    parent = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", PARENT.format(folder=folder, run=RUN[system])],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    assert parent.stdout.readline() == "ready\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert children
    parent.kill()
    parent.wait()
    assert psutil.wait_procs(children, timeout=20)[1] == []
    parent.stdout.close()


def test_a_process_whose_parent_has_died_before_it_could_ask_ends_too() -> None:
    code = (
        "import signal; from common.processes import parent_death as p; p.end_with_parent(signal.SIGTERM, 1)"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=30, check=False)
    assert done.returncode == -signal.SIGTERM


def test_elsewhere_a_thread_looks_at_the_parent() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREAD], timeout=30, check=False, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout == "signal\n"


def test_the_exit_status_of_a_child_is_that_of_its_program() -> None:
    code = (
        "import sys; from common.processes import parent_death;"
        "sys.exit(parent_death.run_child([sys.executable, '-c', 'raise SystemExit(7)']))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 7
