"""`dwgate requeue`: runs stored events again, and never posts a second, different result."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from common import clock
from common.events import Event
from common.ledger import EventRecord, State
from common.log import configure_logging
from common.settings import load_settings
from common.verdicts import OutcomeKind
from console import errors
from console.actor import current_actor
from console.exit_codes import FAILED, UsageError
from console.options import Json, Project, Since, require_checks, require_points
from console.output import tables
from console.requeues import CHANGED_MEANWHILE, RequeueAction, Requeuer, RequeueStep, Rerun
from workers.celery_app import create_app
from workers.services import Services
from workers.settings import WorkerSettings

ASK_ABOVE = 20
"""Number of events up to which a requeue does not ask first."""

MAX_EVENTS = 10_000
"""Maximum number of events that a filter examines, newest first."""

RERUN_SECONDS = 10.0
"""Maximum time to wait for the results of reruns."""

POLL_SECONDS = 0.1

COLUMNS = ("message id", "event", "state", "what")
_FAILED = (OutcomeKind.ERROR, OutcomeKind.TIMED_OUT)
_ENDED = (State.REPORTED, State.DEAD)


@dataclass(frozen=True, slots=True)
class RequeueFilter:
    """Selects events: those with one of the ids, or those that match every given filter.

    Attributes:
        failed: dead, or with a failed or timed-out check.
        since: received at or after this, in seconds since the epoch.
        check: with this check in the plan; with `failed`, this check must have failed or timed out.
    """

    ids: tuple[str, ...] = ()
    failed: bool = False
    since: float | None = None
    check: str | None = None
    event_code: str | None = None
    project: int | None = None

    @property
    def filtered(self) -> bool:
        """Whether at least one filter is given."""
        return self.failed or any(
            value is not None for value in (self.since, self.check, self.event_code, self.project)
        )

    def matches(self, record: EventRecord) -> bool:
        """Whether an event matches the filters that the ledger has no index for."""
        return (
            (self.event_code is None or record.event.event_code == self.event_code)
            and (self.check is None or self.check in record.planned_checks)
            and (not self.failed or self._failed(record))
        )

    def _failed(self, record: EventRecord) -> bool:
        names = record.planned_checks if self.check is None else (self.check,)
        outcomes = [record.outcomes[name] for name in names if name in record.outcomes]
        return record.state is State.DEAD or any(outcome.kind in _FAILED for outcome in outcomes)


app = typer.Typer(add_completion=False)


@app.command()
def command(
    *,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Message ids.")] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only dead events and events with a failed or timed-out check.")
    ] = False,
    since: Since = None,
    check: Annotated[str | None, typer.Option(help="Only events with this check.")] = None,
    event_code: Annotated[str | None, typer.Option(help="Only this extension point.")] = None,
    project: Project = None,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; required without --dry-run.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, change nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help=f"Do not ask, even for more than {ASK_ABOVE} events.")
    ] = False,
    json: Json = False,
) -> None:
    """Run stored events again; never post a result that differs from an accepted one."""
    wanted = RequeueFilter(tuple(ids or ()), failed, since, check, event_code, project)
    if bool(wanted.ids) == wanted.filtered:
        raise typer.BadParameter("expected event ids, or at least one filter, not both")
    if not dry_run and not reason.strip():
        raise typer.BadParameter("--reason: missing; expected why the events are requeued")
    require_checks("--check", (check,) if check else ())
    require_points("--event-code", (event_code,) if event_code else ())
    raise typer.Exit(run(wanted, reason=reason, dry_run=dry_run, is_confirmed=yes, json=json))


def run(
    filter_: RequeueFilter, *, reason: str, dry_run: bool, is_confirmed: bool = False, json: bool = False
) -> int:
    """Show what is done with each event, and do it unless `dry_run`; return the exit code.

    Args:
        filter_: which events.
        reason: why, for the audit trail.
        dry_run: change nothing.
        is_confirmed: do not ask before many events are requeued.
        json: print JSON.

    Raises:
        UsageError: many events are selected, and there is no terminal to ask at, or the answer is no.
    """
    settings = load_settings(WorkerSettings)
    configure_logging("error", "requeue")  # the output is for people or programs: no log among it
    services = Services(settings, create_app(settings))
    requeuer = Requeuer(services)
    with errors.engine_errors("Redis", settings.redis_url):
        clock.measure(services.ledger.client)
        found = _find(services, filter_)
        actions = {message_id: requeuer.plan(record) for message_id, record in found}
    selected = [record for message_id, record in found if record and actions[message_id].is_requeued]
    reruns: list[Rerun] = []
    again: dict[str, int] = {}
    if len(selected) > ASK_ABOVE and not (dry_run or is_confirmed):
        _confirm(len(selected))
    if selected and not dry_run:
        # Before anything is reopened: an event that is reopened but not sent would be answered unchecked.
        with errors.engine_errors("the broker", settings.broker_url):
            requeuer.reach_broker()
        for record in selected:
            message_id = record.event.message_id
            actions[message_id] = _requeue(requeuer, record.event, actions[message_id], reason)
            if actions[message_id].step is RequeueStep.RECORD:
                again[message_id] = record.run
        with errors.engine_errors("Redis", settings.redis_url):
            reruns = _wait_for_reruns(services, again)
    rows = [_row(message_id, record, actions[message_id]) for message_id, record in found]
    if json:
        names = ("message_id", "event_code", "state", "action", "text")
        shown = [dict(zip(names, row, strict=True)) for row in rows]
        tables.json({"dry_run": dry_run, "events": shown, "reruns": [item.to_json() for item in reruns]})
    else:
        _print(rows, dry_run=dry_run)
        _print_reruns(reruns, pending=len(again) - len(reruns))
    return FAILED if any(action.step is RequeueStep.UNKNOWN for action in actions.values()) else 0


def _confirm(count: int) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{count} events would be requeued; expected --yes (--dry-run shows them)")
    if not typer.confirm(f"Requeue {count} events?", err=True):
        raise UsageError("nothing was requeued")


def _find(services: Services, filter_: RequeueFilter) -> list[tuple[str, EventRecord | None]]:
    if filter_.ids:
        ids = dict.fromkeys(filter_.ids)
        return [(message_id, services.ledger.get(message_id)) for message_id in ids]
    records = services.ledger.find(
        states=_ENDED, project_id=filter_.project, since=filter_.since or 0, limit=MAX_EVENTS
    )
    if len(records) == MAX_EVENTS:
        print(
            f"dwgate: only the newest {MAX_EVENTS} events were examined; narrow them with --since",
            file=sys.stderr,
        )
    return [(record.event.message_id, record) for record in records if filter_.matches(record)]


def _requeue(requeuer: Requeuer, event: Event, action: RequeueAction, reason: str) -> RequeueAction:
    settings = requeuer.services.settings
    with errors.engine_errors("Redis", settings.redis_url):
        is_reopened = requeuer.reopen(event, actor=current_actor(), reason=reason)
    if not is_reopened:
        return CHANGED_MEANWHILE
    with errors.engine_errors("the broker", settings.broker_url):
        requeuer.send(event)
    return action


def _wait_for_reruns(services: Services, runs: Mapping[str, int]) -> list[Rerun]:
    """Wait a short time for the reruns of answered events, and return those that have ended.

    Args:
        services: of this process.
        runs: the run before the requeue, by message id.
    """
    limit = time.monotonic() + RERUN_SECONDS
    ended: dict[str, Rerun] = {}
    # Without a worker no rerun ends now.
    while len(ended) < len(runs) and services.ledger.membership.workers():
        for message_id in runs.keys() - ended.keys():
            record = services.ledger.get(message_id)
            if record and record.run > runs[message_id] and (rerun := Rerun.of(record)):
                ended[message_id] = rerun
        if time.monotonic() > limit:
            break
        time.sleep(POLL_SECONDS)
    return [ended[message_id] for message_id in runs if message_id in ended]


def _row(message_id: str, record: EventRecord | None, action: RequeueAction) -> tuple[object, ...]:
    code = record.event.event_code if record else None
    state = record.state.value if record else None
    return message_id, code, state, action.step.value, action.text


def _print(rows: Sequence[tuple[object, ...]], *, dry_run: bool) -> None:
    if rows:
        tables.show(tables.table(COLUMNS, [(*row[:3], row[4]) for row in rows]))
    count = sum(RequeueStep(str(row[3])) not in (RequeueStep.LEAVE, RequeueStep.UNKNOWN) for row in rows)
    done = "would be requeued" if dry_run else "requeued"
    print(f"{count} of {len(rows)} events {done}")


def _print_reruns(reruns: Sequence[Rerun], *, pending: int) -> None:
    for rerun in reruns:
        print(tables.text(rerun).plain)
    if pending:
        print(f"{pending} reruns have not ended: dwgate events show ID shows their results")
