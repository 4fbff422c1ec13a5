"""The memory limit: allocations beyond it raise, and it ends with its block."""

from __future__ import annotations

import multiprocessing
import resource
import sys

import pytest

from common.processes import memory_limits

_FORK = multiprocessing.get_context("fork")
MEBIBYTE = 2**20


def allocate(mebibytes: int) -> int:
    return len(bytearray(mebibytes * MEBIBYTE))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux counts writable memory")
def test_allocations_beyond_the_limit_raise() -> None:
    def work() -> None:
        with memory_limits.limited(64 * MEBIBYTE):
            allocate(16)
            with pytest.raises(MemoryError):
                allocate(128)
        allocate(128)

    process = _FORK.Process(target=work)
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_a_lower_limit_of_the_process_stays() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with memory_limits.limited(2**50):
        assert resource.getrlimit(resource.RLIMIT_DATA)[1] == before[1]
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
