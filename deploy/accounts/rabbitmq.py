"""RabbitMQ's definitions: exchanges, queues, and one user per service.

A right is a regular expression over names of exchanges and queues; a topic right, one over routing keys.
RabbitMQ's rules (https://www.rabbitmq.com/docs/access-control): declaring or deleting needs `configure`,
publishing and binding to `write`, consuming and binding from `read`. A queue with a dead-letter exchange
needs `read` on itself and `write` on that exchange: an account that may declare a queue, read it and publish
to the exchange of tasks can let messages expire into any queue. So `checks` may declare nothing that it can
read.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from kombu.transport import native_delayed_delivery as delayed

from common.topology import Topology
from deploy.accounts.broker_objects import (
    FIRST_DELAY,
    DeclaredQueue,
    Exchange,
    broker_objects,
    commands_exchange,
    replies_exchange,
)
from deploy.accounts.services import SERVICES, Service

VHOST = "/"


def definitions(passwords: Mapping[str, str], topology: Topology) -> dict[str, Any]:
    """Return the definitions for `load_definitions` of RabbitMQ.

    Args:
        passwords: by service.
        topology: the fleet's names.
    """
    objects = broker_objects(topology)
    return {
        "vhosts": [{"name": VHOST}],
        "users": [_user(service, passwords[service.name]) for service in SERVICES],
        "permissions": [_permissions(service, topology) for service in SERVICES],
        "topic_permissions": [
            grant for service in SERVICES for grant in _topic_permissions(service, topology)
        ],
        "exchanges": [_exchange(item) for group in objects for item in group.exchanges],
        "queues": [_queue(item) for group in objects for item in group.queues],
        "bindings": [
            {**asdict(item), "vhost": VHOST, "arguments": {}} for group in objects for item in group.bindings
        ],
    }


def _user(service: Service, password: str) -> dict[str, Any]:
    return {
        "name": service.name,
        "password_hash": _password_hash(password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["management"] if service.is_monitor else [],
    }


def _password_hash(password: str) -> str:
    """Return the hash as in https://www.rabbitmq.com/docs/passwords."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _permissions(service: Service, topology: Topology) -> dict[str, str]:
    events = re.escape(topology.task_events_exchange)
    commands, replies = re.escape(commands_exchange(topology)), re.escape(replies_exchange(topology))
    configure, write, read = [], [], [re.escape(topology[name].name) for name in service.consumes]
    if service.publishes or service.publishes_events:
        write.append(re.escape(topology.exchange))
    if service.delays:
        write.append(re.escape(FIRST_DELAY))
    if service.sends_events:
        # Celery declares this exchange whenever it connects.
        configure.append(events)
        write.append(events)
    if service.commanded_as:
        mailbox = rf"({'|'.join(service.commanded_as)})-[0-9a-f]+[.a-z-]*@.*\.{commands}"
        configure += [commands, replies, mailbox]
        write += [replies, mailbox]
        read += [commands, mailbox]
    if service.is_monitor:
        own = [rf"{events}\..*", rf"[0-9a-f-]+\.{replies}"]
        configure += [events, commands, replies, *own]
        write += [commands, *own]
        read += [events, replies, *own]
    return {
        "user": service.name,
        "vhost": VHOST,
        "configure": _one_of(configure),
        "write": _one_of(write),
        "read": _one_of(read),
    }


def _topic_permissions(service: Service, topology: Topology) -> Iterator[dict[str, str]]:
    published = [topology[name].routing_key for name in service.publishes]
    if service.publishes_events:
        published.append(topology.event_key)
    keys = {topology.exchange: _one_of(map(re.escape, published))}
    if service.delays:
        prefix = rf"([01]\.){{{delayed.MAX_NUMBER_OF_BITS_TO_USE}}}"
        keys[FIRST_DELAY] = _one_of(prefix + re.escape(topology[name].routing_key) for name in service.delays)
    for exchange, write in keys.items():
        yield {"user": service.name, "vhost": VHOST, "exchange": exchange, "write": write, "read": "^$"}


def _one_of(patterns: Iterable[str]) -> str:
    """Return a regular expression for exactly these; without any, one that only the empty name matches."""
    return f"^({'|'.join(patterns)})$"


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        **asdict(exchange),
        "vhost": VHOST,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    }


def _queue(queue: DeclaredQueue) -> dict[str, Any]:
    return {
        "name": queue.name,
        "vhost": VHOST,
        "durable": True,
        "auto_delete": False,
        "arguments": dict(queue.arguments),
    }
