"""`dwgate status`: shows the state of a running fleet on one page."""

from __future__ import annotations

import typer
from rich.console import RenderableType
from rich.text import Text

from common import clock
from common.ledger.memory import MemoryUse
from common.processes.version import running_version
from common.settings import load_settings
from console.diagnoses.fleet_reader import read_status
from console.diagnoses.fleet_status import FleetStatus
from console.exit_codes import FAILED
from console.options import Json
from console.output import tables
from workers.process.roles import GROUPS
from workers.settings import WorkerSettings

app = typer.Typer(add_completion=False)


@app.command()
def command(*, json: Json = False) -> None:
    """Show processes, queues, pending events, quota and memory; exit with 1 on a problem."""
    raise typer.Exit(run(json=json))


def run(*, json: bool) -> int:
    """Show the status; return the exit code: 1 if something needs a person."""
    status = read_status(load_settings(WorkerSettings))
    problems = list(status.problems())
    if json:
        tables.json(status.to_json())
    else:
        tables.show(render(status, clock.now()))
    return FAILED if problems else 0


def render(status: FleetStatus, now: float) -> RenderableType:
    """Return the status as terminal output, at most 80 columns wide apart from long ids.

    Args:
        status: the state of the fleet.
        now: seconds since the epoch.
    """
    events = ", ".join(f"{count} {state.value}" for state, count in status.events.items() if count)
    quota = ", ".join(f"{use.granted}/{use.limit} {kind.value}s" for kind, use in status.quota.items())
    waiting = sum(use.waiting for use in status.quota.values())
    head = [
        ("fleet", f"{status.extension_code}, dwgate {running_version()}"),
        *(("problem", Text(tables.text(problem).plain, style="red")) for problem in status.problems()),
        ("events", events or "none stored"),
        ("pending", f"{status.pending_verdicts} verdicts wait for a reporter"),
        ("quota", f"{quota} in the last second, {waiting} calls wait"),
        ("Redis", _memory(status.memory, status.days_that_fit)),
        ("newest", _newest(status, now)),
    ]
    processes = [
        (group.name, ", ".join(group.queues), status.processes.get(group.name, 0)) for group in GROUPS
    ]
    queues = [(queue.name, queue.messages, queue.consumers) for queue in status.queues]
    return tables.paragraphs(
        tables.facts(head),
        tables.table(("process", "roles", "running"), processes, right=frozenset({"running"})),
        tables.table(("queue", "messages", "consumers"), queues, right=frozenset({"messages", "consumers"})),
    )


def _memory(use: MemoryUse | None, days: float | None) -> str:
    if use is None:
        return "its memory is hidden from this account"
    if not use.maximum:
        return f"{use.used / 1e6:.0f} MB used, no maxmemory"
    fit = "" if days is None else f": {days:.1f} days of events fit"
    return f"{use.used / 1e6:.0f} of {use.maximum / 1e6:.0f} MB ({use.share:.0%}){fit}"


def _newest(status: FleetStatus, now: float) -> str | None:
    newest = status.newest
    if newest is None:
        return None
    age = max(0, round(now - newest.received_at))
    return f"{newest.event_code} {tables.format_time(newest.received_at)} ({age} s ago) {newest.message_id}"
