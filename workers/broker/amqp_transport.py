"""kombu's transport for RabbitMQ, with which no publish waits for longer than CONFIRM_SECONDS.

py-amqp waits for a confirm without limit unless each call names one, and takes the next confirm for that of
any earlier message. While a memory or disk alarm is on, RabbitMQ sends `connection.blocked` to a connection
that publishes, and reads nothing more from it, acknowledgements included. So a connection that consumes must
never publish (https://www.rabbitmq.com/docs/alarms, https://www.rabbitmq.com/docs/connection-blocked).
"""

from __future__ import annotations

from typing import Any

from kombu.exceptions import OperationalError
from kombu.transport import pyamqp

CONFIRM_SECONDS = 2.0
"""Maximum wait for the confirm of a publish; the same as in ingest."""

SOCKET_SECONDS = 5.0
"""Maximum wait for any other reply of RabbitMQ, and for it to take bytes, once a connection is open."""

PUBLISHING_OPTIONS = {
    "confirm_publish": True,
    "read_timeout": SOCKET_SECONDS,
    "write_timeout": SOCKET_SECONDS,
}
"""Options of this transport."""

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, on_blocked=self._fail, **kwargs)

    @staticmethod
    def _fail(_: str) -> None:
        raise BrokerUnavailable("it blocks publishers: memory or disk is low")


class Transport(pyamqp.Transport):  # type: ignore[misc]
    """The transport; its options are those of py-amqp's connection."""

    Connection = Connection
