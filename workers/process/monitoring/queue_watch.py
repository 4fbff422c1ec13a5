"""Sets the metric of the messages that wait in the fleet's task queues."""

from __future__ import annotations

import threading

from common.topology import TASK_QUEUES
from workers import metrics
from workers.broker.queue_lengths import QueueLengths
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

POLL_SECONDS = 5.0


def run(services: Services, stop: threading.Event) -> None:
    """Set the metric until `stop` is set; while the broker is unavailable it keeps its values."""
    lengths = QueueLengths(services.settings)

    def step() -> None:
        for name, messages in lengths.read(TASK_QUEUES).items():
            metrics.MESSAGES_WAITING.labels(name.value).set(messages)

    try:
        run_until_stopped(step, stop, component="queue_watch", every=POLL_SECONDS)
    finally:
        lengths.close()
