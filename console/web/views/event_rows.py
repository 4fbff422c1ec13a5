"""The rows of the list of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from common.ledger import EventRecord, State
from common.ledger.queries.facets import is_would_fail
from common.plan import requested_result
from common.verdicts import Result
from console.web.display_text import shorten
from console.web.texts.catalogue import Words
from console.web.views.times import format_moment

MAX_NAME_LENGTH = 80
MAX_MESSAGE_LENGTH = 160


@dataclass(frozen=True, slots=True)
class StateTag:
    """The state of an event as a word and a shape.

    Attributes:
        kind: ending of the class of its colour.
        icon: name of its shape.
        key: key of its word.
    """

    kind: str
    icon: str
    key: str


_DEAD = StateTag("block", "dead", "state_dead")
_IGNORED = StateTag("note", "note", "state_ignored")
_CHECKING = StateTag("note", "clock", "state_checking")
_WOULD_BLOCK = StateTag("warn", "warn", "state_would_block")
_RESULTS = {
    Result.FAIL: StateTag("block", "block", "state_blocked"),
    Result.WARN: StateTag("warn", "warn", "state_warned"),
    Result.OK: StateTag("ok", "ok", "state_passed"),
}


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of the list; texts are shortened."""

    message_id: str
    at: str
    tag: StateTag
    name: str
    point: str
    project: str
    person: str
    finding: str
    answer: str
    can_requeue: bool


def event_row(record: EventRecord, words: Words) -> EventRow:
    """Return the row of an event."""
    event = record.event
    return EventRow(
        message_id=event.message_id,
        at=format_moment(event.received_at),
        tag=state_tag(record),
        name=subject_name(record),
        point=event.event_code,
        project="–" if event.project_id is None else str(event.project_id),
        person=shorten(event.operator or "–", MAX_NAME_LENGTH),
        finding=shorten(first_finding(record, words), MAX_MESSAGE_LENGTH),
        answer=_answer(record, words),
        can_requeue=record.state.is_final,
    )


def state_tag(record: EventRecord) -> StateTag:
    """Return the state of an event."""
    accepted = record.accepted_verdict
    match record.state:
        case State.DEAD:
            return _DEAD
        case State.IGNORED:
            return _IGNORED
        case _ if accepted is None:
            return _CHECKING
        case _ if is_would_fail(record, accepted.result):
            return _WOULD_BLOCK
        case _:
            return _RESULTS[accepted.result]


def subject_name(record: EventRecord) -> str:
    """Return the name of what an event is about; its id if the ledger has no name."""
    subject = record.subject
    text = (subject.name or subject.id) if subject else None
    return shorten(text or record.event.message_id, MAX_NAME_LENGTH)


def first_finding(record: EventRecord, words: Words) -> str:
    """Return the most severe finding of an event, or why it has none."""
    if record.state is State.DEAD:
        return cause(record)
    found = [
        (requested_result(finding).severity_rank, finding)
        for name in record.planned_checks
        if (outcome := record.outcomes.get(name))
        for finding in outcome.findings
    ]
    if found:
        _, worst = max(found, key=lambda pair: pair[0])
        return f"{worst.rule}: {worst.message}"
    for name in record.planned_checks:
        outcome = record.outcomes.get(name)
        if outcome and outcome.detail:
            return f"{name}: {outcome.detail}"
    if record.plan and record.pending_checks:
        done = len(record.planned_checks) - len(record.pending_checks)
        return words.fill("checks_done", done=done, all=len(record.planned_checks))
    return "–"


def cause(record: EventRecord) -> str:
    """Return why an event is dead; empty if it is not."""
    lines = (entry.detail for entry in reversed(record.timeline) if entry.kind == State.DEAD)
    return next(lines, "")


def count_causes(records: Iterable[EventRecord]) -> list[tuple[str, int]]:
    """Return the causes of dead events with their number, the most frequent first."""
    return Counter(cause(record) for record in records if record.state is State.DEAD).most_common()


def _answer(record: EventRecord, words: Words) -> str:
    if record.reported_at is None or record.accepted_run not in (None, 1):
        return "–"
    return words.fill("seconds", n=f"{max(record.reported_at - record.event.received_at, 0):.2f}")
