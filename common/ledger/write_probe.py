"""Asks Redis whether it accepts writes now; nothing remains of the attempt."""

from __future__ import annotations

import redis


def find_write_refusal(client: redis.Redis, key: str) -> str | None:
    """Return why Redis refuses to write, such as a full memory or a read-only replica; None if it writes.

    Args:
        client: a Redis client.
        key: a list, or a key that does not exist, which the client's account may write.

    Raises:
        redis.ConnectionError: Redis is unreachable.
        redis.TimeoutError: Redis does not respond.
    """
    pipe = client.pipeline(transaction=True)
    pipe.lpush(key, b"write probe")
    pipe.ltrim(key, 1, -1)
    try:
        pipe.execute()
    except redis.OutOfMemoryError:
        return "its memory is full (maxmemory)"
    except redis.ReadOnlyError:
        return "it is a read-only replica"
    except redis.exceptions.NoPermissionError:
        return "the account may not write"
    except redis.ConnectionError:
        raise
    except redis.ResponseError as error:
        # The first word is Redis' own error code, such as MISCONF.
        return (
            str(error).partition(" of pipeline caused error: ")[2].partition(" ")[0] or type(error).__name__
        )
    return None
