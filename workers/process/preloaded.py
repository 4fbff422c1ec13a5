"""Loads what the processes of a worker need, once: the supervisor does it before it forks them.

That takes most of a worker's start. It starts no thread and opens no connection.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager

_MODULES = (
    "workers.process.child",
    "workers.process.consumers.delayed_delivery",
    "workers.process.configuration",
    "workers.process.monitoring.metric_series",
    # Celery imports these only when a worker starts.
    *("celery.apps.worker", "celery.worker.consumer"),
    *("celery.concurrency.asynpool", "celery.concurrency.thread"),
    *("kombu.transport.pyamqp", "kombu.transport.redis"),
)

_SDK = "workers.dataworks.sdk"

_RECORDER = "common.tracing.recorder"


def load(*, calls_dataworks: bool, is_traced: bool) -> None:
    """Load all modules.

    Args:
        calls_dataworks: whether one of the processes calls DataWorks.
        is_traced: whether events are traced.
    """
    with _no_collections():
        from common.processes import redis_import  # noqa: F401, PLC0415 - it works by being imported
        from workers.checks import registry  # noqa: PLC0415 - only when it loads

        names = [*([_SDK] if calls_dataworks else []), *([_RECORDER] if is_traced else []), *_MODULES]
        for name in (*names, *registry.module_names()):
            importlib.import_module(name)
        # What makes it fail is reported by `workers.process.configuration`.
        with contextlib.suppress(Exception):
            _build_parser_tables()


@contextmanager
def _no_collections() -> Iterator[None]:
    """Disable the garbage collector: imports create no garbage, and it takes an eighth of their time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _build_parser_tables() -> None:
    from review.dialects import Dialect  # noqa: PLC0415 - a failed import is no reason to end here
    from review.engine import review  # noqa: PLC0415

    review("SELECT 1", Dialect.MAXCOMPUTE)
