"""Messages that may be lost, sent in the background to a real broker."""

from __future__ import annotations

import threading

from celery import Celery
from kombu import Connection, Exchange, Queue
from kombu.simple import SimpleQueue

from workers.broker.background_sender import BackgroundSender

EXCHANGE = Exchange("background", "direct")


def test_a_message_that_cannot_be_encoded_does_not_hold_up_the_others(broker_url: str) -> None:
    app = Celery("test", broker=broker_url, set_as_current=False)
    sender, stop = BackgroundSender(app), threading.Event()
    thread = threading.Thread(target=sender.run, args=(stop,))
    with Connection(broker_url) as connection:
        queue = Queue("background", EXCHANGE, "key")(connection.default_channel)
        queue.declare()
        thread.start()
        try:
            for body in ({"transport": object}, {"number": 1}):
                sender.send(body=body, routing_key="key", exchange=EXCHANGE, serializer="json")
            with SimpleQueue(connection.default_channel, queue, no_ack=True) as received:
                assert received.get(timeout=20).payload == {"number": 1}
        finally:
            stop.set()
            thread.join(20)
    assert not thread.is_alive()
    app.close()
