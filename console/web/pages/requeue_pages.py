"""Requeueing events: a page that shows what would happen, and the form that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import amqp.exceptions
import anyio.to_thread
import kombu.exceptions
import redis
import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from common import clock
from common.events import MAX_ID_BYTES
from common.ledger import EventRecord, Ledger, State
from console.access.gate import Forbidden, Identity
from console.access.users import Role
from console.requeues import RequeueAction, Requeuer, RequeueStep
from console.web.errors import Problem, RequestRefused
from console.web.pages.console_page import ConsolePages, words_of
from console.web.texts.catalogue import Words
from console.web.texts.requeue import REQUEUE
from console.web.views.event_rows import subject_name
from console.web.views.times import format_moment

MAX_EVENTS = 50
"""Events of one form: as many as a page of the list has. The command requeues more."""

MAX_REASON_LENGTH = 500

_BROKER_ERRORS = (kombu.exceptions.KombuError, amqp.exceptions.AMQPError, redis.RedisError, OSError)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RequeueRow:
    """What a requeue does with one event, in words."""

    message_id: str
    name: str
    point: str
    is_requeued: bool
    text: str


class RequeuePages:
    """The pages.

    Args:
        console: what the pages share.
        requeuer: requeues events; it is called in threads.
    """

    def __init__(self, console: ConsolePages, requeuer: Requeuer) -> None:
        self._console = console
        self._requeuer = requeuer

    async def confirm(self, request: Request) -> Response:
        """Show what a requeue does with each of the events `id`."""
        identity = await self._console.gate.require(request, Role.OPERATOR)
        ids = _ids(request.query_params.getlist("id"))
        return await self._page(request, identity, ids)

    async def submit(self, request: Request) -> Response:
        """Requeue the events, and show how many were."""
        identity, form = await self._console.gate.read_form(request, Role.OPERATOR)
        ids = _ids([str(value) for value in form.getlist("id")])
        reason = str(form.get("why", "")).strip()[:MAX_REASON_LENGTH]
        if not reason:
            return await self._page(request, identity, ids, problem="reason_missing", status=400)
        planned = await self._plan(identity, ids)
        chosen = [record for _, record, action in planned if record and action.is_requeued]
        try:
            done = await anyio.to_thread.run_sync(self._requeue, chosen, identity.user.actor, reason)
        except _BROKER_ERRORS as error:
            _log.warning("requeue_failed", error=type(error).__name__)
            return await self._page(request, identity, ids, problem="broker_away", status=503)
        _log.info("events_requeued", user=identity.user.name, events=done)
        return RedirectResponse(f"/events/requeue/done?n={len(chosen)}&done={done}", 303)

    async def done(self, request: Request) -> Response:
        """Show how many events were requeued."""
        identity = await self._console.gate.require(request, Role.OPERATOR)
        words = words_of(request, REQUEUE)
        count, done = _number(request, "n"), _number(request, "done")
        text = words.count("done", done) if done >= count else words.fill("done_not_all", n=count, done=done)
        values = {"done": text, "rows": [], "heading": "", "count": 0, "problem": ""}
        return self._console.render(request, identity, "requeue.html.j2", REQUEUE, values, page="events")

    async def _page(
        self,
        request: Request,
        identity: Identity,
        ids: Sequence[str],
        *,
        problem: str = "",
        status: int = 200,
    ) -> Response:
        words = words_of(request, REQUEUE)
        planned = await self._plan(identity, ids)
        rows = [_row(message_id, record, action, words) for message_id, record, action in planned]
        count = sum(row.is_requeued for row in rows)
        values = {
            "done": "",
            "rows": rows,
            "count": count,
            "heading": words.count("title", count) if count else words["title_none"],
            "problem": words[problem] if problem else "",
        }
        return self._console.render(
            request, identity, "requeue.html.j2", REQUEUE, values, page="events", status=status
        )

    async def _plan(
        self, identity: Identity, ids: Sequence[str]
    ) -> list[tuple[str, EventRecord | None, RequeueAction]]:
        def read(ledger: Ledger) -> list[EventRecord | None]:
            return [ledger.get(message_id) for message_id in ids]

        records = await self._console.reader.read(read)
        for record in records:
            if record and not identity.user.may_see(record.event.project_id):
                raise Forbidden(f"workspace {record.event.project_id}")
        actions = await anyio.to_thread.run_sync(lambda: [self._requeuer.plan(record) for record in records])
        return list(zip(ids, records, actions, strict=True))

    def _requeue(self, records: Sequence[EventRecord], actor: str, reason: str) -> int:
        """Requeue events; return the number of those that had not changed meanwhile."""
        clock.measure(self._requeuer.services.ledger.client)
        # Before anything is reopened: an event that is reopened but not sent would be answered unchecked.
        self._requeuer.reach_broker()
        done = 0
        for record in records:
            if self._requeuer.reopen(record.event, actor=actor, reason=reason):
                self._requeuer.send(record.event)
                done += 1
        return done


def _ids(values: Sequence[str]) -> list[str]:
    ids = list(dict.fromkeys(value for value in values if value))
    if not ids or len(ids) > MAX_EVENTS or any(len(value.encode()) > MAX_ID_BYTES for value in ids):
        raise RequestRefused(Problem.INVALID, f"id: expected the ids of 1 to {MAX_EVENTS} events")
    return ids


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_EVENTS))):
        raise RequestRefused(Problem.INVALID, f"{name}: expected a number")
    return int(text)


def _row(message_id: str, record: EventRecord | None, action: RequeueAction, words: Words) -> RequeueRow:
    return RequeueRow(
        message_id=message_id,
        name=subject_name(record) if record else message_id,
        point=record.event.event_code if record else "",
        is_requeued=action.is_requeued,
        text=_describe(record, action, words),
    )


def _describe(record: EventRecord | None, action: RequeueAction, words: Words) -> str:
    if record is None:
        return words["step_unknown"]
    match action.step:
        case RequeueStep.RECORD if record.accepted_verdict:
            at = format_moment(record.reported_at or record.accepted_verdict.decided_at)
            return words.fill("step_record", result=record.accepted_verdict.result.value, at=at)
        case RequeueStep.POST if record.verdict:
            return words.fill("step_post", result=record.verdict.result.value)
        case RequeueStep.LEAVE:
            return words.fill("step_leave", reason=words[_reason(record, action)])
        case _:
            return words["step_run"]


def _reason(record: EventRecord, action: RequeueAction) -> str:
    if record.state is not State.IGNORED:
        return "in_progress"
    return "ignored" if "does not wait" in action.text else "unclear"
