"""`dwgate events`: shows stored events and rejected messages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from common.ledger import EventRecord, State
from common.ledger.queries.search import EventQuery
from common.settings import LedgerSettings, load_settings
from common.verdicts import Result
from console import errors
from console.ledger_access import open_ledger
from console.options import Json, Limit, Project, Since, require_checks, require_known, require_points
from console.output import event_list, event_schema, tables

STATES = frozenset(state.value for state in State)


app = typer.Typer(help="Show stored events.", no_args_is_help=True, add_completion=False)


@app.command("list")
def list_command(
    *,
    state: Annotated[list[str] | None, typer.Option(help="Only this state; repeatable.")] = None,
    verdict: Annotated[
        list[Result] | None, typer.Option(help="Only with this accepted result; repeatable.")
    ] = None,
    would_fail: Annotated[
        bool,
        typer.Option("--would-fail", help="Only what a check's mode (audit, warn) kept from being blocked."),
    ] = False,
    event_code: Annotated[
        list[str] | None, typer.Option(help="Only this extension point; repeatable.")
    ] = None,
    check: Annotated[
        str | None, typer.Option(help="Only if this check found something, or did not finish.")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Only with a finding of this rule (MC-S01).")] = None,
    file: Annotated[
        str | None, typer.Option(help="Only if the name or id of a file, node or table contains this.")
    ] = None,
    operator: Annotated[str | None, typer.Option(help="Only operations of this person (UID).")] = None,
    project: Project = None,
    since: Since = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """Show events, newest first: what was checked, by whom, and the result."""
    require_known("--state", "state", state or (), STATES)
    require_points("--event-code", event_code or ())
    require_checks("--check", (check,) if check else ())
    query = EventQuery(
        states=tuple(State(name) for name in state or ()),
        results=tuple(verdict or ()),
        would_fail=would_fail,
        projects=() if project is None else (project,),
        points=tuple(event_code or ()),
        check=check,
        rule=rule,
        operator=operator,
        name=file,
        since=since or 0.0,
    )
    raise typer.Exit(list_(query, limit=limit, json=json))


@app.command("show")
def show_command(message_id: Annotated[str, typer.Argument(metavar="ID")], json: Json = False) -> None:
    """Show one event: its verdict, checks, findings and timeline."""
    raise typer.Exit(show(message_id, json=json))


@app.command("rejects")
def rejects_command(limit: Limit = 50, json: Json = False) -> None:
    """Show authentic messages that are not valid events."""
    raise typer.Exit(rejects(limit=limit, json=json))


@app.command("schema")
def schema_command(
    *,
    is_list: Annotated[bool, typer.Option("--list", help="The schema of `events list --json`.")] = False,
) -> None:
    """Print the JSON schema of an event, as `events show --json` prints it."""
    tables.json(event_schema.list_schema() if is_list else event_schema.event_schema())


def list_(query: EventQuery, *, limit: int, json: bool) -> int:
    """Show the events that fit `query`, newest first; return the exit code."""
    settings = load_settings(LedgerSettings)
    ledger = open_ledger(settings)
    with errors.engine_errors("Redis", settings.redis_url):
        records = ledger.first(query, limit)
    if json:
        tables.json({"events": [record.to_json(settings.extension_code) for record in records]})
    elif sys.stdout.isatty():
        tables.show(event_list.blocks(records))
    else:
        tables.show(event_list.rows(records))
    return 0


def show(message_id: str, *, json: bool) -> int:
    """Show one event; return the exit code: 1 if it is unknown."""
    settings = load_settings(LedgerSettings)
    ledger = open_ledger(settings)
    with errors.engine_errors("Redis", settings.redis_url):
        record = ledger.get(message_id)
    if record is None:
        return errors.fail(f"unknown event {message_id}: never received, or older than DWGATE_EVENT_DAYS")
    if json:
        tables.json(record.to_json(settings.extension_code))
    else:
        tables.show(render_event(record))
    return 0


def rejects(*, limit: int, json: bool) -> int:
    """Show authentic messages that are not valid events, newest first; return the exit code."""
    settings = load_settings(LedgerSettings)
    ledger = open_ledger(settings)
    with errors.engine_errors("Redis", settings.redis_url):
        entries = ledger.rejects(limit)
    if json:
        tables.json({"rejects": entries})
    else:
        rows = [(tables.format_time(entry["at"]), len(entry["body"]), entry["reason"]) for entry in entries]
        tables.show(tables.table(("received", "characters", "reason"), rows))
    return 0


def render_event(record: EventRecord) -> RenderableType:
    """Return one event as terminal output."""
    event = record.event
    head = [
        ("event", f"{event.event_code} {event.message_id}"),
        ("checked", event_list.checked_object(record)),
        ("node type", record.target.node_type),
        ("owner", record.target.owner),
        ("workspace", event.project_id),
        ("operator", event.operator),
        ("state", record.state.value),
        ("run", record.run),
        ("received", tables.format_time(event.received_at)),
        ("deadline", tables.format_time(record.deadline_at)),
        *_verdicts(record),
        *_plan(record),
    ]
    parts: list[RenderableType] = [tables.facts(head)]
    if verdict := record.accepted_verdict or record.verdict:
        parts.append(Group(*(Text(line.expandtabs()) for line in map(_line, verdict.tip.splitlines()))))
    if record.planned_checks:
        parts.append(tables.table(("check", "mode", "outcome", "attempts", "detail"), _checks(record)))
    if findings := _findings(record):
        parts.append(tables.table(("severity", "check", "finding"), findings))
    steps = [(tables.format_precise_time(entry.at), entry.kind, entry.detail) for entry in record.timeline]
    parts.append(tables.table(("time", "step", "detail"), steps))
    return tables.paragraphs(*parts)


def _plan(record: EventRecord) -> Iterator[tuple[str, object]]:
    """Yield what the plan says beyond its checks."""
    if plan := record.plan:
        yield "policy", plan.policy
        if plan.disabled_reason:
            yield "not checked", plan.disabled_reason
        yield from (("ignored", option) for option in plan.ignored_options)


def _verdicts(record: EventRecord) -> list[tuple[str, object]]:
    """Return what DataWorks accepted, what it may not have accepted, and what a rerun would have answered."""
    accepted, frozen, rerun = record.accepted_verdict, record.frozen_verdict, record.rerun_verdict
    rows: list[tuple[str, object]] = [("verdict", accepted.result.value if accepted else "none accepted")]
    if accepted:
        how = f" ({record.accepted_how})" if record.accepted_how else ""
        rows.append(("accepted", f"{tables.format_time(record.reported_at)}{how}"))
    if frozen:
        decided = tables.format_time(frozen.decided_at)
        rows.append(("not accepted", f"{frozen.result}, decided {decided} ({frozen.reason})"))
    if rerun:
        compared = "differs from the accepted result" if record.is_rerun_different else "same result"
        rows.append(("rerun", f"{rerun.result} in run {record.run}, not posted: {compared}"))
    return rows


def _line(line: str) -> str:
    return tables.text(line).plain if line else ""


def _checks(record: EventRecord) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for check in record.plan.checks if record.plan else ():
        outcome = record.outcomes.get(check.name)
        kind, detail = (outcome.kind.value, outcome.detail) if outcome else (None, None)
        rows.append((check.name, check.mode.value, kind, record.attempts.get(check.name, 0), detail))
    return rows


def _findings(record: EventRecord) -> list[tuple[object, ...]]:
    return [
        (item.severity.value, name, tables.finding(item))
        for name in record.planned_checks
        if (outcome := record.outcomes.get(name))
        for item in outcome.findings
    ]
