"""Connections to Redis that follow a failover, and that do not all wait for a server that hangs.

After a failover the address leads to another server, but open connections still lead to the old master, which
is a replica now: it keeps them open, answers PING, and refuses writes (`READONLY`). So the first such reply
closes the connections of the whole pool, and each resolves the address again.

Source: https://redis.io/docs/latest/operate/oss_and_stack/management/replication, and the failover of managed
Redis (Tair, ElastiCache), which moves a DNS name.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import redis
from redis.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection

from common.ledger.redis_faults import RedisFault, RedisNotServing, find_reply_fault

if TYPE_CHECKING:
    _Connection = redis.Connection
else:
    _Connection = object  # a mixin: the class that it is mixed into is the real base

HANG_PAUSE_SECONDS = 1.0
"""Seconds after a timeout in which commands fail at once. Otherwise a caller with several commands would wait
for the timeout of each."""


class ServerState:
    """What the connections of one pool know about the server.

    Attributes:
        moves: how often the address may have moved; a connection of an earlier count is closed before its
            next use.
        hangs_until: until when commands fail at once, on the monotonic clock in seconds.
    """

    __slots__ = ("hangs_until", "moves")

    def __init__(self) -> None:
        self.moves = 0
        self.hangs_until = 0.0


class FollowingConnection(_Connection):
    """Mixin of redis-py's connections: see the module. Error replies are classified.

    Args:
        server: the state that the connections of a pool share; None for a connection on its own, and for
            those of a broker, which wait for messages for a long time.
        arguments: see redis-py.
    """

    def __init__(self, *arguments: Any, server: ServerState | None = None, **options: Any) -> None:
        self._server = server
        self._moves = server.moves if server else 0
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]

    def connect(self) -> None:
        """Connect, unless connected to the current server.

        Raises:
            redis.ConnectionError: it is not possible.
        """
        server = self._server
        if server is None:
            super().connect()  # type: ignore[no-untyped-call]
            return
        if time.monotonic() < server.hangs_until:
            raise RedisNotServing(RedisFault.HANGS)
        if self._moves != server.moves:
            super().disconnect()  # type: ignore[no-untyped-call]
            self._moves = server.moves
        try:
            super().connect()  # type: ignore[no-untyped-call]
        except redis.TimeoutError:
            self._note_hang()
            raise

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        """Return the response to a command.

        Raises:
            RedisNotServing: the server reports that it does not serve.
            redis.RedisError: other faults.
        """
        try:
            return super().read_response(*arguments, **options)
        except redis.TimeoutError:
            self._note_hang()
            raise
        except (
            redis.exceptions.NoScriptError,
            redis.AuthenticationError,
            redis.exceptions.NoPermissionError,
        ):
            raise
        except redis.RedisError as error:
            fault = find_reply_fault(error)
            if fault is None and isinstance(error.__context__, redis.ReadOnlyError):
                # redis-py's connection to a master of Sentinel replaces the reply.
                fault = RedisFault.READONLY
            if fault is None or fault.is_configuration:
                raise
            if fault.has_moved:
                self._close_all()
            raise RedisNotServing(fault) from error

    def _close_all(self) -> None:
        super().disconnect()  # type: ignore[no-untyped-call]
        if self._server:
            # Only the first reply of a move counts: the others come from connections that are closed already.
            if self._moves == self._server.moves:
                self._server.moves += 1
            self._moves = self._server.moves

    def _note_hang(self) -> None:
        if self._server:
            self._server.hangs_until = time.monotonic() + HANG_PAUSE_SECONDS


class PlainConnection(FollowingConnection, redis.Connection):
    """Over TCP."""


class TlsConnection(FollowingConnection, redis.SSLConnection):
    """Over TLS."""


class SocketConnection(FollowingConnection, redis.UnixDomainSocketConnection):
    """Over a socket of this machine."""


class SentinelConnection(FollowingConnection, SentinelManagedConnection):
    """Over TCP, to the master that Sentinel names."""


class SentinelTlsConnection(FollowingConnection, SentinelManagedSSLConnection):
    """Over TLS, to the master that Sentinel names."""


CONNECTIONS = {
    "redis": PlainConnection,
    "rediss": TlsConnection,
    "unix": SocketConnection,
    "redis+sentinel": SentinelConnection,
    "rediss+sentinel": SentinelTlsConnection,
}
"""The connection class of each scheme of a URL."""
