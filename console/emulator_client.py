"""Client of the DataWorks emulator: starts an operation, delivers its event, awaits its verdict."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

import httpx

from common.json_types import Json
from common.verdicts import Result
from console.errors import CommandFailed
from emulator.eventbridge import event_bodies
from emulator.eventbridge.sender import DeliveryT

DeliveryT_co = TypeVar("DeliveryT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class EmulatedOperation:
    """An operation that DataWorks would suspend.

    Attributes:
        event_code: code of its extension point.
        data: the body of its event.
        snapshot: response of `GetIDEEventDetail`; None for none.
    """

    event_code: str
    data: Json
    snapshot: Json | None


@dataclass(frozen=True, slots=True)
class ReceivedVerdict:
    """A verdict as it arrived at the emulator, `at` in seconds since the epoch."""

    result: Result
    tip: str
    at: float


@dataclass(frozen=True, slots=True)
class DeliveredEvent(Generic[DeliveryT]):
    """A delivery attempt of an event: its id, its start in seconds since the epoch, and its result."""

    message_id: str
    at: float
    delivery: DeliveryT


class EventSender(Protocol[DeliveryT_co]):
    """Delivers events as EventBridge does, to a target of one type."""

    async def send(self, event: Json) -> DeliveryT_co:
        """Deliver an event, with retries."""


class EmulatorClient:
    """The control API of a running DataWorks emulator; an asynchronous context manager.

    Args:
        url: the emulator's address.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        # The emulator runs on this machine: ignore proxies of the environment.
        self._client = httpx.AsyncClient(base_url=url, timeout=5.0, trust_env=False)

    async def __aenter__(self) -> EmulatorClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def start_process(self, operation: EmulatedOperation, message_id: str) -> None:
        """Start an operation that waits for a verdict.

        Raises:
            CommandFailed: the emulator is unreachable, or rejects the operation.
        """
        data = operation.data
        process = {
            "message_id": message_id,
            "event_code": operation.event_code,
            "project_id": data.get("projectId") or data.get("appId"),
            "operator": data.get("operator"),
            "snapshot": operation.snapshot,
        }
        answer = await self._request("POST", "/_emulator/processes", 5.0, json=process)
        if answer.is_error:
            raise CommandFailed(f"the emulator at {self.url} rejects the operation: {answer.text}")

    async def verdict(self, message_id: str, seconds: float) -> ReceivedVerdict | None:
        """Wait up to `seconds` for the verdict; return it, or None."""
        query = {"message_id": message_id, "timeout": str(seconds)}
        answer = await self._request("GET", "/_emulator/verdicts/wait", seconds + 5.0, params=query)
        post = answer.json().get("verdict")
        return ReceivedVerdict(Result(post["result"]), post["tip"], post["at"]) if post else None

    async def _request(self, method: str, path: str, seconds: float, **request: Any) -> httpx.Response:
        try:
            return await self._client.request(method, path, timeout=seconds, **request)
        except httpx.TransportError as error:
            raise CommandFailed(f"no emulator responds at {self.url}: {type(error).__name__}") from None


async def deliver(
    operation: EmulatedOperation,
    sender: EventSender[DeliveryT],
    account: str,
    emulator: EmulatorClient | None,
    times: int = 1,
) -> DeliveredEvent[DeliveryT]:
    """Start an operation at the emulator, if given, and deliver its event.

    Args:
        operation: the operation; its event gets a new id.
        sender: delivers as EventBridge does.
        account: UID of the account that the event claims to come from.
        emulator: where the operation waits.
        times: deliveries of the same event, one after the other; the result of the last one is returned.
    """
    now = time.time()
    event = event_bodies.event_envelope(operation.event_code, operation.data, account_id=account, now=now)
    if emulator:
        await emulator.start_process(operation, event["id"])
    at = time.time()
    for _ in range(times):
        delivery = await sender.send(event)
    return DeliveredEvent(event["id"], at, delivery)
