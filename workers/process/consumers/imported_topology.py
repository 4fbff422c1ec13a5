"""A Celery consumer for a broker whose exchanges and queues were imported from dwgate's definitions.

The definitions contain the exchanges and queues of Celery's delayed delivery as well. Celery would declare
them at start, which requires rights that no account has there.
"""

from __future__ import annotations

from celery.worker.consumer import Consumer as CeleryConsumer

from workers.process.consumers import consumer


class Consumer(consumer.Consumer):
    """A consumer that declares nothing for delayed delivery."""

    class Blueprint(CeleryConsumer.Blueprint):  # type: ignore[misc]
        """The steps of Celery's consumer without that declaration."""

        default_steps: tuple[str, ...] = tuple(
            step for step in CeleryConsumer.Blueprint.default_steps if step != consumer.DELAYED_DELIVERY
        )
