"""Disables Python's garbage collector during a review."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable the garbage collector within the block.

    A tree consists of many small objects that all live until its script is done. Collecting among them takes
    a sixth of a review's time, and twice its time if a full collection happens during it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
