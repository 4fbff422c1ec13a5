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

from common.ledger.redis_connections import (
    PlainConnection,
    SentinelConnection,
    SentinelTlsConnection,
    TlsConnection,
)

Refuse = Callable[[str, bytes], None]
"""Stores an entry that is no message: the name of its list, and the entry."""


class Channel(kombu_redis.Channel):  # type: ignore[misc]  # kombu ships no types
    """A channel whose connections are closed when their server becomes a replica."""

    connection_class = PlainConnection
    connection_class_ssl = TlsConnection


class SentinelChannel(kombu_redis.SentinelChannel):  # type: ignore[misc]
    """The same to the master that Sentinel names."""

    connection_class = SentinelConnection
    connection_class_ssl = SentinelTlsConnection


class Transport(kombu_redis.Transport):  # type: ignore[misc]
    """The transport."""

    Channel = Channel


class SentinelTransport(kombu_redis.SentinelTransport):  # type: ignore[misc]
    """The transport with Sentinel."""

    Channel = SentinelChannel


def register() -> None:
    """Let kombu and Celery use these transports for the URLs of Redis."""
    _register(Transport, SentinelTransport)


class _RefusingEntries:
    """Mixin of channels: an entry that is no message is passed to `refuse`."""

    refuse: ClassVar[Refuse]

    def _create_client(self, asynchronous: bool = False) -> Any:
        client = super()._create_client(asynchronous=asynchronous)  # type: ignore[misc]
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


class ConsumingChannel(_RefusingEntries, Channel):
    """The channel of a consumer."""


class ConsumingSentinelChannel(_RefusingEntries, SentinelChannel):
    """The channel of a consumer, with Sentinel."""


class ConsumingTransport(Transport):
    """The transport of a consumer."""

    Channel = ConsumingChannel


class ConsumingSentinelTransport(SentinelTransport):
    """The transport of a consumer, with Sentinel."""

    Channel = ConsumingSentinelChannel


def register_for_consumer(refuse: Refuse) -> None:
    """Let kombu and Celery use the transports of a consumer in this process.

    kombu connects again by the scheme of the URL, so a transport that is named otherwise would not remain.

    Args:
        refuse: gets each entry that is no message.
    """
    _RefusingEntries.refuse = staticmethod(refuse)
    _register(ConsumingTransport, ConsumingSentinelTransport)


def _register(plain: type[Transport], sentinel: type[SentinelTransport]) -> None:
    for scheme, transport in (("redis", plain), ("rediss", plain), ("sentinel", sentinel)):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{transport.__name__}"


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
