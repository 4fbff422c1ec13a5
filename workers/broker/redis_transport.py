"""Redis as the broker: kombu's transport for lists that may contain anything, and servers that fail over.

kombu lets an exception about an entry that is no message out of the event loop, which ends the process, and
the entry is lost. Here a consumer passes it to `refuse`, and the next entry follows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis
from kombu.transport.virtual import Message

from common.ledger.redis_connections import PlainConnection, TlsConnection

Refuse = Callable[[str, bytes], None]
"""Stores an entry that is no message: the name of its list, and the entry."""


class Channel(kombu_redis.Channel):  # type: ignore[misc]  # kombu ships no types
    """A channel whose connections are closed when their server becomes a replica."""

    connection_class = PlainConnection
    connection_class_ssl = TlsConnection


class Transport(kombu_redis.Transport):  # type: ignore[misc]  # kombu ships no types
    """The transport."""

    Channel = Channel


def register() -> None:
    """Let kombu and Celery use this transport for the URLs of Redis."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"


class ConsumingChannel(Channel):
    """A channel that passes an entry that is no message to `refuse`."""

    refuse: ClassVar[Refuse]

    def _create_client(self, asynchronous: bool = False) -> Any:
        client = super()._create_client(asynchronous=asynchronous)
        client.set_response_callback("BRPOP", self._accept)
        return client

    def _accept(self, response: Any, **_: Any) -> Any:
        """Return the reply of BRPOP, or none, as after its timeout, if the entry is no message."""
        if response is None:
            return None
        name, entry = response
        if is_message(entry, self):
            return name, entry
        type(self).refuse(name.decode(errors="replace"), entry)
        return None


class ConsumingTransport(Transport):
    """The transport of a consumer."""

    Channel = ConsumingChannel


def consuming_transport(refuse: Refuse) -> str:
    """Return the name of the transport for the consumer of this process.

    Celery shows it to Flower, so it is a name and not a class.

    Args:
        refuse: gets each entry that is no message.
    """
    ConsumingChannel.refuse = staticmethod(refuse)
    return f"{__name__}:{ConsumingTransport.__name__}"


def is_message(entry: bytes, channel: Any) -> bool:
    """Whether an entry of a list is a message of kombu's Redis transport, whatever its content."""
    try:
        raw = json.loads(entry)
        message = Message(raw, channel=channel)
        delivery, tag = message.delivery_info, message.delivery_tag
        places = delivery["exchange"], delivery["routing_key"]
    except Exception:  # noqa: BLE001 - decoders raise whatever the content makes them raise
        return False
    return isinstance(tag, str) and isinstance(raw, dict) and all(isinstance(place, str) for place in places)
