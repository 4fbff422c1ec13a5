"""Processes that a supervisor forks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from workers.process.forks import FORKS, Forks

SIGNALS = (signal.SIGTERM, signal.SIGINT)

SUPERVISOR = """
import os, sys, time
from workers.process.forks import Forks

def child(forks):
    os.write(1, b"%d\\n" % os.getpid())
    forks.lifeline.wait()

forks = Forks()
for _ in range(3):
    forks.start(child, forks, name="child")
time.sleep(60)
"""


@pytest.fixture
def forks() -> Iterator[Forks]:
    handlers = [(number, signal.getsignal(number)) for number in SIGNALS]
    yield Forks()
    for number, handler in handlers:
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noted_without_a_thread(forks: Forks, number: signal.Signals) -> None:
    assert not forks.stop.wait(0)
    signal.raise_signal(number)
    assert forks.stop.wait(0)
    assert forks.stop.wait(0), "it stays noted"


def test_signals_that_nobody_waits_for_do_not_block_the_process(forks: Forks) -> None:
    for _ in range(70_000):  # more than a pipe holds
        forks.stop._note()
    assert forks.stop.wait(0)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_process_that_was_just_forked(forks: Forks, number: signal.Signals) -> None:
    for _ in range(20):
        process = forks.start(time.sleep, 60, name="sleeper")
        assert process.pid
        os.kill(process.pid, number)
        process.join(20)
        assert process.exitcode == -number
    assert not forks.stop.wait(0), "it is not for the supervisor"


def test_a_signal_that_comes_while_a_process_is_forked_is_noted(forks: Forks) -> None:
    with forks.stop.held_back():
        signal.raise_signal(signal.SIGTERM)
        assert not forks.stop.wait(0)
    assert forks.stop.wait(0)


def test_every_process_learns_of_the_end_of_its_supervisor() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout
        children = [psutil.Process(int(supervisor.stdout.readline())) for _ in range(3)]
        supervisor.kill()
        assert psutil.wait_procs(children, timeout=20)[1] == []


def test_a_socket_stays_open_only_in_the_process_that_keeps_it(forks: Forks) -> None:
    received, sender = FORKS.Pipe(duplex=False)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        forks.own(listening)
        for keeps in (listening, None):
            forks.start(lambda: sender.send(listening.fileno()), name="child", keeps=keeps).join()
        assert received.recv() == listening.fileno()
        assert received.recv() == -1
