"""The Celery message of events: task message protocol 2, built here so that ingest does not need Celery.

Source: Celery manual, "Message protocol", version 2. `argsrepr` contains the message ids only: monitoring
(Flower, logs) shows that text, and an event may contain confidential data.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from common import topology
from common.events import Event

CONTENT_TYPE = "application/json"
CONTENT_ENCODING = "utf-8"
PERSISTENT = 2

_ORIGIN = f"ingest{os.getpid()}@{socket.gethostname()}"
# The end of the body after the arguments: keyword arguments and embedded options.
_REST = orjson.dumps([{}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])[1:]
_HEADERS: dict[str, Any] = {
    "lang": "py",
    "task": topology.TASK_INTAKE,
    "parent_id": None,
    "group": None,
    "retries": 0,
    "eta": None,
    "expires": None,
    "timelimit": [None, None],
    "kwargsrepr": "{}",
    "ignore_result": True,
    "origin": _ORIGIN,
}


@dataclass(frozen=True, slots=True)
class SerializedEvent:
    """An event serialized for a message.

    Attributes:
        message_id: the event's message id.
        content: the event as JSON.
    """

    message_id: str
    content: bytes

    @classmethod
    def from_event(cls, event: Event) -> SerializedEvent:
        """Serialize `event`."""
        return cls(event.message_id, orjson.dumps(event.to_json()))


@dataclass(frozen=True, slots=True)
class Message:
    """A Celery message, to be published with the constants above.

    Attributes:
        task_id: the task's id and the correlation id: the first event's message id.
        headers: the protocol's headers.
        body: arguments (the events), keyword arguments and embedded options, as JSON.
    """

    task_id: str
    headers: dict[str, Any]
    body: bytes


def build_message(serialized_events: Sequence[SerializedEvent]) -> Message:
    """Return the message for the intake task, with each event as one argument."""
    task_id = serialized_events[0].message_id
    message_ids = repr(" ".join(item.message_id for item in serialized_events))
    headers = {**_HEADERS, "id": task_id, "root_id": task_id, "argsrepr": message_ids}
    events = b",".join([item.content for item in serialized_events])
    return Message(task_id, headers, b"[[%b],%b" % (events, _REST))
