"""How deeply the code of a script may be nested.

The parser and the extraction of facts are recursive. With Python's default limit of 1,000 calls they read 40
levels of nested functions, but there are nodes with more than 50 levels of `regexp_replace`.
"""

from __future__ import annotations

import resource
import sys

MAX_CALLS = 6000
"""Nested calls of Python that a review may make; that is enough for more than 200 levels of any construct.

But Python 3.12 has a fixed limit for calls of compiled code: there 185 levels of subqueries are read.
"""

STACK_BYTES_PER_CALL = 1400
"""Stack for one of them. The measured maximum is a quarter of it (subqueries); the rest is a reserve."""

_UNLIMITED_STACK_BYTES = 2 * 2**20
"""Stack of a thread if the system sets no limit. Source: pthread_create(3) of glibc, for x86-64."""


def allow_deep_nesting() -> None:
    """Raise the limit of nested calls in this process, as far as the size of the stack allows."""
    stack, _ = resource.getrlimit(resource.RLIMIT_STACK)
    if stack == resource.RLIM_INFINITY:
        stack = _UNLIMITED_STACK_BYTES
    calls = min(MAX_CALLS, stack // STACK_BYTES_PER_CALL)
    if sys.getrecursionlimit() < calls:
        sys.setrecursionlimit(calls)
