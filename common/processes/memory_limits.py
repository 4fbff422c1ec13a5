"""The memory limit of work on input that its author may have made to exhaust it.

Without a limit the kernel ends the process, or another one of the same container.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REVIEW_BYTES = 512 * 2**20
"""Memory that the work on one input may allocate."""

_USED_PAGES = Path("/proc/self/statm")
_DATA = 5
"""Position in it of the pages of data and stack; source: proc_pid_statm(5)."""


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Limit the memory that this process allocates in the block, in bytes. Without effect but on Linux.

    Processes that are started in the block have the limit, too, for all that they allocate.

    Raises:
        MemoryError: the limit was reached.
    """
    try:
        used = int(_USED_PAGES.read_text().split()[_DATA]) * resource.getpagesize()
    except OSError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = used + size if soft == resource.RLIM_INFINITY else min(used + size, soft)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
