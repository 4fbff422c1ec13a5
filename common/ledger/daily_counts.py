"""Counters for reports: what was checked on each day, and what came of it. They outlive the events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import cast
from zoneinfo import ZoneInfo

import redis

from common.ledger.queries import facets
from common.ledger.queries.facets import is_would_fail
from common.ledger.record import EventRecord
from common.plan import Mode, PlannedCheck
from common.verdicts import Outcome, OutcomeKind, Result, Severity

TIME_ZONE = ZoneInfo("Asia/Shanghai")
"""Days begin at midnight of this zone, in which DataWorks shows times."""

KEPT_DAYS = 100
"""Days for which the counters are kept."""

MAX_COUNTERS = 5000
"""Distinct counters of a day; all others are one counter. About 100 bytes each."""

_MAX_VALUE_LENGTH = 128
_SEPARATOR = "\t"
_NOTHING = "-"
_UNFINISHED = (OutcomeKind.ERROR, OutcomeKind.TIMED_OUT, OutcomeKind.UNREVIEWABLE)


class Dimension(StrEnum):
    """What a counter counts events by, within a workspace."""

    POINT = "point"
    CHECK = "check"
    RULE = "rule"
    PERSON = "person"
    WAIVER = "waiver"
    OTHERS = "others"
    """Counters above `MAX_COUNTERS`."""


class Count(StrEnum):
    """What came of an event, or of one check or rule of it.

    BLOCKED, WARNED, PASSED: the result that counted. WOULD_BLOCK: only the mode kept it from being blocked;
    it also counts as what it was. UNFINISHED: a check without a complete answer. WAIVED: a rule of which all
    findings are waived or suppressed.
    """

    BLOCKED = "blocked"
    WARNED = "warned"
    PASSED = "passed"
    WOULD_BLOCK = "would-block"
    UNFINISHED = "unfinished"
    WAIVED = "waived"

    @classmethod
    def of(cls, result: Result) -> Count:
        """Return what a result counts as."""
        return _COUNTS[result]


_COUNTS = {Result.FAIL: Count.BLOCKED, Result.WARN: Count.WARNED, Result.OK: Count.PASSED}


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter of a day.

    Attributes:
        project_id: the workspace; None for events without one.
        dimension: what it counts by.
        value: the extension point, check, rule, or UID of the person.
        mode: of the check or of the rule's check; None for events.
        count: what came of it.
    """

    project_id: int | None
    dimension: Dimension
    value: str
    mode: Mode | None
    count: Count

    def __str__(self) -> str:
        """Return the counter as the name of a field in Redis."""
        project = _NOTHING if self.project_id is None else str(self.project_id)
        value = " ".join(self.value.split())[:_MAX_VALUE_LENGTH] or _NOTHING
        return _SEPARATOR.join((project, self.dimension, value, self.mode or _NOTHING, self.count))

    @classmethod
    def parse(cls, text: str) -> Counter | None:
        """Return the counter for the name of a field; None for one of a newer version."""
        try:
            project, dimension, value, mode, count = text.split(_SEPARATOR)
            return cls(
                None if project == _NOTHING else int(project),
                Dimension(dimension),
                value,
                None if mode == _NOTHING else Mode(mode),
                Count(count),
            )
        except ValueError:
            return None


OTHERS = Counter(None, Dimension.OTHERS, _NOTHING, None, Count.PASSED)


@dataclass(frozen=True, slots=True)
class DailyCount:
    """The number of events of one counter on one day."""

    day: date
    counter: Counter
    number: int


def count_event(record: EventRecord, accepted: Result) -> tuple[str, ...]:
    """Return the counters that an event raises when DataWorks has accepted a verdict.

    Args:
        record: the event with its plan and outcomes.
        accepted: the result that DataWorks accepted.
    """
    event = record.event
    results = [Count.of(accepted)]
    if is_would_fail(record, accepted):
        results.append(Count.WOULD_BLOCK)
    counters: list[tuple[Dimension, str, Mode | None, Count]] = [
        (Dimension.POINT, event.event_code, None, result) for result in results
    ]
    counters += [(Dimension.PERSON, event.operator or _NOTHING, None, result) for result in results]
    for check in record.plan.checks if record.plan else ():
        outcome = record.outcomes.get(check.name)
        if outcome is None or outcome.kind is not OutcomeKind.SKIPPED:
            counters += [
                (Dimension.CHECK, check.name, check.mode, count) for count in _of_check(check, outcome)
            ]
        if outcome:
            counters += _of_rules(check, outcome)
            counters += _of_waivers(outcome)
    distinct = dict.fromkeys(counters)
    return tuple(str(Counter(event.project_id, *each)) for each in distinct)


def _of_check(check: PlannedCheck, outcome: Outcome | None) -> Iterator[Count]:
    result = check.effective_result(outcome)
    yield Count.of(result)
    if result is not Result.FAIL and check.would_be_result(outcome) is Result.FAIL:
        yield Count.WOULD_BLOCK
    if outcome is None or outcome.kind in _UNFINISHED:
        yield Count.UNFINISHED


def _of_rules(check: PlannedCheck, outcome: Outcome) -> Iterator[tuple[Dimension, str, Mode, Count]]:
    by_rule: dict[str, list[Severity | None]] = {}
    for finding in outcome.findings:
        is_accepted = finding.waived is not None or finding.suppressed is not None
        by_rule.setdefault(finding.rule, []).append(None if is_accepted else finding.severity)
    for rule in list(by_rule)[: facets.MAX_RULES]:
        for count in _of_severities(check, by_rule[rule]):
            yield Dimension.RULE, rule, check.mode, count


def _of_waivers(outcome: Outcome) -> Iterator[tuple[Dimension, str, None, Count]]:
    ids = dict.fromkeys(finding.waived.id for finding in outcome.findings if finding.waived)
    return ((Dimension.WAIVER, id_, None, Count.WAIVED) for id_ in ids)


def _of_severities(check: PlannedCheck, severities: Sequence[Severity | None]) -> Iterator[Count]:
    if Severity.BLOCK in severities:
        result = check.cap_to_mode(Result.FAIL)
        yield Count.of(result)
        if result is not Result.FAIL:
            yield Count.WOULD_BLOCK
    elif Severity.WARN in severities:
        yield Count.of(check.cap_to_mode(Result.WARN))
    elif all(severity is None for severity in severities):
        yield Count.WAIVED
    else:
        yield Count.PASSED


class DailyCounts:
    """The counters of one extension, one hash of Redis a day.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the extension's keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    limits = (KEPT_DAYS * 86_400_000, MAX_COUNTERS, str(OTHERS))
    """How long a day is kept (ms), its maximum number of counters, and the counter for all others."""

    def key(self, at: float) -> str:
        """Return the key of the day of a time, in seconds since the epoch."""
        return self._key(day_of(at))

    def _key(self, day: date) -> str:
        return f"{self._prefix}counts:{day.isoformat()}"

    def read(
        self, first: date, last: date, fits: Callable[[Counter], bool] = lambda _: True
    ) -> list[DailyCount]:
        """Return the counters of the days from `first` to `last`, oldest day first.

        Args:
            first: the first day.
            last: the last day.
            fits: which counters to return.
        """
        days = list(_days(first, last))
        pipe = self._client.pipeline(transaction=False)
        for day in days:
            pipe.hgetall(self._key(day))
        found = cast("list[dict[bytes, bytes]]", pipe.execute())
        return [
            DailyCount(day, counter, int(number))
            for day, raw in zip(days, found, strict=True)
            for name, number in raw.items()
            if (counter := Counter.parse(name.decode(errors="replace"))) and fits(counter)
        ]


def day_of(at: float) -> date:
    """Return the day of a time, in seconds since the epoch."""
    return datetime.fromtimestamp(at, UTC).astimezone(TIME_ZONE).date()


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range(min((last - first).days, KEPT_DAYS) + 1))
