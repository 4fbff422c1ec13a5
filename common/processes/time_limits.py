"""The hard time limit of work on input that its author may have made to never end.

Two timers of the kernel act on the main thread of a process. The first raises `TimeLimitReached` in the
running Python code. Code in C that checks for no signals sees no exception: `GRACE_SECONDS` later the
second one ends the process with SIGALRM, which the process that started it sees.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from common.processes import thread_limits

REVIEW_SECONDS = 10.0
"""Time limit of all work on one input: reading, splitting, parsing, rules and external tools."""

TRIAL_SECONDS = 2.0
"""Real seconds after which the process of a trial is ended; see `limited`."""

GRACE_SECONDS = 1.0
"""Seconds between the exception and the end of the process."""

AGAIN_SECONDS = 0.001
"""CPU seconds after which the exception is raised again that Python dropped."""

KILL_SIGNAL = signal.SIGALRM
"""The signal that ends a process which is still at work after the limit."""


UnraisableHook = Callable[["sys.UnraisableHookArgs"], Any]
"""`sys.unraisablehook`: called with exceptions that Python drops."""


class TimeLimitReached(BaseException):
    """The time limit was reached. Not an `Exception`, so that no handler of failures catches it."""

    def __str__(self) -> str:
        """Return the reason."""
        return "the time limit was reached"


_limited_thread: int | None = None
"""The thread whose time is limited; None outside `limited`."""


@contextmanager
def limited(seconds: float, *, is_trial: bool = False) -> Iterator[None]:
    """Limit the time of the block, without the time spent in `suspended`. Only for the main thread.

    The exception comes after `seconds` of CPU time of this process, the end of the process after
    `seconds` + `GRACE_SECONDS` of real time. Limits cannot be nested. Other users of SIGPROF, SIGALRM and
    their timers find them as they were.

    Args:
        seconds: the limit.
        is_trial: whether the work is repeated elsewhere if it does not end in time. The limit is then low,
            and the process ends after TRIAL_SECONDS: a busy machine must not end one that needs little CPU
            time.

    Raises:
        TimeLimitReached: the time is up.
    """
    global _limited_thread  # noqa: PLW0603 - the timers and signals are global, too
    on_profile = signal.signal(signal.SIGPROF, _raise_limit)
    on_alarm = signal.signal(KILL_SIGNAL, signal.SIG_DFL)
    on_dropped = sys.unraisablehook
    sys.unraisablehook = _raise_again(on_dropped)
    real_seconds = TRIAL_SECONDS if is_trial else seconds + GRACE_SECONDS
    outer, _ = signal.setitimer(signal.ITIMER_REAL, real_seconds)
    _limited_thread = threading.get_ident()
    try:
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            yield
        finally:
            _limited_thread = None
    finally:
        # The timer fires once: if it did before the line above, it cannot interrupt these.
        signal.setitimer(signal.ITIMER_PROF, 0)
        left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGPROF, on_profile)
        signal.signal(KILL_SIGNAL, on_alarm)
        sys.unraisablehook = on_dropped
        if outer:
            spent = real_seconds - left
            signal.setitimer(signal.ITIMER_REAL, max(outer - spent, 0.001))


@contextmanager
def suspended() -> Iterator[None]:
    """Stop the limit of the running thread during the block, which waits for something else than the input.

    Without a limit it does nothing. Limits of other threads (`thread_limits`) are stopped, too.
    """
    if _limited_thread != threading.get_ident():
        with thread_limits.suspended():
            yield
        return
    processor, _ = signal.setitimer(signal.ITIMER_PROF, 0)
    real, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, real)
        signal.setitimer(signal.ITIMER_PROF, processor)


class Suspending:
    """Delegates calls of methods to `target`, with the time limit suspended.

    Args:
        target: the object whose methods wait for another system.
    """

    def __init__(self, target: object) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        """Return the method `name` of the target."""
        method = getattr(self._target, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            with suspended():
                return method(*args, **kwargs)

        return call


def _raise_limit(_: int, __: FrameType | None) -> None:
    if _limited_thread is not None:
        raise TimeLimitReached


def _raise_again(on_dropped: UnraisableHook) -> UnraisableHook:
    """Return a hook that raises the limit again if it came in a destructor or a callback of Python."""

    def hook(dropped: sys.UnraisableHookArgs) -> None:
        if dropped.exc_type is not TimeLimitReached:
            on_dropped(dropped)
        elif _limited_thread == threading.get_ident():
            signal.setitimer(signal.ITIMER_PROF, AGAIN_SECONDS)

    return hook
