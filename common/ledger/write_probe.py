"""Asks Redis whether it accepts writes now; nothing remains of the attempt."""

from __future__ import annotations

import redis

from common.ledger.redis_faults import RedisFault, classify

_NO_REFUSALS = (RedisFault.DOWN, RedisFault.HANGS, RedisFault.CREDENTIALS, RedisFault.OTHER)


def find_write_refusal(client: redis.Redis, key: str) -> RedisFault | None:
    """Return why Redis refuses to write, such as a full memory or a read-only replica; None if it writes.

    Args:
        client: a Redis client.
        key: a list, or a key that does not exist, which the client's account may write.

    Raises:
        redis.RedisError: Redis is unreachable, does not respond, or rejects the user.
    """
    pipe = client.pipeline(transaction=True)
    pipe.lpush(key, b"write probe")
    pipe.ltrim(key, 1, -1)
    try:
        pipe.execute()
    except redis.RedisError as error:
        fault = classify(error)
        if fault in _NO_REFUSALS:
            raise
        return fault
    return None
