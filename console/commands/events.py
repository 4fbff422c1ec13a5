"""`dwgate events`: shows stored events and rejected messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from common.ledger import EventRecord, State
from common.settings import Settings, load_settings
from common.subjects.operation_target import OperationTarget
from console import errors
from console.ledger_access import open_ledger
from console.options import Json, Limit, Project, Since
from console.output import tables

STATES = frozenset(state.value for state in State)
LIST_COLUMNS = ("received", "message id", "event", "workspace", "state", "verdict", "first finding")


app = typer.Typer(help="Show stored events.", no_args_is_help=True, add_completion=False)


@app.command("list")
def list_command(
    state: Annotated[list[str] | None, typer.Option(help="Only this state; repeatable.")] = None,
    project: Project = None,
    since: Since = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """Show events, newest first."""
    if unknown := set(state or ()) - STATES:
        raise typer.BadParameter(
            f"unknown state {unknown.pop()}; expected one of {', '.join(sorted(STATES))}"
        )
    raise typer.Exit(list_(states=state or [], project=project, since=since or 0, limit=limit, json=json))


@app.command("show")
def show_command(message_id: Annotated[str, typer.Argument(metavar="ID")], json: Json = False) -> None:
    """Show one event: its verdict, checks, findings and timeline."""
    raise typer.Exit(show(message_id, json=json))


@app.command("rejects")
def rejects_command(limit: Limit = 50, json: Json = False) -> None:
    """Show authentic messages that are not valid events."""
    raise typer.Exit(rejects(limit=limit, json=json))


def list_(*, states: Sequence[str], project: int | None, since: float, limit: int, json: bool) -> int:
    """Show events, newest first; return the exit code."""
    settings = load_settings(Settings)
    ledger = open_ledger(settings)
    with errors.engine_errors("Redis", settings.redis_url):
        records = ledger.find(
            states=[State(state) for state in states], project_id=project, since=since, limit=limit
        )
    if json:
        tables.json({"events": [record.to_json(settings.extension_code) for record in records]})
    else:
        tables.console().print(tables.table(LIST_COLUMNS, [_row(record) for record in records]))
    return 0


def show(message_id: str, *, json: bool) -> int:
    """Show one event; return the exit code: 1 if it is unknown."""
    settings = load_settings(Settings)
    ledger = open_ledger(settings)
    with errors.engine_errors("Redis", settings.redis_url):
        record = ledger.get(message_id)
    if record is None:
        return errors.fail(f"unknown event {message_id}: never received, or older than DWGATE_EVENT_DAYS")
    if json:
        tables.json(record.to_json(settings.extension_code))
    else:
        tables.console().print(render_event(record))
    return 0


def rejects(*, limit: int, json: bool) -> int:
    """Show authentic messages that are not valid events, newest first; return the exit code."""
    settings = load_settings(Settings)
    ledger = open_ledger(settings)
    with errors.engine_errors("Redis", settings.redis_url):
        entries = ledger.rejects(limit)
    if json:
        tables.json({"rejects": entries})
    else:
        rows = [(tables.format_time(entry["at"]), len(entry["body"]), entry["reason"]) for entry in entries]
        tables.console().print(tables.table(("received", "characters", "reason"), rows))
    return 0


def render_event(record: EventRecord) -> RenderableType:
    """Return one event as terminal output."""
    event = record.event
    head = [
        ("event", f"{event.event_code} {event.message_id}"),
        *_target(record.target),
        ("workspace", event.project_id),
        ("operator", event.operator),
        ("state", record.state.value),
        ("run", record.run),
        ("received", tables.format_time(event.received_at)),
        ("deadline", tables.format_time(record.deadline_at)),
        *_verdicts(record),
    ]
    parts: list[RenderableType] = [tables.table(("", ""), head)]
    if verdict := record.accepted_verdict or record.verdict:
        parts += [Text(line.expandtabs()) for line in map(_line, verdict.tip.splitlines())]
    parts.append(tables.table(("check", "outcome", "attempts", "finding"), _checks(record)))
    steps = [(tables.format_precise_time(entry.at), entry.kind, entry.detail) for entry in record.timeline]
    parts.append(tables.table(("time", "step", "detail"), steps))
    return Group(*parts)


def _target(target: OperationTarget) -> list[tuple[str, object]]:
    if (subject := target.subject) is None:
        return []
    names = dict.fromkeys(filter(None, (subject.name, subject.id)))
    more = f" and {target.more_subjects} more" if target.more_subjects else ""
    known = (("node type", target.node_type), ("owner", target.owner))
    return [(subject.kind.value, f"{' '.join(names)}{more}"), *(row for row in known if row[1])]


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
    for name in record.planned_checks:
        outcome = record.outcomes.get(name)
        kind = outcome.kind.value if outcome else None
        lines = [tables.finding(item) for item in outcome.findings] if outcome else []
        if outcome and outcome.detail:
            lines.insert(0, outcome.detail)
        rows.append((name, kind, record.attempts.get(name, 0), lines[0] if lines else None))
        rows += [("", "", "", line) for line in lines[1:]]
    return rows


def _row(record: EventRecord) -> tuple[object, ...]:
    event = record.event
    return (
        tables.format_time(event.received_at),
        event.message_id,
        event.event_code,
        event.project_id,
        record.state.value,
        tables.result(record),
        tables.first_finding(record),
    )
