"""What a Redis server reports when it does not serve, in one table: the cause, and whether it ends by itself.

Sources of the codes: the pages "Redis serialization protocol" and "Replication" of the Redis documentation,
and the server's `shared.*err` replies (`server.c`); LATE is of the ledger's own scripts. A server before
version 7 wraps the reply of a command inside a script: `ERR Error running script …: -READONLY You can't write
…`.
"""

from __future__ import annotations

import re
from enum import Enum

import redis
from redis.sentinel import MasterNotFoundError

from common.errors import DwgateError


class RedisFault(Enum):
    """Why Redis does not serve: label of metrics and logs, text for people, and who ends it.

    The text continues "Redis at HOST …".

    Attributes:
        label: of metrics and logs.
        text: one clause.
        is_configuration: whether it lasts until a setting is changed, here or in Redis. All others end by
            themselves, or when the engine is repaired.
        has_moved: whether the address may lead to another server by now: connections are closed.
    """

    label: str
    text: str
    is_configuration: bool
    has_moved: bool

    DOWN = ("down", "has no connection")
    HANGS = ("hangs", "does not respond")
    READONLY = ("readonly", "is a replica and refuses writes", False, True)
    DISCONNECTED = ("disconnected", "is no longer the master", False, True)
    MASTER_DOWN = ("master-down", "is a replica that has lost its master", False, True)
    CLUSTER_DOWN = ("cluster-down", "belongs to a cluster that is down", False, True)
    LOADING = ("loading", "is loading its data")
    BUSY = ("busy", "is busy with a script")
    OUT_OF_MEMORY = ("out-of-memory", "has reached maxmemory and refuses writes")
    NOT_PERSISTED = ("not-persisted", "cannot save its data and refuses writes")
    TOO_FEW_REPLICAS = ("too-few-replicas", "has too few replicas and refuses writes")
    TOO_MANY_CLIENTS = ("too-many-clients", "has reached maxclients")
    ABORTED = ("aborted", "aborted a transaction")
    SCRIPT_LOST = ("script-lost", "has lost a script")
    CREDENTIALS = ("credentials", "rejects the user or the password", True)
    PERMISSION = ("permission", "does not permit a command to this user", True)
    LATE = ("late", "executed a command too late")
    OTHER = ("other", "reports an unknown error", True)

    def __init__(
        self, label: str, text: str, is_configuration: bool = False, has_moved: bool = False
    ) -> None:
        self.label = label
        self.text = text
        self.is_configuration = is_configuration
        self.has_moved = has_moved


_BY_CODE = {
    "READONLY": RedisFault.READONLY,
    "UNBLOCKED": RedisFault.DISCONNECTED,
    "MASTERDOWN": RedisFault.MASTER_DOWN,
    "CLUSTERDOWN": RedisFault.CLUSTER_DOWN,
    "TRYAGAIN": RedisFault.CLUSTER_DOWN,
    "LOADING": RedisFault.LOADING,
    "BUSY": RedisFault.BUSY,
    "OOM": RedisFault.OUT_OF_MEMORY,
    "MISCONF": RedisFault.NOT_PERSISTED,
    "NOREPLICAS": RedisFault.TOO_FEW_REPLICAS,
    "EXECABORT": RedisFault.ABORTED,
    "NOSCRIPT": RedisFault.SCRIPT_LOST,
    "NOAUTH": RedisFault.CREDENTIALS,
    "WRONGPASS": RedisFault.CREDENTIALS,
    "NOPERM": RedisFault.PERMISSION,
    "LATE": RedisFault.LATE,
}

_CODE = re.compile(rf"(?:^|[ -])({'|'.join(_BY_CODE)}) ")
_TOO_MANY_CLIENTS = "max number of clients reached"

_BY_CLASS: tuple[tuple[type[Exception], RedisFault], ...] = (
    # A subclass stands before its base class.
    (redis.exceptions.NoPermissionError, RedisFault.PERMISSION),
    (redis.AuthenticationError, RedisFault.CREDENTIALS),
    (redis.exceptions.AuthorizationError, RedisFault.CREDENTIALS),
    (redis.exceptions.AuthenticationWrongNumberOfArgsError, RedisFault.CREDENTIALS),
    (redis.BusyLoadingError, RedisFault.LOADING),
    (redis.TimeoutError, RedisFault.HANGS),
    (redis.exceptions.NoScriptError, RedisFault.SCRIPT_LOST),
    (redis.exceptions.ExecAbortError, RedisFault.ABORTED),
    (redis.ConnectionError, RedisFault.DOWN),
    (TimeoutError, RedisFault.HANGS),
    (OSError, RedisFault.DOWN),
)


class RedisNotServing(DwgateError, redis.ConnectionError):
    """The server replied that it does not serve at the moment; the command was not executed.

    It is a `ConnectionError`, so that clients close the connection and callers retry, as after a lost one.

    Attributes:
        fault: why.
    """

    def __init__(self, fault: RedisFault) -> None:
        super().__init__(fault.text)
        self.fault = fault

    def __reduce__(self) -> tuple[type[RedisNotServing], tuple[RedisFault]]:
        return type(self), (self.fault,)


TRANSIENT_ERRORS = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.NoScriptError)
"""Errors after which the same command may succeed later: a task is retried, a loop continues.

Wrong credentials belong to them: during a rotation the new password reaches servers and clients one after the
other. The clients of `common.ledger.redis_client` raise a reply of the table above as `RedisNotServing`.
"""


def classify(error: BaseException) -> RedisFault:
    """Return the fault that an error of a Redis client stands for."""
    if isinstance(error, RedisNotServing):
        return error.fault
    if isinstance(error, MasterNotFoundError):
        # redis-py reports what each Sentinel answered in the text only.
        is_rejected = redis.AuthenticationError.__name__ in str(error)
        return RedisFault.CREDENTIALS if is_rejected else RedisFault.DOWN
    if _TOO_MANY_CLIENTS in str(error):
        return RedisFault.TOO_MANY_CLIENTS
    if isinstance(error, redis.RedisError) and (found := find_reply_fault(error)):
        return found
    return next((fault for kind, fault in _BY_CLASS if isinstance(error, kind)), RedisFault.OTHER)


def find_reply_fault(error: redis.RedisError) -> RedisFault | None:
    """Return the fault that a server's error reply names by its code; None for any other reply."""
    # The client removes a code that it knows from the text.
    if error.status_code in _BY_CODE:
        return _BY_CODE[error.status_code]
    found = _CODE.search(str(error))
    return _BY_CODE[found[1]] if found else None
