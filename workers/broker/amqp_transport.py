"""kombu's transport for RabbitMQ: nodes of a cluster, and no publish waits for longer than CONFIRM_SECONDS.

kombu's own list of alternative URLs is not used: after the first failure it replaces the transport by that of
the URL's scheme, and verifies the certificate of each node with the name of the first one.

py-amqp waits for a confirm without limit unless each call names one, and takes the next confirm for that of
any earlier message. While a memory or disk alarm is on, RabbitMQ sends `connection.blocked` to a connection
that publishes, and reads nothing more from it, acknowledgements included. So a connection that consumes must
never publish (https://www.rabbitmq.com/docs/alarms, https://www.rabbitmq.com/docs/connection-blocked).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from amqp.exceptions import AccessRefused, AMQPError, InvalidPath, NotAllowed, NotFound, PreconditionFailed
from kombu import Connection as KombuConnection
from kombu.exceptions import OperationalError
from kombu.transport import pyamqp

from common.engines.address_rotation import AddressRotation
from common.engines.urls import Address, addresses_of, node_urls
from common.tls import TlsFiles, tls_options

CONFIRM_SECONDS = 2.0
"""Maximum wait for the confirm of a publish; the same as in ingest."""

SOCKET_SECONDS = 5.0
"""Maximum wait for any other reply of RabbitMQ, and for it to take bytes, once a connection is open."""

REFUSALS = (AccessRefused, NotAllowed, InvalidPath, NotFound, PreconditionFailed)
"""What RabbitMQ answers to settings that do not fit: wrong credentials, a missing virtual host, queue or
right, and other arguments of a queue that exists. Trying again does not help."""

TRANSPORT = f"{__name__}:Transport"
"""Its name for kombu."""


class BrokerUnavailable(OperationalError):  # type: ignore[misc]  # kombu ships no types
    """RabbitMQ takes no messages now: it blocks publishers or hangs. The message may still arrive."""


class Channel(pyamqp.Channel):  # type: ignore[misc]
    """A channel that publishes within a time limit."""

    def basic_publish_confirm(self, *args: Any, **kwargs: Any) -> Any:
        """Publish a message and wait for its confirm.

        Raises:
            BrokerUnavailable: it was not confirmed. The connection is closed, since a late confirm would
                count as that of the next message.
        """
        if kwargs.get("confirm_timeout") is None:
            kwargs["confirm_timeout"] = CONFIRM_SECONDS
        connection = self.connection
        try:
            return super().basic_publish_confirm(*args, **kwargs)
        except TimeoutError:
            connection.collect()
            raise BrokerUnavailable(f"no confirm within {CONFIRM_SECONDS:g} s") from None
        except BrokerUnavailable:
            connection.collect()
            raise


class Connection(pyamqp.Connection):  # type: ignore[misc]
    """A connection on which a publish fails at once when RabbitMQ blocks publishers."""

    Channel = Channel

    def __init__(self, *args: Any, addresses: tuple[Address, ...], **kwargs: Any) -> None:
        """Initialize py-amqp's connection; `addresses` are those that the transport chose the host from."""
        del addresses
        super().__init__(*args, on_blocked=self._fail, **kwargs)

    @staticmethod
    def _fail(_: str) -> None:
        raise BrokerUnavailable("it blocks publishers: memory or disk is low")


class Transport(pyamqp.Transport):  # type: ignore[misc]
    """The transport; its options are those of py-amqp's connection, and `addresses`."""

    Connection = Connection

    def establish_connection(self) -> Any:
        """Connect to one of the nodes; the time limit applies to each of them.

        Raises:
            AMQPError, OSError: none serves. If one of them refuses the settings, the refusal.
        """
        client = self.client
        rotation = _rotation(client.transport_options["addresses"])
        errors: list[Exception] = []
        for address in rotation.in_order():
            client.hostname, client.port = address
            if client.ssl:
                client.ssl = {**client.ssl, "server_hostname": address.host}
            try:
                return super().establish_connection()
            except (AMQPError, OSError) as error:
                rotation.note_failure(address)
                errors.append(error)
        raise next((error for error in errors if isinstance(error, REFUSALS)), errors[0])


@lru_cache
def _rotation(addresses: tuple[Address, ...]) -> AddressRotation[Address]:
    """Return the rotation that all connections of this process to these nodes share."""
    return AddressRotation(addresses)


def first_node(url: str) -> str:
    """Return the URL from which kombu takes all but the addresses."""
    return node_urls(url)[0]


def transport_options(url: str) -> dict[str, Any]:
    """Return the options of this transport for the broker at `url`."""
    return {
        "addresses": addresses_of(url),
        "confirm_publish": True,
        "read_timeout": SOCKET_SECONDS,
        "write_timeout": SOCKET_SECONDS,
    }


def new_connection(url: str, tls: TlsFiles, *, connect_seconds: float, heartbeat: int = 0) -> KombuConnection:
    """Return a connection to RabbitMQ, not connected yet.

    Args:
        url: the setting, with one or more nodes.
        tls: files for verified TLS with `amqps://`.
        connect_seconds: maximum time to connect to a node.
        heartbeat: seconds between two heartbeats; 0 for none.
    """
    return KombuConnection(
        first_node(url),
        ssl=tls_options(url, tls),
        connect_timeout=connect_seconds,
        heartbeat=heartbeat,
        transport=TRANSPORT,
        transport_options=transport_options(url),
    )
