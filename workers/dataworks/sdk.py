"""All use of Alibaba Cloud's SDK. Import this module lazily: loading the SDK takes about a second."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from typing import Any

import requests
from alibabacloud_credentials.client import Client as CredentialClient
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import ResponseException, UnretryableException
from darabonba.runtime import RuntimeOptions
from urllib3.exceptions import NewConnectionError

from workers.dataworks import sdk_models
from workers.dataworks.error_mapping import CallFailure, CallStage
from workers.dataworks.operations import Operation

sdk_models.install()

from alibabacloud_dataworks_public20200518 import models  # noqa: E402
from alibabacloud_dataworks_public20200518.client import Client  # noqa: E402

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
"""Maximum timeouts of one call."""

CONNECTIONS = 40
"""Size of the connection pool."""

_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
"""Exceptions of the SDK's models for JSON of an unexpected structure."""

# With DEBUG=sdk in the environment the SDK would log every header, including the signature.
logging.getLogger("darabonba-core").setLevel(logging.INFO)


def build_client(endpoint: str, protocol: str, region: str, generation: int) -> Client:
    """Return a client with the SDK's default credential chain and without retries; sends nothing.

    Args:
        endpoint: host, or host and port.
        protocol: `https` or `http`.
        region: the region ID.
        generation: number of forks that led to this process; makes the pool size unique to it. The SDK shares
            connections between all clients of the same pool size, and a child process must not write to its
            parent's connections.
    """
    config = Config(
        endpoint=endpoint,
        protocol=protocol,
        region_id=region,
        credential=CredentialClient(),
        max_idle_conns=CONNECTIONS + generation,
    )
    return Client(config)


def send(client: Client, operation: Operation, arguments: Mapping[str, str | int], seconds: float) -> Any:
    """Call `operation` once.

    Args:
        client: from `build_client`.
        operation: the operation.
        arguments: its parameters, by their names in the OpenAPI.
        seconds: timeout of the whole call; CONNECT_SECONDS and READ_SECONDS apply as well.

    Returns:
        The response's JSON, or a `CallFailure`. The SDK's exceptions hold the request with its signature, so
        none of them leaves this function.
    """
    connect = min(CONNECT_SECONDS, seconds / 3)
    runtime = RuntimeOptions(
        connect_timeout=_ms(connect), read_timeout=_ms(min(READ_SECONDS, seconds - connect))
    )
    request = getattr(models, f"{operation.action}Request")()
    request.from_map(dict(arguments))
    call = getattr(client, f"{operation.method}_with_options")
    try:
        return call(request, runtime).to_map().get("body")
    except UnretryableException as error:
        return _failure_of(error.inner_exception)
    except ResponseException as error:
        code, request_id = error.code, getattr(error, "request_id", None)
        return CallFailure(CallStage.ANSWERED, "", getattr(error, "status_code", None), code, request_id)
    except _MALFORMED:
        return CallFailure(CallStage.SENT, "Unreadable")


def _failure_of(error: Exception) -> CallFailure:
    """Return the failure behind an SDK error: for I/O errors the original exception is its `__context__`."""
    cause = error.__context__
    if isinstance(error, CredentialException):
        found = "any of the providers" not in str(error.message)
        return (
            CallFailure(CallStage.NOT_SENT, "CredentialsNotFetched")
            if found
            else CallFailure(CallStage.NO_CREDENTIALS)
        )
    if not isinstance(cause, requests.RequestException):
        return CallFailure(CallStage.SENT, "Unreadable")
    if isinstance(cause, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return CallFailure(CallStage.NOT_SENT, type(cause).__name__)
    reason = getattr(cause.args[0], "reason", None) if cause.args else None
    if isinstance(reason, NewConnectionError):
        return CallFailure(CallStage.NOT_SENT, type(reason).__name__)
    if reason is not None and reason.args and isinstance(reason.args[0], ssl.SSLCertVerificationError):
        return CallFailure(CallStage.NOT_SENT, "CertificateNotTrusted")
    return CallFailure(CallStage.SENT, type(cause).__name__)


def _ms(seconds: float) -> int:
    return max(int(seconds * 1000), 1)
