"""All use of Alibaba Cloud's SDK. Import this module lazily: loading the SDK takes about a second."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import certifi
import requests
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from workers.dataworks import sdk_loading  # noqa: F401 - before the first other import of the SDK

# isort: split

from alibabacloud_credentials.client import Client as CredentialClient
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_dataworks_public20200518 import models
from alibabacloud_dataworks_public20200518.client import Client
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.core import DaraCore
from darabonba.exceptions import ResponseException, UnretryableException
from darabonba.runtime import ExtendsParameters, RuntimeOptions

from common import clock
from common.processes.version import running_version
from workers.dataworks.error_mapping import CallFailure, CallStage
from workers.dataworks.limits.bounded_http import CONNECT_SECONDS, READ_SECONDS, BoundedAdapter
from workers.dataworks.limits.call_budget import ResponseTooLarge, current_budget, limited_call
from workers.dataworks.limits.helper_threads import HelperThreads
from workers.dataworks.operations import VERSION, Operation

CALL_SECONDS = 6.0
"""Maximum time of one call, from the credentials to the last byte of the response."""

MAX_RESPONSE_BYTES = 16 * 1024 * 1024
"""Maximum size of a response with its headers. The largest are code and pages of a hundred rows: a few MB."""

CONNECTIONS = 96
"""Size of the connection pool: above the threads of a process, for tasks, their events, and lookups."""

_PORT = 80
"""The SDK's own default for requests, whatever the endpoint is: only part of the name of its sessions."""

_CREDENTIALS = HelperThreads("credentials")

_TRUST = ssl.create_default_context()
_TRUST.load_verify_locations(certifi.where())
"""The certificates that the SDK trusts, read once: the processes of a worker are forked with them."""

_TOO_LARGE = ResponseTooLarge.__name__

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
    pool_size = CONNECTIONS + generation
    _bound_session(endpoint, protocol, pool_size)
    config = Config(
        endpoint=endpoint,
        protocol=protocol,
        region_id=region,
        credential=_BoundedCredentials(),
        max_idle_conns=pool_size,
        user_agent=f"dwgate/{running_version()}",  # how ActionTrail shows its calls
    )
    return Client(config)


class _BoundedCredentials(CredentialClient):  # type: ignore[misc]  # the SDK ships no types
    """The default chain, whose providers may query a metadata service, within the time of a call."""

    def get_credential(self) -> Any:
        """Return the credential.

        Raises:
            CredentialException: there is none, or not in time.
        """
        try:
            return _CREDENTIALS.call(super().get_credential, current_budget().seconds_left())
        except TimeoutError:
            raise CredentialException("no credential in time") from None


def _bound_session(endpoint: str, protocol: str, pool_size: int) -> None:
    """Create the session that the SDK will use, with connections of ours: it has no setting for them."""
    name = f"{protocol.lower()}://{endpoint}:{_PORT}:pool={pool_size}"
    if name in DaraCore._sessions:
        return  # of an earlier client, with its connections
    session = requests.Session()
    session.max_redirects = 0
    session.mount(f"{protocol.lower()}://", BoundedAdapter(_TRUST, pool_size))
    DaraCore._sessions[name] = session


def send(client: Client, operation: Operation, arguments: Mapping[str, str | int], seconds: float) -> Any:
    """Call `operation` once.

    Args:
        client: from `build_client`.
        operation: the operation.
        arguments: its parameters, by their names in the OpenAPI.
        seconds: time limit of the whole call; CALL_SECONDS applies as well.

    Returns:
        The response's JSON, or a `CallFailure`. The SDK's exceptions hold the request with its signature, so
        none of them leaves this function.
    """
    try:
        with limited_call(min(seconds, CALL_SECONDS), MAX_RESPONSE_BYTES):
            return _call(client, operation, arguments)
    except UnretryableException as error:
        return _failure_of(error.inner_exception)
    except ResponseException as error:
        code, request_id = error.code, getattr(error, "request_id", None)
        return CallFailure(CallStage.ANSWERED, "", getattr(error, "status_code", None), code, request_id)
    except _MALFORMED:
        return CallFailure(CallStage.SENT, "Unreadable")


def _call(client: Client, operation: Operation, arguments: Mapping[str, str | int]) -> Any:
    # The budget of the call decides; without these the SDK's defaults would apply as well.
    runtime = RuntimeOptions(
        connect_timeout=int(CONNECT_SECONDS * 1000),
        read_timeout=int(READ_SECONDS * 1000),
        extends_parameters=ExtendsParameters(headers={"x-acs-date": _date()}),
    )
    if operation.version != VERSION:
        params = Params(
            action=operation.action,
            version=operation.version,
            protocol="HTTPS",  # unless the client has another one
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        return client.call_api(params, OpenApiRequest(body=dict(arguments)), runtime).get("body")
    request = getattr(models, f"{operation.action}Request")()
    request.from_map(dict(arguments))
    return getattr(client, f"{operation.method}_with_options")(request, runtime).to_map().get("body")


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
    if isinstance(cause, requests.RequestException):
        return _failure_of_request(cause)
    return CallFailure(CallStage.SENT, _TOO_LARGE if isinstance(error, ResponseTooLarge) else "Unreadable")


def _failure_of_request(cause: requests.RequestException) -> CallFailure:
    if isinstance(cause, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return CallFailure(CallStage.NOT_SENT, type(cause).__name__)
    inner = cause.args[0] if cause.args else None
    if isinstance(inner, ReadTimeoutError):
        return CallFailure(CallStage.SENT, requests.ReadTimeout.__name__)
    reason = getattr(inner, "reason", None)
    if isinstance(reason, NewConnectionError):
        return CallFailure(CallStage.NOT_SENT, type(reason).__name__)
    if reason is not None and reason.args and isinstance(reason.args[0], ssl.SSLCertVerificationError):
        return CallFailure(CallStage.NOT_SENT, "CertificateNotTrusted")
    return CallFailure(CallStage.SENT, type(cause).__name__)


def _date() -> str:
    """Return the time for the signature: DataWorks rejects one that is off by more than 15 minutes.

    By itself the SDK takes the time of the machine.
    """
    return datetime.fromtimestamp(clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
