"""`dwgate send`: delivers events as EventBridge does: retried, and over HTTP signed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
import typer

from common.extension_points import BY_CODE
from common.settings import SettingsError
from console.emulator_client import (
    DeliveredEvent,
    EmulatedOperation,
    EmulatorClient,
    ReceivedVerdict,
    deliver,
)
from console.exit_codes import FAILED
from console.output import tables
from emulator import samples
from emulator.eventbridge import event_bodies
from emulator.eventbridge.queue_sender import QueueDelivery, QueueSender
from emulator.eventbridge.sender import AnyDelivery, Delivery, Sender, Signer

VERDICT_SECONDS = 120.0
"""Maximum seconds to wait for a verdict."""

COLUMNS = ("message id", "event", "http", "answer", "verdict", "tip")


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """An HTTP target of EventBridge.

    Attributes:
        url: ingest's address, as set on the target.
        token: the target's token.
        key: folder with the signer's key and certificate.
    """

    url: str
    token: str
    key: Path


@dataclass(frozen=True, slots=True)
class QueueTarget:
    """A RabbitMQ target of EventBridge.

    Attributes:
        url: `amqp://…` or `amqps://…`.
        queue: name of the queue.
    """

    url: str
    queue: str


Target = HttpTarget | QueueTarget


app = typer.Typer(add_completion=False)


@app.command()
def command(
    *,
    url: Annotated[
        str,
        typer.Option(
            help="URL of ingest's /events, as set on the EventBridge target; or amqp://… with --queue."
        ),
    ],
    token: Annotated[str | None, typer.Option(help="The token set on the EventBridge target.")] = None,
    key: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder with the signing key.")
    ] = None,
    queue: Annotated[
        str | None,
        typer.Option(help="Queue that ingest with --source amqp consumes, instead of token and key."),
    ] = None,
    sample: Annotated[str | None, typer.Argument(help="A sample, such as freeze-node-bad.")] = None,
    event_code: Annotated[str | None, typer.Option(help="Extension point, instead of a sample.")] = None,
    data: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="JSON file with the event's body.")
    ] = None,
    account: Annotated[str, typer.Option(help="UID of the sending account.")] = "1023456789012345",
    emulator: Annotated[
        str | None,
        typer.Option(help="URL of the emulator that starts the operation and receives the verdict."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Number of new events.")] = 1,
    duplicate: Annotated[int, typer.Option(min=0, help="Repeated deliveries of each event.")] = 0,
) -> None:
    """Deliver events as EventBridge does, signed with your own key or to a queue."""
    if (sample is None) == (event_code is None) or (sample and data):
        raise typer.BadParameter("expected a sample, or --event-code with --data")
    what = operation(sample, event_code, data)
    sender = open_sender(target_of(url, token, key, queue))
    raise typer.Exit(run(what, sender, account, emulator, count=count, times=duplicate + 1))


def target_of(url: str, token: str | None, key: Path | None, queue: str | None) -> Target:
    """Return the target that the options describe.

    Raises:
        typer.BadParameter: the options do not fit the URL.
    """
    if urlsplit(url).scheme in ("amqp", "amqps"):
        if queue is None or token is not None or key is not None:
            raise typer.BadParameter("expected --queue, without --token and --key, with a URL amqp://…")
        return QueueTarget(url, queue)
    if token is None or key is None or queue is not None:
        raise typer.BadParameter("expected --token and --key, without --queue, with a URL http://…")
    return HttpTarget(url, token, key)


def open_sender(target: Target) -> Sender | QueueSender:
    """Return a sender to the target, which retries at a tenth of EventBridge's intervals: a user is waiting.

    Raises:
        SettingsError: the folder has no usable key.
    """
    if isinstance(target, QueueTarget):
        return QueueSender(url=target.url, queue=target.queue, backoff_scale=0.1)
    try:
        signer = Signer.load(target.key)
    except ValueError as error:
        raise SettingsError(f"{target.key}: {error}") from None
    return Sender(target_url=target.url, token=target.token, signer=signer, backoff_scale=0.1)


def operation(sample: str | None, event_code: str | None, data: Path | None) -> EmulatedOperation:
    """Return the operation to send: a sample, or an event with a body from a file, else an example.

    Raises:
        SettingsError: the sample or extension point is unknown, or the file is not a JSON object.
    """
    if sample is not None:
        known = {item.name: item for item in samples.load_samples()}
        if sample not in known:
            raise SettingsError(f"unknown sample {sample}; expected one of {', '.join(known)}")
        return EmulatedOperation(known[sample].event_code, known[sample].data, known[sample].snapshot)
    if event_code not in BY_CODE:
        raise SettingsError(f"unknown extension point {event_code}; expected one of {', '.join(BY_CODE)}")
    return EmulatedOperation(event_code, _read(data) if data else event_bodies.event_body(event_code), None)


def _read(file: Path) -> dict[str, Any]:
    try:
        raw = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"{file}: not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise SettingsError(f"{file}: not a JSON object")
    return raw


def run(
    what: EmulatedOperation,
    sender: Sender | QueueSender,
    account: str,
    emulator: str | None,
    *,
    count: int,
    times: int,
) -> int:
    """Deliver new events and show what became of them; return the exit code.

    Args:
        what: the operation that they are about.
        sender: delivers them.
        account: UID of the account that they claim to come from.
        emulator: URL of the emulator that starts the operation; None for none.
        count: number of events.
        times: deliveries of each.
    """
    sent = asyncio.run(_send(what, sender, account, emulator, count, times))
    rows = [_row(what, one, posted) for one, posted in sent]
    tables.show(tables.table(COLUMNS, rows))
    return 0 if all(one.delivery.delivered for one, _ in sent) else FAILED


async def _send(
    what: EmulatedOperation,
    sender: Sender | QueueSender,
    account: str,
    emulator: str | None,
    count: int,
    times: int,
) -> list[tuple[DeliveredEvent[AnyDelivery], ReceivedVerdict | None]]:
    async with sender, AsyncExitStack() as stack:
        client = await stack.enter_async_context(EmulatorClient(emulator)) if emulator else None
        sent: list[DeliveredEvent[AnyDelivery]] = [
            await deliver(what, sender, account, client, times) for _ in range(count)
        ]
        if client is None:
            return [(one, None) for one in sent]
        return [
            (one, await client.verdict(one.message_id, VERDICT_SECONDS) if one.delivery.delivered else None)
            for one in sent
        ]


def _row(
    what: EmulatedOperation, one: DeliveredEvent[AnyDelivery], posted: ReceivedVerdict | None
) -> tuple[object, ...]:
    return (
        one.message_id,
        what.event_code,
        *_answer(one.delivery),
        posted.result.value if posted else None,
        posted.tip if posted else None,
    )


def _answer(delivery: AnyDelivery) -> tuple[object, object]:
    """Return the HTTP status and the answer of the target."""
    if isinstance(delivery, Delivery):
        return delivery.status or "no response", _status(delivery.body)
    return None, delivery.fault or "confirmed" if isinstance(delivery, QueueDelivery) else None


def _status(body: str) -> str:
    """Return status and reason of ingest's response body, or the start of another server's body."""
    try:
        answer = orjson.loads(body)
        return f"{answer['status']}: {answer['reason']}" if "reason" in answer else str(answer["status"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return body[:60]
