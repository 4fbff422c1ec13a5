"""`dwgate audit`: shows who changed what, when and why."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from common.ledger import AuditAction, AuditEntry
from common.settings import LedgerSettings, load_settings
from console import errors, time_option
from console.ledger_access import open_ledger
from console.output import tables

_DIGITS = 12
"""Digits of a digest that are shown to people."""

Since = Annotated[
    float | None,
    typer.Option(
        parser=time_option.time_option,
        metavar="TIME",
        help="Entries since: an age (7d, 2h, 30m) or an ISO date.",
    ),
]

app = typer.Typer(add_completion=False)


@app.command()
def command(
    *,
    since: Since = None,
    action: Annotated[list[AuditAction] | None, typer.Option(help="Only this action; repeatable.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one line per entry.")] = False,
) -> None:
    """Show who changed what, when and why."""
    raise typer.Exit(run(since=since or 0, actions=frozenset(action or ()), json=json))


def run(*, since: float, actions: frozenset[AuditAction], json: bool) -> int:
    """Print the entries of the audit trail, oldest first; return the exit code.

    Args:
        since: of the first one, in seconds since the epoch.
        actions: only these; empty for all.
        json: print one JSON object per line.
    """
    settings = load_settings(LedgerSettings)
    ledger = open_ledger(settings)
    with errors.engine_errors("Redis", settings.redis_url):
        for entry in ledger.audit_trail.entries(since):
            if not actions or entry.action in actions:
                print(orjson.dumps(entry.to_json()).decode() if json else format_entry(entry))
    return 0


def format_entry(entry: AuditEntry) -> str:
    """Return an entry as one line for people."""
    parts = [str(tables.format_time(entry.at)), entry.actor, entry.action, entry.subject]
    if entry.old or entry.new:
        parts.append(f"{entry.old[:_DIGITS] or 'none'} → {entry.new[:_DIGITS] or 'none'}")
    if entry.reason:
        parts.append(entry.reason)
    return "  ".join(parts)
