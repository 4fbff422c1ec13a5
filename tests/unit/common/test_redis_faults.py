"""The table of what a Redis server reports when it does not serve."""

from __future__ import annotations

import pickle

import pytest
import redis
from redis._parsers.base import BaseParser

from common.ledger.redis_faults import (
    TRANSIENT_ERRORS,
    RedisFault,
    RedisNotServing,
    classify,
    find_reply_fault,
)

REPLIES = {
    "READONLY You can't write against a read only replica.": RedisFault.READONLY,
    "UNBLOCKED force unblock from blocking operation, instance state changed": RedisFault.DISCONNECTED,
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is 'no'.": RedisFault.MASTER_DOWN,
    "CLUSTERDOWN The cluster is down": RedisFault.CLUSTER_DOWN,
    "TRYAGAIN Multiple keys request during rehashing of slot": RedisFault.CLUSTER_DOWN,
    "LOADING Redis is loading the dataset in memory": RedisFault.LOADING,
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL.": RedisFault.BUSY,
    "OOM command not allowed when used memory > 'maxmemory'.": RedisFault.OUT_OF_MEMORY,
    "MISCONF Redis is configured to save RDB snapshots, but cannot persist.": RedisFault.NOT_PERSISTED,
    "MISCONF Errors writing to the AOF file: No space left on device": RedisFault.NOT_PERSISTED,
    "NOREPLICAS Not enough good replicas to write.": RedisFault.TOO_FEW_REPLICAS,
    "EXECABORT Transaction discarded because of previous errors.": RedisFault.ABORTED,
    "NOSCRIPT No matching script. Please use EVAL.": RedisFault.SCRIPT_LOST,
    "ERR max number of clients reached": RedisFault.TOO_MANY_CLIENTS,
    "NOAUTH Authentication required.": RedisFault.CREDENTIALS,
    "WRONGPASS invalid username-password pair or user is disabled.": RedisFault.CREDENTIALS,
    "NOPERM this user has no permissions to run the 'get' command": RedisFault.PERMISSION,
    "LATE the caller no longer waits": RedisFault.LATE,
    # A server before version 7 wraps the error of a command in a script.
    "ERR Error running script (call to f_ab): @user_script: 8: -READONLY You can't": RedisFault.READONLY,
    "ERR Error running script (call to f_ab): @user_script: 8: -OOM command not": RedisFault.OUT_OF_MEMORY,
    "ERR unknown command 'FOO'": RedisFault.OTHER,
    "WRONGTYPE Operation against a key holding the wrong kind of value": RedisFault.OTHER,
}


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_has_one_meaning(reply: str) -> None:
    error = BaseParser.parse_error(reply)  # type: ignore[no-untyped-call]
    assert classify(error) is REPLIES[reply]
    if not isinstance(error, redis.ConnectionError):
        assert (find_reply_fault(error) or RedisFault.OTHER) is REPLIES[reply]


def test_errors_without_a_reply() -> None:
    assert classify(redis.TimeoutError("Timeout reading from socket")) is RedisFault.HANGS
    assert classify(redis.ConnectionError("Connection reset by peer")) is RedisFault.DOWN
    assert classify(RedisNotServing(RedisFault.BUSY)) is RedisFault.BUSY
    assert classify(ValueError("OOM ")) is RedisFault.OTHER


def test_what_passes_by_itself_is_retried() -> None:
    assert isinstance(RedisNotServing(RedisFault.READONLY), TRANSIENT_ERRORS)
    assert not isinstance(redis.ResponseError("WRONGTYPE …"), TRANSIENT_ERRORS)
    assert not isinstance(redis.exceptions.NoPermissionError("…"), TRANSIENT_ERRORS)


def test_labels_and_texts_are_distinct() -> None:
    assert len({fault.label for fault in RedisFault}) == len(RedisFault)
    assert len({fault.text for fault in RedisFault}) == len(RedisFault)


def test_it_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(RedisNotServing(RedisFault.OUT_OF_MEMORY)))  # noqa: S301 - made here
    assert again.fault is RedisFault.OUT_OF_MEMORY
