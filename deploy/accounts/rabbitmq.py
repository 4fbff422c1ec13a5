"""RabbitMQ's definitions: exchanges, queues, and one user per service.

A right is a regular expression over names of exchanges and queues; a topic right, one over routing keys.
RabbitMQ's rules (https://www.rabbitmq.com/docs/access-control): declaring or deleting needs `configure`,
publishing and binding to `write`, consuming and binding from `read`. A queue with a dead-letter exchange
needs `read` on itself and `write` on that exchange: an account that may declare a queue, read it and publish
to `dwgate` can let messages expire into any queue. So `checks` may declare nothing that it can read.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kombu.transport import native_delayed_delivery as delayed

from common import topology
from deploy.accounts.services import SERVICES, Service

VHOST = "/"

_EVENTS = "celeryev"
_COMMANDS = "celery.pidbox"
_REPLIES = "reply.celery.pidbox"
_FIRST_DELAY = delayed.level_name(delayed.MAX_LEVEL)
_DELAYED = delayed.CELERY_DELAYED_DELIVERY_EXCHANGE
_LEVELS = range(delayed.MAX_LEVEL, -1, -1)


def definitions(passwords: Mapping[str, str]) -> dict[str, Any]:
    """Return the definitions for `load_definitions` of RabbitMQ; `passwords` are by service."""
    return {
        "vhosts": [{"name": VHOST}],
        "users": [_user(service, passwords[service.name]) for service in SERVICES],
        "permissions": [_permissions(service) for service in SERVICES],
        "topic_permissions": [grant for service in SERVICES for grant in _topic_permissions(service)],
        "exchanges": [_exchange(*exchange) for exchange in _exchanges()],
        "queues": [_queue(name, arguments) for name, arguments in _queues()],
        "bindings": [_binding(*binding) for binding in _bindings()],
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


def _permissions(service: Service) -> dict[str, str]:
    configure, write, read = [], [], [re.escape(queue.name) for queue in service.consumes]
    if service.publishes:
        write.append(re.escape(topology.EXCHANGE))
    if service.delays:
        write.append(re.escape(_FIRST_DELAY))
    if service.sends_events:
        # Celery declares this exchange whenever it connects.
        configure.append(_EVENTS)
        write.append(_EVENTS)
    if service.commanded_as:
        mailbox = rf"({'|'.join(service.commanded_as)})-[0-9a-f]+@.*\.{re.escape(_COMMANDS)}"
        configure += [re.escape(_COMMANDS), re.escape(_REPLIES), mailbox]
        write += [re.escape(_REPLIES), mailbox]
        read += [re.escape(_COMMANDS), mailbox]
    if service.is_monitor:
        own = [rf"{_EVENTS}\..*", rf"[0-9a-f-]+\.{re.escape(_REPLIES)}"]
        configure += [_EVENTS, re.escape(_COMMANDS), re.escape(_REPLIES), *own]
        write += [re.escape(_COMMANDS), *own]
        read += [_EVENTS, re.escape(_REPLIES), *own]
    return {
        "user": service.name,
        "vhost": VHOST,
        "configure": _one_of(configure),
        "write": _one_of(write),
        "read": _one_of(read),
    }


def _topic_permissions(service: Service) -> Iterator[dict[str, str]]:
    keys = {topology.EXCHANGE: _one_of(re.escape(key) for key in service.publishes)}
    if service.delays:
        prefix = rf"([01]\.){{{delayed.MAX_NUMBER_OF_BITS_TO_USE}}}"
        keys[_FIRST_DELAY] = _one_of(prefix + re.escape(key) for key in service.delays)
    for exchange, write in keys.items():
        yield {"user": service.name, "vhost": VHOST, "exchange": exchange, "write": write, "read": "^$"}


def _one_of(patterns: Iterable[str]) -> str:
    """Return a regular expression for exactly these; without any, one that only the empty name matches."""
    return f"^({'|'.join(patterns)})$"


def _exchanges() -> Iterator[tuple[str, str, bool]]:
    """Yield name, type and durability of every exchange."""
    for name in (topology.EXCHANGE, topology.DEAD_EXCHANGE, _EVENTS, _DELAYED):
        yield name, "topic", True
    yield from ((delayed.level_name(level), "topic", True) for level in _LEVELS)
    yield _COMMANDS, "fanout", False
    yield _REPLIES, "direct", False


def _queues() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield name and arguments of every queue."""
    yield from ((queue.name, queue.arguments) for queue in (*topology.QUEUES, topology.DEAD))
    for level in _LEVELS:
        arguments = {
            "x-queue-type": "quorum",
            "x-overflow": "reject-publish",
            "x-message-ttl": 2**level * 1000,
            "x-dead-letter-exchange": delayed.level_name(level - 1) if level else _DELAYED,
            "x-dead-letter-strategy": "at-least-once",
        }
        yield delayed.level_name(level), arguments


def _bindings() -> Iterator[tuple[str, str, str, str]]:
    """Yield source, destination, its type, and routing key of every binding."""
    for queue in (*topology.QUEUES, topology.DEAD):
        yield from ((queue.exchange, queue.name, "queue", key) for key in queue.routing_keys)
    yield from _delay_bindings()


def _delay_bindings() -> Iterator[tuple[str, str, str, str]]:
    """Yield the bindings of Celery's delayed delivery, as kombu and Celery declare them.

    A routing key begins with the delay in seconds, one digit of the binary number per level: a message waits
    in the queue of a level if its digit is 1.
    """
    for position, level in enumerate(_LEVELS):
        name = delayed.level_name(level)
        skipped = "*." * position
        following = delayed.level_name(level - 1) if level else _DELAYED
        yield name, name, "queue", f"{skipped}1.#"
        yield name, following, "exchange", f"{skipped}0.#"
    for queue in topology.TASK_QUEUES:
        key = f"#.{queue.routing_keys[0]}"
        yield _DELAYED, topology.EXCHANGE, "exchange", key
        yield topology.EXCHANGE, queue.name, "queue", key


def _exchange(name: str, kind: str, durable: bool) -> dict[str, Any]:
    return {
        "name": name,
        "vhost": VHOST,
        "type": kind,
        "durable": durable,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    }


def _queue(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "vhost": VHOST,
        "durable": True,
        "auto_delete": False,
        "arguments": dict(arguments),
    }


def _binding(source: str, destination: str, kind: str, key: str) -> dict[str, Any]:
    return {
        "source": source,
        "vhost": VHOST,
        "destination": destination,
        "destination_type": kind,
        "routing_key": key,
        "arguments": {},
    }
