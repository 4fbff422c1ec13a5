"""A progress bar on the terminal of standard error; nothing in files and pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MIN_STEPS = 10
"""Fewer steps are done before a bar could be read."""

_WIDTH = 40
_CLEAR = "\r\x1b[K"
"""Back to the start of the line, and erase it. Source: ECMA-48, 8.3.41 (EL)."""


@contextmanager
def progress_bar(steps: int) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the number of `steps` that are done; the bar is erased at the end.

    It needs no thread, so that processes can be forked meanwhile.
    """
    if steps < MIN_STEPS or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _: None
        return
    try:
        yield lambda done: _show(done, steps)
    finally:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()


def _show(done: int, steps: int) -> None:
    filled = _WIDTH * done // steps
    bar = "━" * filled + " " * (_WIDTH - filled)
    sys.stderr.write(f"{_CLEAR}{bar} {done}/{steps}")
    sys.stderr.flush()
