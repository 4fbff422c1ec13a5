"""The view model of the event page: a pure function of the record and what is kept of the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.ledger import EventRecord
from common.ledger.timeline import RunState
from common.snapshot import Snapshot
from common.subjects.event_subject import items_of
from common.subjects.operation_target import OperationTarget, target_of
from common.verdicts import Subject, SubjectKind
from console.web.display_text import shorten
from console.web.texts.catalogue import Words
from console.web.views.code_frame import KeptCode
from console.web.views.decision_view import DecisionView, build_decision
from console.web.views.event_state import CountedFinding, PageState, counted_findings, find_state
from console.web.views.findings_view import (
    MAX_NAME,
    FindingsQuery,
    FindingsView,
    build_findings,
    describe_waiver,
)
from console.web.views.impact_view import ImpactQuery, ImpactView, build_impact
from console.web.views.timeline_view import TimelineView, build_timeline
from console.web.views.times import format_clock, format_moment_with_zone
from console.web.views.verdict_view import VerdictView, build_verdict, operation_text

_NAMED = ((SubjectKind.FILE, "file"), (SubjectKind.NODE, "node"), (SubjectKind.TABLE, "table"))
_MAX_SUBJECTS = 5
MAX_TIP = 2000
"""Maximum characters shown of a tip."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact about the event: its name, its value, and something smaller below it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ContactView:
    """Whom people may ask, and the address; None if there is only a name."""

    name: str
    url: str | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """What one run answered; `is_accepted` if DataWorks has this result."""

    run: int
    verdict: str
    posted: str
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class EventView:
    """The event page.

    Attributes:
        message_id: the event's id.
        title: of the page, without the verdict.
        is_open: whether the event still changes by itself, so that the page polls.
        verdict: the top of the page.
        summary: the line of facts below the verdict.
        facts: the facts beside the findings.
        contact: whom people may ask; None if the policy names nobody.
        waivers: the waivers that were applied, each with its reason and its end.
        runs: what each run answered.
        has_rerun: whether a run after the accepted one is among them.
        tip: the lines of the tip that was posted or frozen; empty without one.
    """

    message_id: str
    title: str
    is_open: bool
    verdict: VerdictView
    summary: tuple[str, ...]
    findings: FindingsView
    facts: tuple[Fact, ...]
    contact: ContactView | None
    waivers: tuple[str, ...]
    runs: tuple[RunRow, ...]
    has_rerun: bool
    tip: tuple[str, ...]
    decision: DecisionView
    timeline: TimelineView
    impacts: tuple[ImpactView, ...]


def build_event(
    record: EventRecord,
    snapshot: Snapshot | None,
    words: Words,
    query: FindingsQuery,
    impact: ImpactQuery,
    *,
    kept: str,
) -> EventView:
    """Return the page of an event.

    Args:
        record: the event.
        snapshot: what the operation works on; None if it is no longer kept, or there is none.
        words: the texts of the page.
        query: which findings are shown.
        impact: what is shown of the graphs of dependents.
        kept: for how long code is kept, in words.
    """
    counted = counted_findings(record)
    target = _target(record, snapshot)
    subject = target.subject
    name = (subject.name or subject.id) if subject else None
    code = KeptCode(snapshot, [item.finding for item in counted]) if snapshot else None
    verdict = record.accepted_verdict or record.verdict
    return EventView(
        message_id=record.event.message_id,
        title=operation_text(record, name, words),
        is_open=find_state(record) is PageState.CHECKING,
        verdict=build_verdict(record, counted, name, words),
        summary=tuple(_summary(record, words)),
        findings=build_findings(record, counted, code, words, query, name=name or "", kept=kept),
        facts=tuple(_facts(record, target, _items(record, snapshot, target), words)),
        contact=_contact(record),
        waivers=tuple(_waivers(counted, words)),
        runs=tuple(_runs(record, words)),
        has_rerun=record.rerun_verdict is not None,
        tip=tuple(verdict.tip[:MAX_TIP].splitlines()) if verdict else (),
        decision=build_decision(record, words),
        timeline=build_timeline(record, words),
        impacts=build_impact(record, words, impact),
    )


def _summary(record: EventRecord, words: Words) -> Iterator[str]:
    event = record.event
    if event.operator:
        yield shorten(event.operator, MAX_NAME)
    if event.project_id is not None:
        yield words.fill("workspace_id", id=event.project_id)
    version = event.data.get("fileVersion")
    if isinstance(version, int) and not isinstance(version, bool):
        yield words.fill("version", version=version)
    yield format_moment_with_zone(event.received_at)
    if record.reported_at is not None:
        yield words.fill("answered_after", seconds=f"{record.reported_at - event.received_at:.2f}")


def _contact(record: EventRecord) -> ContactView | None:
    contact = record.plan.contact if record.plan else None
    if contact is None or contact.text is None:
        return None
    url = contact.url or (f"mailto:{contact.mail}" if contact.mail else None)
    return ContactView(shorten(contact.name or contact.url or contact.mail or "", MAX_NAME), url)


def _target(record: EventRecord, snapshot: Snapshot | None) -> OperationTarget:
    """Return what the operation works on; records of an earlier version have it only in the snapshot."""
    return record.target if record.target.subject else target_of(record.event, snapshot)


def _facts(
    record: EventRecord, target: OperationTarget, items: Sequence[Subject], words: Words
) -> Iterator[Fact]:
    event = record.event
    yield Fact(words["operation"], operation_text(record, None, words), event.event_code)
    for kind, key in _NAMED:
        of_kind = [item for item in items if item.kind is kind]
        for item in of_kind[:_MAX_SUBJECTS]:
            name, id_ = item.name or item.id or "", item.id if item.name else None
            yield Fact(words[key], shorten(name, MAX_NAME), shorten(id_, MAX_NAME) if id_ else "")
        if left := of_kind[_MAX_SUBJECTS:]:
            yield Fact("", words.fill("pile_more", n=words.number(len(left))))
    if target.node_type:
        yield Fact(words["node_type"], shorten(target.node_type, MAX_NAME))
    if target.owner:
        yield Fact(words["owner"], shorten(target.owner, MAX_NAME))
    if event.operator:
        yield Fact(words["operator"], shorten(event.operator, MAX_NAME))
    if event.project_id is not None:
        yield Fact(words["workspace"], str(event.project_id))
    if record.plan:
        yield Fact(words["policy"], shorten(record.plan.policy, MAX_NAME))
    yield Fact(words["received"], format_moment_with_zone(event.received_at))


def _items(record: EventRecord, snapshot: Snapshot | None, target: OperationTarget) -> tuple[Subject, ...]:
    """Return what the operation works on; its first object with the name that only its record has."""
    items = items_of(record.event, snapshot)
    first = target.subject
    return tuple(first if first and item.key == first.key else item for item in items) or (
        (first,) if first else ()
    )


def _waivers(counted: Sequence[CountedFinding], words: Words) -> Iterator[str]:
    applied = dict.fromkeys(item.finding.waived for item in counted if item.finding.waived)
    for waiver in applied:
        if waiver is not None:
            yield describe_waiver(waiver, words)


def _runs(record: EventRecord, words: Words) -> Iterator[RunRow]:
    posted = {
        RunState.FROZEN: words["not_accepted_yet"],
        RunState.RERUN: words["not_posted"],
        RunState.UNDECIDED: "–",
    }
    for run in record.runs:
        is_accepted = run.state is RunState.ACCEPTED
        at = format_clock(record.reported_at)[:8] if record.reported_at is not None else "–"
        yield RunRow(
            run.run,
            run.result.value if run.result else "–",
            words.fill("was_accepted", time=at) if is_accepted else posted[run.state],
            is_accepted=is_accepted,
        )
