"""The broker's half of the watch on RabbitMQ: parked copies of events, and messages that it gave up.

Every event is also parked in a queue that lets it out after a fixed time. So an event survives the loss of
Redis, as it survives the loss of the broker in the ledger.
"""

from __future__ import annotations

import threading

import orjson
import structlog
from kombu import Connection, Consumer, Message, Producer

from common import topology
from common.verdicts import Outcome, OutcomeKind
from workers import kombu_queues, metrics, reporter
from workers.dataworks.errors import DataWorksError
from workers.intake import admit
from workers.recovery import backstop
from workers.recovery.backstop import ParkedAction
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

BATCH = 200

log = structlog.get_logger()


def run(services: Services, stop: threading.Event) -> None:
    """Serve the queues of parked and dead messages until `stop` is set; faults are waited out."""
    # What was not acknowledged is delivered again.
    run_until_stopped(lambda: _serve(services, stop), stop, component="backstop", every=0, pause=2.0)


def _serve(services: Services, stop: threading.Event) -> None:
    declare = services.settings.broker_topology == "declare"
    url = services.settings.broker_url.get_secret_value()
    options = {"confirm_publish": True, "confirm_timeout": 5}
    with Connection(url, connect_timeout=5, heartbeat=15, transport_options=options) as connection:
        channel = connection.default_channel
        producer = Producer(channel, kombu_queues.build_exchange(declare=declare), auto_declare=declare)
        if declare:
            kombu_queues.build_amqp_queue(topology.BACKSTOP, declare=True)(channel).declare()
        due: list[Message] = []
        dead: list[Message] = []
        with (
            Consumer(
                channel,
                [kombu_queues.build_amqp_queue(topology.DUE, declare=declare)],
                on_message=due.append,
                prefetch_count=BATCH,
            ),
            Consumer(
                channel,
                [kombu_queues.build_amqp_queue(topology.DEAD, declare=declare)],
                on_message=dead.append,
                prefetch_count=BATCH,
            ),
        ):
            while not stop.is_set():
                _drain(connection)
                process_due(services, producer, due)
                handle_dead_letters(services, dead)


def _drain(connection: Connection) -> None:
    """Wait up to a second for a message, then take what is there."""
    timeout = 1.0
    try:
        for _ in range(BATCH):
            connection.drain_events(timeout=timeout)
            timeout = 0.01
    except TimeoutError:
        connection.heartbeat_check()


def process_due(services: Services, producer: Producer, messages: list[Message]) -> None:
    """Drop, park again or send through intake each message that came out of the backstop."""
    batch = _drain_messages(messages)
    fates = backstop.decide_actions(services, [_body(message) for message in batch])
    for message, fate in zip(batch, fates, strict=True):
        for key in _KEYS[fate]:
            _publish(producer, message, key)
        message.ack()


def _drain_messages(messages: list[Message]) -> list[Message]:
    """Take all out of `messages`: more of them come in while a publish waits for its confirm."""
    batch = messages[:]
    messages.clear()
    return batch


_KEYS = {
    ParkedAction.DROP: (),
    ParkedAction.PARK: (topology.BACKSTOP.routing_keys[0],),
    ParkedAction.INTAKE_AND_PARK: (topology.BACKSTOP.routing_keys[0], topology.INTAKE.routing_keys[0]),
}


def _publish(producer: Producer, message: Message, key: str) -> None:
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


def _body(message: Message) -> bytes:
    """Return the body as it was sent; the client hands some out as text."""
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


def handle_dead_letters(services: Services, messages: list[Message]) -> None:
    """Take what the broker gave up into the ledger: its event is answered with what is there."""
    for message in _drain_messages(messages):
        task = str(message.headers.get("task"))
        metrics.DEAD_LETTERS.labels(task).inc()
        log.error("dead-letter", dead_task=task, message_id=message.properties.get("correlation_id"))
        if task == topology.TASK_CHECK:
            _failed_check(services, message)
        elif task == topology.TASK_INTAKE:
            _failed_intake(services, message)
        # A token carries nothing: the reports that it was to have posted are in the ledger's queue.
        message.ack()


def _failed_check(services: Services, message: Message) -> None:
    _, kwargs, _ = orjson.loads(message.body)
    outcome = Outcome(OutcomeKind.ERROR, detail="the queue gave it up: it ended its worker each time")
    outcomes = dict.fromkeys(kwargs["checks"], outcome)
    services.reports.record(kwargs["message_id"], kwargs["run"], outcomes)


def _failed_intake(services: Services, message: Message) -> None:
    events = backstop.parse_body(_body(message))
    if not events:
        services.ledger.reject(_body(message), "the queue gave it up")
    admit(services, events)
    for event in events:
        try:
            reporter.decide_and_post(services, event.message_id, due=True)
        except DataWorksError as error:
            log.warning("not-posted", message_id=event.message_id, error=str(error))
