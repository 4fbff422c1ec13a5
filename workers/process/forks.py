"""Forks the processes of a worker from its supervisor."""

from __future__ import annotations

import multiprocessing
import socket
import sys
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from common.processes.parent_death import Lifeline
from common.processes.stop_signals import StopSignals

FORKS = multiprocessing.get_context("fork")


class Forks:
    """Forks processes from this one, which has one thread and whose main thread creates this.

    Attributes:
        stop: the signals that end this process.
        lifeline: tells its processes that it has died.
    """

    def __init__(self) -> None:
        self.stop = StopSignals()
        self.lifeline = Lifeline()
        self._sockets: list[socket.socket] = []

    def own(self, listening: socket.socket) -> None:
        """Close a socket in all processes that do not keep it: its port is free when the others end."""
        self._sockets.append(listening)

    def start(
        self,
        target: Callable[..., None],
        *arguments: object,
        name: str,
        keeps: socket.socket | None = None,
    ) -> BaseProcess:
        """Fork a process.

        Args:
            target: what it calls.
            arguments: of the call; they are not pickled.
            name: its name in top and ps, after `dwgate-`; its command line is that of this process.
            keeps: the socket that it uses.
        """
        process = FORKS.Process(target=self._run, args=(target, arguments, name, keeps), name=name)
        with self.stop.held_back():
            process.start()
        return process

    def _run(
        self,
        target: Callable[..., None],
        arguments: Sequence[object],
        name: str,
        keeps: socket.socket | None,
    ) -> None:
        self.stop.release_in_child()
        self.lifeline.hold()
        for listening in self._sockets:
            if listening is not keeps:
                listening.close()
        if sys.platform == "linux":
            Path("/proc/self/comm").write_text(f"dwgate-{name}")
        target(*arguments)
