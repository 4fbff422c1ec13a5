"""The key of the digests of secrets in findings, if no setting provides it: generated once for the fleet."""

from __future__ import annotations

import secrets

import redis

_BYTES = 32


class FingerprintKeyStore:
    """The key of one extension. It never expires: with another key, every digest of a secret is another one.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the extension's keys.
        name: of the key in Redis.
    """

    def __init__(self, client: redis.Redis, prefix: str, name: str = "fingerprint-key") -> None:
        self._client = client
        self._name = f"{prefix}{name}"

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
