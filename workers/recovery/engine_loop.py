"""Loops that survive faults of Redis, the broker and DataWorks."""

from __future__ import annotations

import threading
from collections.abc import Callable

import redis
import structlog
from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError

from workers import progress
from workers.dataworks.errors import DataWorksError
from workers.task_base import describe_error, error_location

log = structlog.get_logger()


def run_until_stopped(
    step: Callable[[], object], stop: threading.Event, *, component: str, every: float, pause: float = 1.0
) -> None:
    """Repeat `step` until `stop` is set; exceptions are logged, and the next step may succeed.

    Args:
        step: one iteration; safe to repeat.
        stop: ends the loop.
        component: its name in the log.
        every: seconds between two steps.
        pause: seconds to wait in addition after a fault.
    """
    while not stop.wait(every):
        try:
            with progress.step(may_wait=True):
                step()
        except redis.RedisError as error:
            log.warning("redis_unavailable", component=component, error=describe_error(error))
        except (OSError, KombuError, AMQPError) as error:
            log.warning("broker_unavailable", component=component, error=type(error).__name__)
        except DataWorksError as error:
            log.warning("dataworks_unavailable", component=component, error=error.code)
        except Exception as error:  # noqa: BLE001 - the loop must continue
            log.error(
                "loop_step_failed", component=component, error=type(error).__name__, at=error_location(error)
            )
        else:
            continue
        stop.wait(pause)
