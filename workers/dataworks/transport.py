"""Sends OpenAPI calls through one SDK client per process, created on first use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from common import clock
from common.json_types import Json
from workers.dataworks.error_mapping import CallFailure, CallStage, to_error
from workers.dataworks.errors import Unreachable
from workers.dataworks.operations import Operation

if TYPE_CHECKING:
    from alibabacloud_dataworks_public20200518.client import Client


_forks: list[int] = []
"""One entry for each fork between the first process and this one."""

os.register_at_fork(after_in_child=lambda: _forks.append(os.getpid()))

_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")


class Transport:
    """Calls operations. It is thread-safe and may be created before a fork.

    Args:
        endpoint: host, or host and port, of the OpenAPI.
        protocol: `https` or `http`.
        region: the region ID.
    """

    def __init__(self, *, endpoint: str, protocol: str, region: str) -> None:
        self._address = (endpoint, protocol, region)
        self._clients: dict[int, Client] = {}

    def warm_up(self) -> None:
        """Load the SDK and create the client now, which takes about a second, not with the first call."""
        self._client()

    def call(self, operation: Operation, arguments: Mapping[str, str | int], *, deadline: float) -> Json:
        """Call `operation` once and return the response.

        Args:
            operation: the operation.
            arguments: its parameters, by their names in the OpenAPI.
            deadline: when the response must have arrived, in seconds since the epoch.

        Raises:
            DataWorksError: it failed, or returned `Success: false`; its text holds nothing that was sent.
        """
        from workers.dataworks import sdk  # noqa: PLC0415 - costs a second and 40 MB; most processes never call

        client = self._client()
        left = deadline - clock.now()
        if left <= 0:
            raise Unreachable(operation.action, "NoTimeLeft")
        body = parse_body(sdk.send(client, operation, arguments, left))
        if isinstance(body, CallFailure):
            raise to_error(operation, body)
        return body

    def _client(self) -> Client:
        # One client per generation of forks: a child must not write to its parent's connections. There is no
        # lock, since a fork could leave it locked; two threads may both create the first client, which is
        # harmless.
        generation = len(_forks)
        client = self._clients.get(generation)
        if client is None:
            from workers.dataworks import sdk  # noqa: PLC0415

            keep_loopback_direct(self._address[0])
            client = self._clients.setdefault(generation, sdk.build_client(*self._address, generation))
        return client


def parse_body(body: object) -> Json | CallFailure:
    """Return the JSON of a response, or its failure; `Success: false` comes with HTTP status 200."""
    if isinstance(body, CallFailure):
        return body
    if not isinstance(body, dict):
        return CallFailure(CallStage.SENT, "Unreadable")
    if str(body.get("Success", True)).lower() != "false":
        return body
    status = str(body.get("HttpStatusCode") or "")
    return CallFailure(
        CallStage.ANSWERED,
        status=int(status) if status.isdecimal() else None,
        code=body.get("ErrorCode") or "NotSuccessful",
        request_id=body.get("RequestId"),
    )


def keep_loopback_direct(endpoint: str) -> None:
    """Remove this process's proxy variables if `endpoint` is on the loopback interface.

    The SDK has no other way to bypass a proxy: its `no_proxy` and NO_PROXY apply to asynchronous calls only.
    """
    if is_loopback(urlsplit(f"//{endpoint}").hostname or ""):
        for name in _PROXIES:
            os.environ.pop(name, None)


def is_loopback(host: str) -> bool:
    """Whether `host` is a loopback address or `localhost`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
