"""`dwgate demo`: a good and a bad operation at each of ten extension points, and their verdicts."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from common.verdicts import Result
from console.emulator_client import EmulatedOperation, EmulatorClient, deliver
from console.exit_codes import FAILED
from console.output import tables
from deploy.local import stack
from emulator.eventbridge.sender import Sender
from emulator.samples import Sample, load_samples

SECONDS = 45.0
"""Maximum seconds for all verdicts together."""

COLUMNS = ("event", "sample", "verdict", "ms", "worst finding of each check")
MAX_FINDINGS = 2
MAX_FINDING_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SampleResult:
    """The outcome of one sample.

    Attributes:
        sample: the operation, and its expected verdict.
        result: the verdict; None when none came in time.
        milliseconds: from the delivery of the event to the verdict's arrival at the emulator.
        findings: the worst ones, or why there is no verdict.
    """

    sample: Sample
    result: Result | None
    milliseconds: int | None
    findings: tuple[str, ...]

    @property
    def is_expected(self) -> bool:
        """Whether the verdict is the expected one."""
        return self.result is self.sample.expected


app = typer.Typer(add_completion=False)


@app.command()
def command(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder with data and logs.")] = False,
) -> None:
    """Run dwgate on this machine and send a good and a bad sample of ten extension points."""
    raise typer.Exit(run(keep=keep))


def run(*, keep: bool) -> int:
    """Start the stack, send the samples, show the table, stop the stack.

    Args:
        keep: keep the folder with data and logs.

    Returns:
        The exit code: 1 if a verdict is wrong or missing.
    """
    folder = Path(tempfile.mkdtemp(prefix="dwgate-demo-"))
    started = time.monotonic()
    try:
        with stack.running_stack(folder) as parts:
            ready = time.monotonic()
            answers = asyncio.run(_run_samples(parts))
            answered = time.monotonic()
        tables.show(table(answers))
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{summary(answers)}. Valkey, emulator, ingest and workers were up in {ready - started:.1f} s,"
        f" the verdicts took {answered - ready:.1f} s, and everything is stopped."
    )
    if keep:
        print(f"Data and logs are in {folder}")
    return 0 if all(answer.is_expected for answer in answers) else FAILED


def table(answers: Sequence[SampleResult]) -> Table:
    """Return the answers as a table; a wrong or missing verdict is marked."""
    rows = [
        (
            answer.sample.event_code,
            answer.sample.quality,
            _verdict(answer),
            answer.milliseconds,
            _findings(answer),
        )
        for answer in answers
    ]
    return tables.table(COLUMNS, rows, right=frozenset({"ms"}))


def summary(answers: Sequence[SampleResult]) -> str:
    """Return the number of verdicts and of correct verdicts."""
    received = sum(answer.result is not None for answer in answers)
    correct = sum(answer.is_expected for answer in answers)
    return f"{received} verdicts for {len(answers)} operations, {correct} correct"


def _findings(answer: SampleResult) -> Text | None:
    lines = [
        item if len(item) <= MAX_FINDING_LENGTH else f"{item[: MAX_FINDING_LENGTH - 1]}…"
        for item in answer.findings
    ]
    return Text("\n").join(map(tables.text, lines)) if lines else None


def _verdict(answer: SampleResult) -> Text:
    text = tables.text(answer.result.value if answer.result else "none")
    if not answer.is_expected:
        text.append(f" (wrong: expected {answer.sample.expected})", style="bold red")
    return text


async def _run_samples(parts: stack.Stack) -> list[SampleResult]:
    limit = time.monotonic() + SECONDS
    sender = Sender(target_url=parts.events_url, token=parts.token, signer=parts.signer)
    async with sender, EmulatorClient(parts.emulator_url) as emulator:
        # One after the other: the milliseconds are those of an event that finds the workers idle.
        return [
            await _run_sample(parts, sender, emulator, sample, max(0.1, limit - time.monotonic()))
            for sample in load_samples()
        ]


async def _run_sample(
    parts: stack.Stack, sender: Sender, emulator: EmulatorClient, sample: Sample, seconds: float
) -> SampleResult:
    operation = EmulatedOperation(sample.event_code, sample.data, sample.snapshot)
    sent = await deliver(operation, sender, stack.ACCOUNT, emulator)
    if not sent.delivery.delivered:
        return SampleResult(
            sample, None, None, (f"not delivered: {sent.delivery.status} {sent.delivery.body}",)
        )
    posted = await emulator.verdict(sent.message_id, seconds)
    if posted is None:
        return SampleResult(sample, None, None, ("no verdict arrived",))
    record = parts.ledger.get(sent.message_id)
    found = tables.worst_findings(record)[:MAX_FINDINGS] if record else []
    return SampleResult(sample, posted.result, round((posted.at - sent.at) * 1000), tuple(found))
