"""Faults that people must expect: one line each on stderr, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import redis
from kombu.exceptions import OperationalError
from pydantic import SecretStr

from common.config_files.errors import ConfigError
from common.errors import DwgateError
from common.settings import SettingsError
from console.exit_codes import ENGINE_DOWN, FAILED, USAGE, UsageError
from deploy.local.process import ServiceError
from emulator.dataworks.world import WorldError
from review.parsing.self_test import ParserUnusable
from workers.checks.registry import CheckError

_CONFIGURATION_ERRORS = (SettingsError, ConfigError, CheckError, WorldError, ParserUnusable, UsageError)


class EngineDown(DwgateError):
    """An engine cannot be reached: start it, or mend its URL in the settings."""


class CommandFailed(DwgateError):
    """A command could not do what it was asked; the text says what stood in its way."""


@contextmanager
def engine_errors(engine: str, url: SecretStr) -> Iterator[None]:
    """Turn an engine's faults within the block into `EngineDown`, which names its host, never its password.

    Args:
        engine: what it is called in the message.
        url: its URL.
    """
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, OperationalError, OSError) as error:
        raise EngineDown(f"{engine} at {host(url)} is down: {_reason(error)}") from error


def host(url: SecretStr) -> str:
    """Return hosts and ports of an engine's URL (or the path of its socket), without credentials."""
    parts = urlsplit(url.get_secret_value())
    return parts.netloc.rpartition("@")[2] or parts.path


def report_error(error: Exception) -> int:
    """Write what went wrong to stderr and return the exit code; raise `error` again if nobody expects it."""
    if isinstance(error, _CONFIGURATION_ERRORS):
        code = USAGE
    elif isinstance(error, EngineDown):
        code = ENGINE_DOWN
    elif isinstance(error, CommandFailed | ServiceError) or (isinstance(error, OSError) and error.errno):
        # An error number means that the system refused: a port is taken, a file is not there.
        code = FAILED
    else:
        raise error
    for line in str(error).splitlines():
        print(f"dwgate: {line}", file=sys.stderr)
    return code


def _reason(error: Exception) -> str:
    # The text of a library's error may hold the whole URL.
    if isinstance(error, redis.AuthenticationError):
        return "it refuses the password"
    if isinstance(error, redis.TimeoutError | TimeoutError):
        return "no answer"
    return "no connection"


def fail(line: str) -> int:
    """Write one line to stderr and return the exit code of something that failed."""
    print(f"dwgate: {line}", file=sys.stderr)
    return FAILED
