"""Expected errors of commands: one line each on stderr, and an exit code."""

from __future__ import annotations

import re
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError
from pydantic import SecretStr
from redis.sentinel import MasterNotFoundError

from common.config_files.errors import ConfigError
from common.engines.urls import hosts_text
from common.errors import DwgateError
from common.ledger.redis_faults import RedisFault, classify
from common.settings import SettingsError
from common.text.printable import printable
from console.exit_codes import ENGINE_DOWN, FAILED, USAGE, UsageError
from deploy.accounts.secret_files import AccountFileExists
from deploy.local.folder_lock import FolderInUse
from deploy.local.private_folder import FolderShared
from deploy.local.process import ServiceError
from emulator.dataworks.world import WorldError
from review.parsing.self_test import ParserUnusable
from workers.broker.amqp_transport import REFUSALS, BrokerUnavailable
from workers.checks.registry import CheckError
from workers.process.supervisor import StartFailed

_REJECTED_CERTIFICATE = re.compile(r"certificate verify failed: ([^(]++)\(")


class EngineDown(DwgateError):
    """An engine is unreachable: start it, or correct its URL in the settings."""


class EngineRefused(DwgateError):
    """An engine refuses the settings: credentials, virtual host, rights, or arguments of a queue."""


class CommandFailed(DwgateError):
    """A command could not complete; the text says why."""


_CONFIGURATION_ERRORS = (
    SettingsError,
    ConfigError,
    CheckError,
    WorldError,
    ParserUnusable,
    UsageError,
    EngineRefused,
)


_FAILURES = (CommandFailed, ServiceError, StartFailed, AccountFileExists, FolderInUse, FolderShared)


@contextmanager
def engine_errors(engine: str, url: SecretStr) -> Iterator[None]:
    """Convert an engine's errors within the block, with its host but never its password.

    Args:
        engine: name of the engine in the message.
        url: its URL.

    Raises:
        EngineRefused: it refuses the settings.
        EngineDown: it is unreachable, does not serve at the moment, or does not take a message.
    """
    try:
        yield
    except REFUSALS as error:
        raise EngineRefused(f"{engine} at {host(url)} refuses the settings: {_refusal(error)}") from error
    except redis.RedisError as error:
        fault = classify(error)
        if fault is RedisFault.OTHER:
            raise
        kind = EngineRefused if fault.is_configuration else EngineDown
        raise kind(f"{engine} at {host(url)} {_describe(fault, error)}") from error
    except (OperationalError, AMQPError, OSError) as error:
        raise EngineDown(f"{engine} at {host(url)} is down: {_reason(error)}") from error


def host(url: SecretStr) -> str:
    """Return the hosts and ports of an engine's URL, or its socket path, without credentials."""
    return hosts_text(url.get_secret_value())


def report_error(error: Exception) -> int:
    """Write an expected error to stderr and return the exit code; re-raise any other."""
    if isinstance(error, _CONFIGURATION_ERRORS):
        code = USAGE
    elif isinstance(error, EngineDown):
        code = ENGINE_DOWN
    elif isinstance(error, _FAILURES) or (isinstance(error, OSError) and error.errno):
        # An error number means that the system call failed: a port is in use, a file is missing.
        code = FAILED
    else:
        raise error
    for line in str(error).splitlines():
        print(f"dwgate: {printable(line)}", file=sys.stderr)
    return code


def _describe(fault: RedisFault, error: Exception) -> str:
    return f"is down: {_reason(error)}" if fault is RedisFault.DOWN else fault.text


def _reason(error: Exception) -> str:
    # The text of a library's error may hold the whole URL.
    cause = error.__cause__ or error
    if isinstance(error, MasterNotFoundError):
        return _sentinel_reason(str(error))
    if isinstance(error, BrokerUnavailable):
        return f"it takes no messages now, memory or disk may be low ({cause})"
    if isinstance(cause, redis.TimeoutError | TimeoutError):
        return "no response"
    if isinstance(cause, socket.gaierror):
        return "its host name is unknown"
    if rejection := _certificate_error(error):
        return f"its certificate is rejected: {rejection.verify_message}"
    return "no connection"


def _sentinel_reason(text: str) -> str:
    if rejection := _REJECTED_CERTIFICATE.search(text):
        return f"a certificate is rejected: {rejection[1].strip()}"
    reason = "Sentinel knows no master of this name that serves"
    # What the Sentinels that did not answer raised stands after the name of the master.
    return f"{reason}, or does not answer" if " : " in text else reason


def _refusal(error: AMQPError) -> str:
    # "ACCESS_REFUSED - access to queue 'dwgate.intake' in vhost '/' refused for user 'checks'"
    text = str(error.reply_text).partition(" - ")[2]
    return "the user or the password is wrong" if text.startswith("Login was refused") else text


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return the failed verification of a certificate that `error` comes from."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None


def fail(line: str) -> int:
    """Write one line to stderr and return the exit code of a failure."""
    print(f"dwgate: {printable(line)}", file=sys.stderr)
    return FAILED
