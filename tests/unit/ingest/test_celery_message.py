from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import orjson
from celery import Celery
from celery.worker.request import Request
from celery.worker.strategy import default
from kombu.message import Message as KombuMessage

from common import topology
from common.events import Event
from ingest.celery_message import (
    CONTENT_ENCODING,
    CONTENT_TYPE,
    PERSISTENT,
    Message,
    SerializedEvent,
    build_message,
)
from ingest.envelope import parse_event
from tests.support.eventbridge_signing import envelope


def message(message_id: str) -> Message:
    event = parse_event(envelope(id=message_id), 12.5)
    assert isinstance(event, Event)
    return build_message([SerializedEvent.from_event(event)])


def test_the_body_is_protocol_2() -> None:
    event = parse_event(envelope(), 12.5)
    assert isinstance(event, Event)
    args, kwargs, embed = orjson.loads(build_message([SerializedEvent.from_event(event)]).body)
    assert args == [event.to_json()]
    assert kwargs == {}
    assert embed == {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def test_the_headers_name_the_task_and_hide_the_event() -> None:
    headers = message("a-1").headers
    assert headers["task"] == topology.TASK_INTAKE
    assert headers["id"] == headers["root_id"] == "a-1"
    assert headers["argsrepr"] == "'a-1'"
    assert "dwd_order_di" not in str(headers)


def test_several_events_go_into_one_message() -> None:
    events = [parse_event(envelope(id=message_id), 12.5) for message_id in ("a-1", "a-2")]
    built = build_message([SerializedEvent.from_event(event) for event in events if isinstance(event, Event)])
    args, kwargs, _ = orjson.loads(built.body)

    assert [arg["message_id"] for arg in args] == ["a-1", "a-2"]
    assert kwargs == {}
    assert built.task_id == "a-1"
    assert built.headers["argsrepr"] == "'a-1 a-2'"


class Consumer:
    """The consumer that Celery's strategy needs; `requests` are those it accepted for its pool."""

    hostname = "celery@here"
    connection_errors = ()
    event_dispatcher = None
    disable_rate_limits = True

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.pool = SimpleNamespace(apply_async=None)
        self.timer = SimpleNamespace(call_at=None)
        self.controller = SimpleNamespace(state=SimpleNamespace(revoked=set()))
        self.task_buckets: dict[str, None] = defaultdict(lambda: None)
        self.apply_eta_task = self._limit_task = self._limit_post_eta = None

    def on_task_request(self, request: Request) -> None:
        self.requests.append(request)


def intake(*events: object) -> None:
    """Placeholder for the task that the message names; it is never run."""


def received_by_celery(built: Message) -> Request:
    """Return the request that a Celery worker creates for `built`, by its own strategy."""
    app = Celery("test", set_as_current=False)
    app.conf.accept_content = ["json"]

    app.task(intake, name=topology.TASK_INTAKE)
    raw = KombuMessage(
        body=built.body,
        headers=built.headers,
        content_type=CONTENT_TYPE,
        content_encoding=CONTENT_ENCODING,
        properties={"correlation_id": built.task_id, "delivery_mode": PERSISTENT},
        accept={CONTENT_TYPE},
    )
    consumer = Consumer()
    # As Celery's consumer calls it for a message that has the header `task`: the body is not yet decoded.
    default(app.tasks[topology.TASK_INTAKE], app, consumer)(raw, None, None, None, [])
    (request,) = consumer.requests
    return request


def test_celery_accepts_the_message() -> None:
    events = [
        event for name in ("a-1", "a-2") if isinstance(event := parse_event(envelope(id=name), 12.5), Event)
    ]
    request = received_by_celery(build_message([SerializedEvent.from_event(event) for event in events]))

    args, kwargs, embed = request._payload
    assert args == [event.to_json() for event in events]
    assert kwargs == {}
    assert not any(embed.values())
    assert request.id == request.root_id == request.correlation_id == "a-1"
    assert request.name == topology.TASK_INTAKE
    assert request.argsrepr == "'a-1 a-2'"
    assert request.kwargsrepr == "{}"
    assert (request.eta, request.expires, request.time_limits) == (None, None, [None, None])
    assert request.parent_id is None
    assert request.group is None
    assert request.ignore_result
    assert request.request_dict["retries"] == 0


def test_the_headers_are_those_that_celery_sends() -> None:
    """Headers that only Celery sends must be listed here as deliberately omitted."""
    app = Celery("test", set_as_current=False)
    theirs = app.amqp.as_task_v2("a-1", topology.TASK_INTAKE, args=[], kwargs={}, ignore_result=True)

    ours = message("a-1")
    assert ours.headers.keys() <= theirs.headers.keys()
    assert theirs.headers.keys() - ours.headers.keys() == {
        "group_index", "shadow", "replaced_task_nesting", "stamped_headers", "stamps",
    }  # fmt: skip
    assert orjson.loads(ours.body)[2].keys() == theirs.body[2].keys()
