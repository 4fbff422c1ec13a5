"""Keys of the fleet for which no setting provides a value: generated once, and kept in Redis."""

from __future__ import annotations

import secrets

import redis

_BYTES = 32


class GeneratedKey:
    """One key of one extension. It never expires: what was made with it could no longer be verified.

    Args:
        client: a Redis client that returns bytes.
        name: the Redis key.
    """

    def __init__(self, client: redis.Redis, name: str) -> None:
        self._client = client
        self._name = name

    def find(self) -> bytes | None:
        """Return the key; None if none was generated yet."""
        found = self._client.get(self._name)
        return found if isinstance(found, bytes) else None

    def ensure(self) -> bytes:
        """Return the key; generate it if there is none. All processes get the same one."""
        if (known := self.find()) is not None:
            return known
        new = secrets.token_bytes(_BYTES)
        self._client.set(self._name, new, nx=True)
        return self.find() or new
