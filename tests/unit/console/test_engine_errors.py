"""How a command reports an engine that does not serve: one line, without a secret, and an exit code."""

from __future__ import annotations

import pytest
import redis
from pydantic import SecretStr
from redis.sentinel import MasterNotFoundError

from common.ledger.redis_faults import RedisFault, RedisNotServing
from console import errors
from console.exit_codes import ENGINE_DOWN, USAGE

URL = SecretStr("redis://:top-secret@host:6379/0")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (RedisNotServing(RedisFault.READONLY), ENGINE_DOWN, "is a replica and refuses writes"),
        (RedisNotServing(RedisFault.OUT_OF_MEMORY), ENGINE_DOWN, "has reached maxmemory and refuses writes"),
        (redis.BusyLoadingError("loading"), ENGINE_DOWN, "is loading its data"),
        (redis.TimeoutError("Timeout reading from top-secret"), ENGINE_DOWN, "does not respond"),
        (redis.ConnectionError("Error 111 top-secret"), ENGINE_DOWN, "is down: no connection"),
        (redis.AuthenticationError("invalid password"), USAGE, "rejects the user or the password"),
        (redis.exceptions.NoPermissionError("no"), USAGE, "does not permit a command to this user"),
        (
            MasterNotFoundError("No master found for 'shop'"),
            ENGINE_DOWN,
            "is down: Sentinel knows no master of this name that serves",
        ),
        (
            MasterNotFoundError("No master found for 'shop' : Redis<…> - ConnectionError('top-secret')"),
            ENGINE_DOWN,
            "is down: Sentinel knows no master of this name that serves, or does not answer",
        ),
        (
            MasterNotFoundError(
                "No master found for 'shop' : Redis<…> - ConnectionError('Error 1 connecting to h:1. [SSL:"
                " CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1)')"
            ),
            ENGINE_DOWN,
            "is down: a certificate is rejected: certificate has expired",
        ),
        (
            MasterNotFoundError("No master found for 'shop' : Redis<…> - AuthenticationError('invalid')"),
            USAGE,
            "rejects the user or the password",
        ),
    ],
)
def test_a_fault_of_redis(error: Exception, code: int, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises((errors.EngineDown, errors.EngineRefused)) as caught,
        errors.engine_errors("Redis", URL),
    ):
        raise error
    assert errors.report_error(caught.value) == code
    assert capsys.readouterr().err == f"dwgate: Redis at host:6379 {line}\n"


def test_an_unknown_reply_is_a_defect() -> None:
    with pytest.raises(redis.ResponseError), errors.engine_errors("Redis", URL):
        raise redis.ResponseError("WRONGTYPE …")
