"""`dwgate send`: delivers events as EventBridge does, signed and retried."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

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
from emulator.eventbridge.sender import Sender, Signer

VERDICT_SECONDS = 120.0
"""Maximum seconds to wait for a verdict."""

COLUMNS = ("message id", "event", "http", "answer", "verdict", "tip")


@dataclass(frozen=True, slots=True)
class Target:
    """Where events are sent, and as which sender.

    Attributes:
        url: ingest's address, as set on the EventBridge target.
        token: the target's token.
        account: UID of the account that the event claims to come from.
        key: folder with the signer's key and certificate.
        emulator: URL of the emulator that starts the operation; None for none.
    """

    url: str
    token: str
    account: str
    key: Path
    emulator: str | None


app = typer.Typer(add_completion=False)


@app.command()
def command(
    *,
    url: Annotated[str, typer.Option(help="URL of ingest's /events, as set on the EventBridge target.")],
    token: Annotated[str, typer.Option(help="The token set on the EventBridge target.")],
    key: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder with the signing key.")],
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
    """Deliver events as EventBridge does, signed with your own key."""
    if (sample is None) == (event_code is None) or (sample and data):
        raise typer.BadParameter("expected a sample, or --event-code with --data")
    what = operation(sample, event_code, data)
    target = Target(url, token, account, key, emulator)
    raise typer.Exit(run(what, target, count=count, duplicate=duplicate))


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


def run(what: EmulatedOperation, target: Target, *, count: int, duplicate: int) -> int:
    """Deliver `count` new events, each repeated `duplicate` times; return the exit code."""
    try:
        signer = Signer.load(target.key)
    except ValueError as error:
        raise SettingsError(f"{target.key}: {error}") from None
    sent = asyncio.run(_send(what, target, signer, count, duplicate + 1))
    rows = [_row(what, one, posted) for one, posted in sent]
    tables.show(tables.table(COLUMNS, rows))
    return 0 if all(one.delivery.delivered for one, _ in sent) else FAILED


async def _send(
    what: EmulatedOperation, target: Target, signer: Signer, count: int, times: int
) -> list[tuple[DeliveredEvent, ReceivedVerdict | None]]:
    # A user is waiting: retry at a tenth of EventBridge's intervals.
    sender = Sender(target_url=target.url, token=target.token, signer=signer, backoff_scale=0.1)
    async with sender, AsyncExitStack() as stack:
        emulator = (
            await stack.enter_async_context(EmulatorClient(target.emulator)) if target.emulator else None
        )
        sent = [await deliver(what, sender, target.account, emulator, times) for _ in range(count)]
        if emulator is None:
            return [(one, None) for one in sent]
        return [
            (one, await emulator.verdict(one.message_id, VERDICT_SECONDS) if one.delivery.delivered else None)
            for one in sent
        ]


def _row(what: EmulatedOperation, one: DeliveredEvent, posted: ReceivedVerdict | None) -> tuple[object, ...]:
    delivery = one.delivery
    return (
        one.message_id,
        what.event_code,
        delivery.status or "no response",
        _status(delivery.body),
        posted.result.value if posted else None,
        posted.tip if posted else None,
    )


def _status(body: str) -> str:
    """Return status and reason of ingest's response body, or the start of another server's body."""
    try:
        answer = orjson.loads(body)
        return f"{answer['status']}: {answer['reason']}" if "reason" in answer else str(answer["status"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return body[:60]
