"""The backstop on RabbitMQ: parked copies of events, and dead-lettered messages.

A copy of every event is parked in a queue that releases it after a fixed delay. So an event survives the loss
of Redis, as it survives the loss of the broker in the ledger.
"""

from __future__ import annotations

import threading

import orjson
import structlog
from kombu import Connection, Consumer, Message, Producer

from common import topology
from common.i18n import Language
from common.tls import tls_options
from workers import check_execution, kombu_queues, metrics, reporter
from workers.dataworks.errors import DataWorksError
from workers.intake import admit
from workers.recovery import backstop
from workers.recovery.backstop import ParkedAction
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

BATCH = 200

log = structlog.get_logger()


def run(services: Services, stop: threading.Event) -> None:
    """Consume the queues of due and dead-lettered messages until `stop` is set; reconnect after faults."""
    # Unacknowledged messages are delivered again.
    run_until_stopped(lambda: _serve(services, stop), stop, component="backstop", every=0, pause=2.0)


def _serve(services: Services, stop: threading.Event) -> None:
    declare = services.settings.broker_topology == "declare"
    url = services.settings.broker_url.get_secret_value()
    tls = tls_options(url, services.settings.tls_files)
    options = {"confirm_publish": True, "confirm_timeout": 5}
    with Connection(url, ssl=tls, connect_timeout=5, heartbeat=15, transport_options=options) as connection:
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
    """Wait up to a second for a message, then receive up to BATCH."""
    timeout = 1.0
    try:
        for _ in range(BATCH):
            connection.drain_events(timeout=timeout)
            timeout = 0.01
    except TimeoutError:
        connection.heartbeat_check()


def process_due(services: Services, producer: Producer, messages: list[Message]) -> None:
    """Drop each due message, park it again, or send it through intake."""
    batch = _drain_messages(messages)
    actions = backstop.decide_actions(services, [_body(message) for message in batch])
    for message, action in zip(batch, actions, strict=True):
        for key in _KEYS[action]:
            _publish(producer, message, key)
        message.ack()


def _drain_messages(messages: list[Message]) -> list[Message]:
    """Empty `messages` and return its items; more arrive while a publish waits for its confirm."""
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
"""Headers of a Celery message; the broker's own (`x-death`, `x-delivery-count`) are not published again."""


def _body(message: Message) -> bytes:
    """Return the body as bytes; the client decodes some to text."""
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


def handle_dead_letters(services: Services, messages: list[Message]) -> None:
    """Record dead-lettered messages in the ledger, so that their events are answered without them."""
    for message in _drain_messages(messages):
        task = str(message.headers.get("task"))
        metrics.DEAD_LETTERS.labels(task).inc()
        log.error(
            "message_dead_lettered", dead_task=task, message_id=message.properties.get("correlation_id")
        )
        if task == topology.TASK_CHECK:
            _failed_check(services, message)
        elif task == topology.TASK_INTAKE:
            _failed_intake(services, message)
        # A token contains no report: the reports are in the ledger's queue.
        message.ack()


def _failed_check(services: Services, message: Message) -> None:
    _, kwargs, _ = orjson.loads(message.body)
    record = services.ledger.get(kwargs["message_id"])
    language = record.plan.language if record and record.plan else Language.ENGLISH
    outcomes = {
        name: check_execution.crash_outcome(services.checks.get(name), language) for name in kwargs["checks"]
    }
    services.reports.record(kwargs["message_id"], kwargs["run"], outcomes)


def _failed_intake(services: Services, message: Message) -> None:
    events = backstop.parse_body(_body(message))
    if not events:
        services.ledger.reject(_body(message), "dead-lettered")
    admit(services, events)
    for event in events:
        try:
            reporter.decide_and_post(services, event.message_id, due=True)
        except DataWorksError as error:
            log.warning("verdict_post_failed", message_id=event.message_id, error=str(error))
