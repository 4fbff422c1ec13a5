"""Emulators as forks of one process that has loaded them and the samples, which is most of a start."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]

_CODE = """
import json, os, pathlib, signal, sys, traceback
from emulator.dataworks import world as worlds
from emulator.dataworks.server import run
from emulator.dataworks.state import Profile

load, sample = worlds.load_world, worlds.load_world(worlds.SAMPLE)
worlds.load_world = lambda path: sample if path == worlds.SAMPLE else load(path)  # a fork has its own

TYPES = {"profile": Profile, "world": pathlib.Path}

def serve(arguments, log):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number, file in enumerate([nothing, nothing, os.open(log, os.O_WRONLY | os.O_APPEND)]):
        os.dup2(file, number)
    try:
        run(**{name: TYPES[name](value) if name in TYPES else value for name, value in arguments.items()})
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)

def stop(pid):
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    running.remove(pid)

signal.signal(signal.SIGINT, signal.SIG_IGN)
running = []
while line := sys.stdin.readline():
    order = json.loads(line)
    if "stop" in order:
        stop(order["stop"])
        print("stopped", flush=True)
    elif pid := os.fork():
        running.append(pid)
        print(pid, flush=True)
    else:
        serve(order["start"], order["log"])
for pid in running[:]:
    stop(pid)
"""


class EmulatorForks:
    """A process that forks emulators; it is started with the first one, and ends with this process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def start(self, arguments: Mapping[str, object], log: Path) -> int:
        """Start an emulator with the arguments of `emulator.dataworks.server.run`; return its process id.

        Args:
            arguments: as JSON; a path or a profile is text.
            log: an existing file, to which its standard error is appended.
        """
        return int(self._order({"start": {**arguments}, "log": str(log)}))

    def stop(self, pid: int) -> None:
        """Stop an emulator, and wait for its end."""
        self._order({"stop": pid})

    def is_running(self, pid: int) -> bool:
        """Whether an emulator that was not stopped is still there."""
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE

    def _order(self, order: Mapping[str, object]) -> str:
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _CODE],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                atexit.register(self._close)
                os.register_at_fork(after_in_child=self._forget)
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(order, default=str) + "\n")
            self._process.stdin.flush()
            if not (answer := self._process.stdout.readline()):
                raise RuntimeError(f"the process that forks emulators ended: {self._process.wait()}")
            return answer

    def _forget(self) -> None:
        self._process, self._lock = None, threading.Lock()

    def _close(self) -> None:
        if self._process is not None:
            self._process.communicate()
