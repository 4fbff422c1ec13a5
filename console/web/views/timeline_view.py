"""The steps of an event on a line of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from common.ledger import EventRecord, TimelineEntry
from console.web.display_text import shorten
from console.web.texts.catalogue import Words
from console.web.views.times import format_clock

MAX_BARS = 40
_MAX_DETAIL = 300

BAR_SPACE = 560
"""Width in which bars are drawn, in units of the picture."""

LABEL_SPACE = 190
ROW = 22


@dataclass(frozen=True, slots=True)
class Bar:
    """One step: from when to when, in units of the picture, and its duration in words."""

    label: str
    x: int
    width: int
    y: int
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the grid with its time."""

    x: int
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the list."""

    clock: str
    after: str
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class TimelineView:
    """The picture of the run that was answered, and the list of all steps."""

    heading: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    width: int
    height: int
    steps: tuple[Step, ...]


def build_timeline(record: EventRecord, words: Words) -> TimelineView:
    """Return the timeline of an event."""
    begin = record.event.received_at
    spans = list(_spans(record, words))[:MAX_BARS]
    total = max((end for _, _, end in spans), default=0.0)
    bars = tuple(
        Bar(
            label=label,
            x=LABEL_SPACE + _scaled(start, total),
            width=max(_scaled(end, total) - _scaled(start, total), 3),
            y=ROW + index * ROW,
            text=_milliseconds(end - start, words),
        )
        for index, (label, start, end) in enumerate(spans)
    )
    heading = words["timeline_open"]
    if record.reported_at is not None and total:
        limit = _milliseconds(record.deadline_at - begin, words)
        heading = words.fill("timeline", ms=_milliseconds(record.reported_at - begin, words), limit=limit)
    marks = tuple(
        Mark(LABEL_SPACE + _scaled(total * part / 4, total), _milliseconds(total * part / 4, words))
        for part in range(5)
        if total
    )
    return TimelineView(
        heading,
        bars,
        marks,
        width=LABEL_SPACE + BAR_SPACE + 110,
        height=ROW * (len(bars) + 1) + 6,
        steps=tuple(
            Step(
                format_clock(entry.at),
                _milliseconds(entry.at - begin, words),
                entry.kind,
                shorten(entry.detail, _MAX_DETAIL),
            )
            for entry in record.timeline
        ),
    )


def _spans(record: EventRecord, words: Words) -> Iterator[tuple[str, float, float]]:
    """Yield the steps of the first run, in seconds since the receipt; each begins where its cause ended."""
    begin = record.event.received_at
    planned = checked = decided = 0.0
    for entry in _first_run(record.timeline):
        at = max(entry.at - begin, 0.0)
        match entry.kind:
            case "admitted":
                planned = at
                yield words["step_queued"], 0.0, at
            case "planned":
                yield words["step_planned"], planned, at
                planned = checked = at
            case "checked":
                yield shorten(entry.detail.partition(" ")[0], 28), planned, at
                checked = max(checked, at)
            case "decided":
                yield words["step_decided"], checked, max(at, checked)
                decided = at
            case "reported":
                yield words["step_reported"], decided or checked, at


def _first_run(timeline: tuple[TimelineEntry, ...]) -> Iterator[TimelineEntry]:
    for entry in timeline:
        if entry.kind == "requeued":
            return
        yield entry


def _scaled(seconds: float, total: float) -> int:
    return round(BAR_SPACE * seconds / total) if total else 0


def _milliseconds(seconds: float, words: Words) -> str:
    return words.fill("ms", n=words.number(round(seconds * 1000)))
