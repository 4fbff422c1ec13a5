"""`dwgate requeue`: runs stored events again, and never posts a second, different result."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from common.events import Event
from common.ledger import Record, State
from common.settings import load
from common.verdicts import OutcomeKind
from console import errors
from console.exit_codes import FAILED
from console.output import tables
from workers.celery_app import create_app
from workers.pipeline import planner
from workers.services import Services
from workers.settings import WorkerSettings

MOST = 10_000
"""Events that a filter looks at, newest first."""

CONNECT_SECONDS = 3.0

COLUMNS = ("message id", "event", "state", "what")
_FAILED = (OutcomeKind.ERROR, OutcomeKind.TIMED_OUT)
_ENDED = (State.REPORTED, State.DEAD)


class Step(StrEnum):
    """What a requeue does with an event."""

    RUN = "run"
    RECORD = "record"
    POST = "post"
    LEAVE = "leave"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Action:
    """A step, and in words what it means for the person who asked."""

    step: Step
    text: str

    @property
    def again(self) -> bool:
        """Whether the event goes through intake again."""
        return self.step in (Step.RUN, Step.RECORD, Step.POST)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are meant: those with an id, or those that every given filter lets through.

    Attributes:
        failed: dead, or with a check that could not be run.
        since: received at or after this, in seconds since the epoch.
        check: with this check in the plan; with `failed`, this one could not be run.
    """

    ids: tuple[str, ...] = ()
    failed: bool = False
    since: float | None = None
    check: str | None = None
    event_code: str | None = None
    project: int | None = None

    @property
    def filtered(self) -> bool:
        """Whether there is a filter."""
        return self.failed or any(
            value is not None for value in (self.since, self.check, self.event_code, self.project)
        )

    def lets_through(self, record: Record) -> bool:
        """Whether an event passes the filters that the ledger has no index for."""
        return (
            (self.event_code is None or record.event.event_code == self.event_code)
            and (self.check is None or self.check in record.planned)
            and (not self.failed or self._failed(record))
        )

    def _failed(self, record: Record) -> bool:
        names = record.planned if self.check is None else (self.check,)
        outcomes = [record.outcomes[name] for name in names if name in record.outcomes]
        return record.state is State.DEAD or any(outcome.kind in _FAILED for outcome in outcomes)


def plan(record: Record | None) -> Action:
    """Return what a requeue does with an event: a pure function, in step with the ledger's `reopen`."""
    if record is None:
        return Action(Step.UNKNOWN, "not known")
    if record.state is State.IGNORED:
        return Action(Step.LEAVE, "nobody waits for it: left alone")
    if not record.state.ended:
        return Action(Step.LEAVE, "still on its way: left alone")
    if record.taken:
        taken = f"{record.taken.result} was taken on {tables.when(record.taken.decided_at)}"
        return Action(Step.RECORD, f"run again; {taken}, so a different result is recorded, not posted")
    if record.verdict and record.posting_at and not record.reported_at:
        return Action(Step.POST, f"post the frozen verdict again: {record.verdict.result}")
    return Action(Step.RUN, "run again")


def run(wanted: Wanted, *, dry_run: bool, json: bool) -> int:
    """Show what is done with each event, and do it unless `dry_run`; return the exit code."""
    settings = load(WorkerSettings)
    services = Services(settings, create_app(settings))
    with errors.reaching("Redis", settings.redis_url):
        found = _find(services, wanted)
    actions = {message_id: plan(record) for message_id, record in found}
    meant = [record.event for message_id, record in found if record and actions[message_id].again]
    if meant and not dry_run:
        _reach_broker(services)
        for event in meant:
            actions[event.message_id] = _again(services, event, actions[event.message_id])
    rows = [_row(message_id, record, actions[message_id]) for message_id, record in found]
    if json:
        names = ("message_id", "event_code", "state", "action", "text")
        tables.json({"dry_run": dry_run, "events": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        _print(rows, dry_run=dry_run)
    return FAILED if any(action.step is Step.UNKNOWN for action in actions.values()) else 0


def _find(services: Services, wanted: Wanted) -> list[tuple[str, Record | None]]:
    if wanted.ids:
        ids = dict.fromkeys(wanted.ids)
        return [(message_id, services.ledger.get(message_id)) for message_id in ids]
    records = services.ledger.find(
        states=_ENDED, project_id=wanted.project, since=wanted.since or 0, most=MOST
    )
    if len(records) == MOST:
        print(f"dwgate: only the newest {MOST} events were looked at: use --since again", file=sys.stderr)
    return [(record.event.message_id, record) for record in records if wanted.lets_through(record)]


def _reach_broker(services: Services) -> None:
    # Before anything is reopened: an event reopened and not sent would be answered without its checks.
    with (
        errors.reaching("the broker", services.settings.broker_url),
        services.app.connection_for_write() as connection,
    ):
        connection.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)


def _again(services: Services, event: Event, action: Action) -> Action:
    deadline_at, watch_at = planner.deadline(event, services.policy, since=time.time())
    with errors.reaching("Redis", services.settings.redis_url):
        opened = services.ledger.reopen(event.message_id, deadline_at, watch_at)
    if opened <= 0:
        return Action(Step.LEAVE, "somebody else requeued it just now: left alone")
    with errors.reaching("the broker", services.settings.broker_url):
        services.dispatch.intake(event)
    return action


def _row(message_id: str, record: Record | None, action: Action) -> tuple[object, ...]:
    code = record.event.event_code if record else None
    state = record.state.value if record else None
    return message_id, code, state, action.step.value, action.text


def _print(rows: Sequence[tuple[object, ...]], *, dry_run: bool) -> None:
    if rows:
        tables.console().print(tables.table(COLUMNS, [(*row[:3], row[4]) for row in rows]))
    again = sum(Step(str(row[3])) not in (Step.LEAVE, Step.UNKNOWN) for row in rows)
    done = "would be requeued" if dry_run else "requeued"
    print(f"{again} of {len(rows)} events {done}")
