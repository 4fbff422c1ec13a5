"""The broker's half of the watch: parked copies of events, and messages that the broker gave up.

Every event is also parked in a queue that lets it out after a fixed time. What is answered by then is
dropped; what the ledger does not know (Redis lost it) goes through intake again; the rest is parked once
more. So an event survives the loss of Redis, as it survives the loss of the broker in the ledger.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import orjson
import redis
import structlog
from kombu import Connection, Consumer, Message, Producer
from kombu.exceptions import KombuError, OperationalError

from common import topology
from common.events import Event
from common.ledger import State
from common.verdicts import Outcome, OutcomeKind
from workers import metrics, queues, reporter
from workers.dataworks.errors import DataWorksError
from workers.intake import admit
from workers.services import Services
from workers.task import place

BATCH = 200
OLDEST_SECONDS = 86400.0
"""An event that nobody could take on for a day is kept with the rejects."""

_FAULTS = (OSError, KombuError, OperationalError, redis.RedisError)

log = structlog.get_logger()


def run(services: Services, stop: threading.Event) -> None:
    """Serve the queues of parked and dead messages until `stop` is set; faults are waited out."""
    while not stop.is_set():
        try:
            _serve(services, stop)
        except _FAULTS as error:
            log.warning("backstop-waits", error=type(error).__name__)
            stop.wait(2.0)
        except Exception as error:  # noqa: BLE001 - what was not acknowledged comes again
            log.error("backstop-failed", error=type(error).__name__, at=place(error))
            stop.wait(2.0)


def _serve(services: Services, stop: threading.Event) -> None:
    declare = services.settings.broker_topology == "declare"
    url = services.settings.broker_url.get_secret_value()
    options = {"confirm_publish": True, "confirm_timeout": 5}
    with Connection(url, connect_timeout=5, heartbeat=15, transport_options=options) as connection:
        channel = connection.default_channel
        producer = Producer(channel, queues.exchange(declare=declare), auto_declare=declare)
        if declare:
            queues.amqp(topology.BACKSTOP, declare=True)(channel).declare()
        due: list[Message] = []
        dead: list[Message] = []
        with (
            Consumer(
                channel,
                [queues.amqp(topology.DUE, declare=declare)],
                on_message=due.append,
                prefetch_count=BATCH,
            ),
            Consumer(
                channel,
                [queues.amqp(topology.DEAD, declare=declare)],
                on_message=dead.append,
                prefetch_count=BATCH,
            ),
        ):
            while not stop.is_set():
                _drain(connection)
                settle(services, producer, due)
                bury(services, dead)


def _drain(connection: Connection) -> None:
    """Wait up to a second for a message, then take what is there."""
    timeout = 1.0
    try:
        for _ in range(BATCH):
            connection.drain_events(timeout=timeout)
            timeout = 0.01
    except TimeoutError:
        connection.heartbeat_check()


def settle(services: Services, producer: Producer, messages: list[Message]) -> None:
    """Drop, park again or send through intake each message that came out of the backstop."""
    parked = [(message, read(message)) for message in messages]
    events = [event for _, found in parked for event in found]
    states = dict(
        zip(
            (event.message_id for event in events),
            services.ledger.state([event.message_id for event in events]),
            strict=True,
        )
    )
    for message, found in parked:
        _keep(services, producer, message, [states[event.message_id] for event in found], found)
        message.ack()
    messages.clear()


def _keep(
    services: Services,
    producer: Producer,
    message: Message,
    states: Sequence[State | None],
    events: Sequence[Event],
) -> None:
    if not events:
        services.ledger.reject(_raw(message), "not readable: written by a newer dwgate, or broken")
        return
    if all(state is not None and state.ended for state in states):
        return
    if time.time() - events[0].received_at > OLDEST_SECONDS:
        log.error("too-old", message_id=events[0].message_id)
        services.ledger.reject(_raw(message), "not taken on within a day")
        return
    keys = [topology.BACKSTOP.routing_keys[0]]
    if None in states:
        log.warning("unknown-event", message_id=events[states.index(None)].message_id)
        keys.append(topology.INTAKE.routing_keys[0])
    for key in keys:
        producer.publish(
            message.body,
            routing_key=key,
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            headers={name: value for name, value in message.headers.items() if name in _HEADERS},
            correlation_id=message.properties.get("correlation_id"),
            delivery_mode=2,
            mandatory=True,
        )


_HEADERS = frozenset(
    [
        *("lang", "task", "id", "root_id", "parent_id", "group", "retries", "eta", "expires", "timelimit"),
        *("ignore_result", "argsrepr", "kwargsrepr", "origin", "shadow"),
    ]
)
"""The headers of a Celery message; the broker's own (its deaths and deliveries) do not go round again."""


def _raw(message: Message) -> bytes:
    """Return the body as it was sent; the client hands some out as text."""
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


def read(message: Message) -> list[Event]:
    """Return the events of an intake message; none when it cannot be read."""
    try:
        args, _, _ = orjson.loads(message.body)
        return [Event.from_json(raw) for raw in args]
    except (ValueError, KeyError, TypeError) as error:
        log.error("unreadable", error=type(error).__name__)
        return []


def bury(services: Services, messages: list[Message]) -> None:
    """Take what the broker gave up into the ledger: its event is answered with what is there."""
    for message in messages:
        task = str(message.headers.get("task"))
        metrics.DEAD_LETTERS.labels(task).inc()
        log.error("dead-letter", dead_task=task, message_id=message.properties.get("correlation_id"))
        if task == topology.TASK_CHECK:
            _failed_check(services, message)
        elif task == topology.TASK_INTAKE:
            _failed_intake(services, message)
        message.ack()
    messages.clear()


def _failed_check(services: Services, message: Message) -> None:
    _, kwargs, _ = orjson.loads(message.body)
    outcome = Outcome(OutcomeKind.ERROR, detail="the queue gave it up: it ended its worker each time")
    recorded = services.ledger.record(kwargs["message_id"], kwargs["run"], {kwargs["check"]: outcome})
    if recorded.complete:
        reporter.finish(services, kwargs["message_id"], kwargs["run"], kwargs["until"])


def _failed_intake(services: Services, message: Message) -> None:
    events = read(message)
    if not events:
        services.ledger.reject(_raw(message), "the queue gave it up")
    for event in events:
        admit(services, event)
        try:
            reporter.report(services, event.message_id, due=True)
        except DataWorksError as error:
            log.warning("not-posted", message_id=event.message_id, error=str(error))
