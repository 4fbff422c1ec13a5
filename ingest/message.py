"""The Celery message of an event: task message protocol 2, built by hand so that ingest needs no Celery.

Source: Celery manual, "Message protocol", version 2. The arguments are not shown in `argsrepr`: whatever
watches tasks (Flower, logs) shows that text, and an event may hold what is not for everyone.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Any

import orjson

from common import topology
from common.events import Event

CONTENT_TYPE = "application/json"
CONTENT_ENCODING = "utf-8"
PERSISTENT = 2

_ORIGIN = f"ingest{os.getpid()}@{socket.gethostname()}"
_EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
STATIC_HEADERS: dict[str, Any] = {
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
"""The headers that every message has alike."""


@dataclass(frozen=True, slots=True)
class Message:
    """A Celery message, ready to be published with the constants above.

    Attributes:
        task_id: the task's id, which is the event's message id; also the correlation id.
        headers: the protocol's headers.
        body: arguments, keyword arguments and embedded options as JSON.
    """

    task_id: str
    headers: dict[str, Any]
    body: bytes


def build(event: Event) -> Message:
    """Return the message that hands `event` to the intake task."""
    task_id = event.message_id
    headers = {**STATIC_HEADERS, "id": task_id, "root_id": task_id, "argsrepr": repr(task_id)}
    return Message(task_id, headers, orjson.dumps([[event.to_json()], {}, _EMBED]))
