"""The engines of a benchmark: its own Valkey, and its own or a given RabbitMQ."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.engines import RabbitMQ, Valkey, clean_broker


@contextmanager
def engines(directory: Path) -> Iterator[tuple[str, str]]:
    """Start Valkey, and RabbitMQ unless DWGATE_TEST_BROKER_URL names one; yield their URLs, both empty.

    From here on SIGTERM ends this process cleanly, so that no child process remains.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    for name in ("valkey", "rabbitmq"):
        (directory / name).mkdir()
    valkey = Valkey(directory / "valkey")
    broker_url = os.environ.get("DWGATE_TEST_BROKER_URL")
    rabbitmq = None if broker_url else RabbitMQ(directory / "rabbitmq")
    try:
        valkey.start()
        if rabbitmq:
            rabbitmq.start()
        broker = broker_url or (rabbitmq.url if rabbitmq else "")
        clean_broker(broker)
        yield broker, valkey.url
    finally:
        valkey.close()
        if rabbitmq:
            rabbitmq.close()
