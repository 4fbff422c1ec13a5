"""What is sent for an event."""

from __future__ import annotations

import time
from typing import Any, cast

from celery import Celery

from common.events import MAX_ID_BYTES
from tests.support.queues import TOPOLOGY
from workers.checks.api import Runs
from workers.dispatch import Dispatch


class SentTasks:
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.options: list[dict[str, Any]] = []

    def send_task(self, _: str, **options: Any) -> None:
        """Keep the options of one task."""
        self.options.append(options)


def test_the_id_of_a_task_fits_into_a_correlation_id() -> None:
    sent = SentTasks()
    message_id = "码" * (MAX_ID_BYTES // 3)
    names = [f"check-with-a-long-name-{number}" for number in range(20)]
    Dispatch(cast("Celery", sent), TOPOLOGY).send_checks(message_id, 1, names, Runs.CPU, time.time() + 30)
    [options] = sent.options
    assert options["task_id"].startswith(f"{message_id}.1.check-with")
    assert 240 < len(options["task_id"].encode()) <= 255
    assert options["kwargs"]["checks"] == names
