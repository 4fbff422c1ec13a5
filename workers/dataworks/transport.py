"""The way to the OpenAPI: one SDK client a process, made when first needed; answers or our errors."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from common.json_types import Json
from workers.dataworks.error_mapping import CallFailure, CallStage, to_error
from workers.dataworks.errors import Unreachable
from workers.dataworks.operations import Operation

if TYPE_CHECKING:
    from alibabacloud_dataworks_public20200518.client import Client


_forks: list[int] = []
os.register_at_fork(after_in_child=lambda: _forks.append(os.getpid()))

_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")


class Transport:
    """Calls operations. Threads share it, and it may be made before a fork.

    Args:
        endpoint: host, or host and port, of the OpenAPI.
        protocol: `https` or `http`.
        region: the region's id.
    """

    def __init__(self, *, endpoint: str, protocol: str, region: str) -> None:
        self._address = (endpoint, protocol, region)
        self._clients: dict[int, Client] = {}

    def warm_up(self) -> None:
        """Load the SDK and make the client now, which takes about a second, so that no call has to."""
        self._client()

    def call(self, operation: Operation, arguments: Mapping[str, str | int], *, deadline: float) -> Json:
        """Call `operation` once and return its answer.

        Args:
            operation: the operation.
            arguments: its parameters, by their names in the OpenAPI.
            deadline: when the answer must be there, in seconds since the epoch.

        Raises:
            DataWorksError: it failed, or answered `Success: false`. The text holds nothing that was sent.
        """
        from workers.dataworks import sdk  # noqa: PLC0415 - a second and 40 MB that most processes save

        client = self._client()
        left = deadline - time.time()
        if left <= 0:
            raise Unreachable(operation.action, "NoTimeLeft")
        answer = parse_body(sdk.send(client, operation, arguments, left))
        if isinstance(answer, CallFailure):
            raise to_error(operation, answer)
        return answer

    def _client(self) -> Client:
        # A client for each generation of forks: a child must not write into connections of its parent. Two
        # threads may both build the first one, which is harmless; no lock: a fork cannot leave it locked.
        generation = len(_forks)
        client = self._clients.get(generation)
        if client is None:
            from workers.dataworks import sdk  # noqa: PLC0415

            keep_loopback_direct(self._address[0])
            client = self._clients.setdefault(generation, sdk.build_client(*self._address, generation))
        return client


def parse_body(answer: object) -> Json | CallFailure:
    """Return the JSON of an answer, or the fault that it is; `Success: false` comes with status 200."""
    if isinstance(answer, CallFailure):
        return answer
    if not isinstance(answer, dict):
        return CallFailure(CallStage.SENT, "Unreadable")
    if str(answer.get("Success", True)).lower() != "false":
        return answer
    status = str(answer.get("HttpStatusCode") or "")
    return CallFailure(
        CallStage.ANSWERED,
        status=int(status) if status.isdecimal() else None,
        code=answer.get("ErrorCode") or "NotSuccessful",
        request_id=answer.get("RequestId"),
    )


def keep_loopback_direct(endpoint: str) -> None:
    """Forget this process's proxies when `endpoint` is on this machine: the SDK has no other way around them.

    (Its `no_proxy` and the variable NO_PROXY are for asynchronous calls only.)
    """
    if is_loopback(urlsplit(f"//{endpoint}").hostname or ""):
        for name in _PROXIES:
            os.environ.pop(name, None)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine's own loopback."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
