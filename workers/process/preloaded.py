"""What the processes of a worker need, loaded once: the fork server imports this module before it forks.

Importing it takes most of a worker's start. It must start no thread and open no connection.
"""

from __future__ import annotations

import contextlib
import gc
import importlib

from common.processes import import_pause, redis_import, structlog_import  # noqa: F401 - they work by being imported
from workers.checks import registry

MODULES = (
    "workers.process.child",
    "workers.process.configuration",
    "workers.process.monitoring.metric_series",
    # Celery imports these only when a worker starts.
    *("celery.apps.worker", "celery.worker.consumer"),
    *("celery.concurrency.asynpool", "celery.concurrency.thread"),
    *("kombu.transport.pyamqp", "kombu.transport.redis"),
)


def _load() -> None:
    for name in (*MODULES, *registry.module_names()):
        importlib.import_module(name)
    # What makes it fail is reported by `workers.process.configuration`.
    with contextlib.suppress(Exception):
        _build_parser_tables()


def _build_parser_tables() -> None:
    from review.dialects import Dialect  # noqa: PLC0415 - a failed import is no reason to end here
    from review.engine import review  # noqa: PLC0415

    review("SELECT 1", Dialect.MAXCOMPUTE)


_load()
gc.enable()
# The objects stay for ever. Frozen, they are not looked at by collections, and so remain shared after a fork.
gc.freeze()
