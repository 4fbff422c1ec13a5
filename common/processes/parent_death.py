"""Ends a process when the one that started it has died, even by SIGKILL.

As a script, `python -I -S parent_death.py PROGRAM [ARGUMENT]...` runs any program so. Only the standard
library is imported.

Source: `man 2 prctl`, PR_SET_PDEATHSIG (Linux; the setting survives execve). Other systems have nothing like
it: there a thread, or the script, looks whether the parent is still the same.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import subprocess
import sys
import threading
import time

POLL_SECONDS = 0.5
"""Interval at which the parent is looked at where the system does not report its death."""

_PR_SET_PDEATHSIG = 1


def end_with_parent(number: signal.Signals, parent: int | None = None) -> None:
    """Send this process a signal when its parent has died.

    On Linux the parent is the thread that started this process: it must live as long as its process.

    Args:
        number: the signal.
        parent: process id of the parent when this process was started; None for the present one.
    """
    parent = os.getppid() if parent is None else parent
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ctypes.c_long(_PR_SET_PDEATHSIG), ctypes.c_long(number))
        if os.getppid() != parent:  # it died before the call
            os.kill(os.getpid(), number)
    else:
        watch_parent(number, parent)


def watch_parent(number: signal.Signals, parent: int) -> None:
    """Send this process a signal when the process `parent` is no longer its parent; on any system."""
    threading.Thread(target=_signal_after, args=(number, parent), daemon=True).start()


def _signal_after(number: signal.Signals, parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), number)


class Lifeline:
    """Tells the processes that this one forks when it has died: a pipe that it alone can write to."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def hold(self) -> None:
        """Call this first in a forked process."""
        os.close(self._write)

    def wait(self) -> None:
        """Return when the process that created it has died."""
        os.read(self._read, 1)


def run_program(command: list[str]) -> int:
    """Become a program that gets SIGTERM when the parent has died; except on Linux, run it as a child.

    Returns:
        Its exit status, if it is a child.
    """
    if platform.system() == "Linux":
        end_with_parent(signal.SIGTERM)
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    return run_child(command)


def run_child(command: list[str]) -> int:
    """Run a program as a child: it gets SIGTERM with this process and when the parent has died."""
    parent = os.getppid()
    child = subprocess.Popen(command)  # noqa: S603 - the caller's own program
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        try:
            return child.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if os.getppid() != parent:
                child.terminate()


if __name__ == "__main__":
    sys.exit(run_program(sys.argv[1:]))
