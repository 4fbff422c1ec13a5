"""The backstop on RabbitMQ: parked copies of events, and dead-lettered messages.

A copy of every event is parked in a queue that releases it after a fixed delay. So an event survives the loss
of Redis, as it survives the loss of the broker in the ledger.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import orjson
import redis
import structlog
from kombu import Connection, Consumer, Message, Producer
from kombu.exceptions import OperationalError

from common import topology
from common.events import Event, UnknownSchema
from common.text.i18n import Language
from common.topology import QueueName
from workers import check_execution, metrics, progress, reporter
from workers.broker import amqp_transport, kombu_queues
from workers.dataworks.errors import DataWorksError
from workers.intake import admit
from workers.messages.events import NEWER, read_events
from workers.messages.refused import refuse
from workers.messages.task_message import (
    MessageInvalid,
    check_payload,
    raw_body,
    read_check_arguments,
    read_headers,
)
from workers.recovery import backstop
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services
from workers.task_base import TRANSIENT_ERRORS, error_location

BATCH = 200

REDIS_PAUSE_SECONDS = 1.0
"""Seconds between two attempts to process the received messages while Redis is unavailable."""

CONNECT_SECONDS = 5

HEARTBEAT_SECONDS = 15

UNAVAILABLE_SECONDS = 5.0
"""Seconds before the next attempt after RabbitMQ took no message; each attempt may leave a copy."""

log = structlog.get_logger()


def run(services: Services, stop: threading.Event) -> None:
    """Consume the queues of due and dead-lettered messages until `stop` is set; reconnect after faults."""
    # Unacknowledged messages are delivered again.
    run_until_stopped(lambda: _serve(services, stop), stop, component="backstop", every=0, pause=2.0)


def _serve(services: Services, stop: threading.Event) -> None:
    declare = services.settings.broker_topology == "declare"
    names = services.settings.topology
    connect = partial(
        amqp_transport.new_connection,
        services.settings.broker_url.get_secret_value(),
        services.settings.tls_files,
        connect_seconds=CONNECT_SECONDS,
    )
    # While RabbitMQ is short of memory, it delivers nothing over a connection that publishes.
    with connect(heartbeat=HEARTBEAT_SECONDS) as connection, connect() as publishing:
        channel = connection.default_channel
        exchange = kombu_queues.build_exchange(names.exchange, declare=declare)
        producer = Producer(publishing, exchange, auto_declare=declare)
        if declare:
            kombu_queues.build_amqp_queue(names[QueueName.BACKSTOP], declare=True)(channel).declare()
        due: list[Message] = []
        dead: list[Message] = []
        with (
            Consumer(
                channel,
                [kombu_queues.build_amqp_queue(names[QueueName.DUE], declare=declare)],
                on_message=due.append,
                on_decode_error=lambda message, _: due.append(message),
                prefetch_count=BATCH,
            ),
            Consumer(
                channel,
                [kombu_queues.build_amqp_queue(names[QueueName.DEAD], declare=declare)],
                on_message=dead.append,
                on_decode_error=lambda message, _: dead.append(message),
                prefetch_count=BATCH,
            ),
        ):
            publish_at = 0.0
            while not stop.is_set():
                progress.mark()
                _drain(connection)
                try:
                    handle_dead_letters(services, dead)
                    if time.monotonic() >= publish_at:
                        process_due(services, producer, due)
                except redis.RedisError as error:
                    # The messages are kept: returned to the broker, they would reach their delivery limit.
                    log.warning("redis_unavailable", component="backstop", error=type(error).__name__)
                    stop.wait(REDIS_PAUSE_SECONDS)
                except OperationalError as error:
                    publish_at = time.monotonic() + UNAVAILABLE_SECONDS
                    log.warning("broker_unavailable", component="backstop", error=type(error).__name__)


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
    """Admit the events of due messages that the ledger does not know; drop each message or park it again.

    Raises:
        redis.RedisError: Redis is unavailable; the messages remain in `messages`.
        OperationalError: the broker takes no messages; those that remain are back in `messages`: delivered
            again, they would soon reach the delivery limit.
    """
    batch = messages[:]  # more arrive while a publish waits for its confirm
    keep = backstop.settle(services, [raw_body(message) for message in batch])
    del messages[: len(batch)]
    key = services.settings.topology[QueueName.BACKSTOP].routing_key
    for number, (message, is_unfinished) in enumerate(zip(batch, keep, strict=True)):
        try:
            if is_unfinished:
                _publish(producer, message, key)
        except OperationalError:
            messages[:0] = batch[number:]
            raise
        message.ack()


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
        retry=True,  # over a new connection, if the last publish ended this one
        retry_policy={"max_retries": 1, "interval_start": 0.1},
    )


_HEADERS = frozenset(
    [
        *("lang", "task", "id", "root_id", "parent_id", "group", "retries", "eta", "expires", "timelimit"),
        *("ignore_result", "argsrepr", "kwargsrepr", "origin", "shadow"),
    ]
)
"""Headers of a Celery message; the broker's own (`x-death`, `x-delivery-count`) are not published again."""


def handle_dead_letters(services: Services, messages: list[Message]) -> None:
    """Record dead-lettered messages in the ledger, so that their events are answered without them.

    Raises:
        redis.RedisError: Redis is unavailable; the messages that were not processed remain in `messages`.
    """
    while messages:
        message = messages[0]
        try:
            _handle_dead_letter(services, message)
        except TRANSIENT_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - one message must not block those behind it
            reason = str(error) if isinstance(error, MessageInvalid) else f"dead: {type(error).__name__}"
            refuse(services, QueueName.DEAD, raw_body(message), reason)
        message.ack()
        del messages[0]


def _handle_dead_letter(services: Services, message: Message) -> None:
    """Record one dead-lettered message.

    Raises:
        MessageInvalid: it cannot be read; the text is the reason why a worker refused it.
    """
    headers = read_headers(message.headers)
    task = headers["task"]
    args, kwargs = check_payload(task, _decode(message))
    metrics.DEAD_LETTERS.labels(task).inc()
    log.error("message_dead_lettered", dead_task=task, message_id=headers["id"])
    if task == topology.TASK_CHECK:
        _failed_check(services, kwargs)
    elif task == topology.TASK_INTAKE:
        _failed_intake(services, args)
    # A token contains no report: the reports are in the ledger's queue.


def _failed_check(services: Services, raw: dict[str, Any]) -> None:
    try:
        arguments = read_check_arguments(raw)
    except UnknownSchema as error:
        raise MessageInvalid(str(error)) from None
    record = services.ledger.get(arguments.message_id)
    language = record.plan.language if record and record.plan else Language.ENGLISH
    outcomes = {
        name: check_execution.crash_outcome(services.checks.get(name), language) for name in arguments.checks
    }
    services.reports.record(arguments.message_id, arguments.run, outcomes)


def _decode(message: Message) -> Any:
    try:
        return orjson.loads(raw_body(message))
    except ValueError:
        raise MessageInvalid("its body is not JSON") from None


def _failed_intake(services: Services, raw: list[Any]) -> None:
    read = read_events(raw)
    for content, reason in read.invalid:
        refuse(services, QueueName.DEAD, content, reason)
    for newer in read.newer:
        refuse(services, QueueName.DEAD, orjson.dumps(newer), NEWER)
    for event in read.events:
        with structlog.contextvars.bound_contextvars(message_id=event.message_id):
            _answer_unchecked(services, event)


def _answer_unchecked(services: Services, event: Event) -> None:
    """Decide an event without the checks that did not run; if that fails, the watchdog handles it."""
    admit(services, [event])
    try:
        reporter.decide_and_post(services, event.message_id, due=True)
    except DataWorksError as error:
        log.warning("verdict_post_failed", error=str(error))
    except TRANSIENT_ERRORS:
        raise
    except Exception as error:  # noqa: BLE001 - the events of one message share no fate
        log.error("due_event_failed", error=type(error).__name__, at=error_location(error))
