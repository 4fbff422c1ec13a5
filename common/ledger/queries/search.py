"""Search for events: filters that are all met, newest first, page by page.

Each value of a filter is a sorted set of message ids by time of arrival (`facets`). A search
walks through the shortest of these sets in batches, and looks up each batch in the others: one command of
Redis takes less than a few milliseconds, however many events there are. The index may name an event that no
longer fits, or has expired: each record is compared with the query before it is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import redis

from common.errors import DwgateError
from common.ledger.queries import facets
from common.ledger.queries.facets import WOULD_FAIL, Facet, index_key
from common.ledger.record import EventRecord, State
from common.verdicts import Result

MAX_EXAMINED = 100_000
"""Index entries that one page examines at most; then it ends, and the next page continues."""

_FIRST_BATCH = 100
_MAX_BATCH = 2000

_READ_NAMES_BELOW = 0.1
"""Share of the events up to which names are read one by one; above it the walk is through all names."""


class CursorInvalid(DwgateError, ValueError):
    """A text is not a cursor of a search."""


class Cursor(NamedTuple):
    """A position in the order of events: the next page continues with older ones.

    Attributes:
        at: time of arrival in milliseconds since the epoch.
        message_id: the event.
    """

    at: int
    message_id: str

    def __str__(self) -> str:
        """Return the cursor as text for a URL."""
        return f"{self.at}.{self.message_id}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Return the cursor for its text.

        Raises:
            CursorInvalid: it is not one.
        """
        at, dot, message_id = text.partition(".")
        if not (dot and message_id and at.isascii() and at.isdigit() and len(at) < 16):  # noqa: PLR2004
            raise CursorInvalid("not a position in the list of events")
        return cls(int(at), message_id)


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events to find: those that meet every given condition.

    Attributes:
        states: in one of these states; empty for any.
        results: DataWorks accepted one of these; empty for any.
        would_fail: only a check's mode kept it from being blocked. Together with `results` either is enough.
        projects: of one of these workspaces; empty for any.
        points: of one of these extension points, by event code; empty for any.
        check: this check found something or did not finish.
        rule: this rule has a finding.
        operator: UID of the user whose operation it is.
        name: a part of the name or id of a file, node or table of the operation, or of the message id, in
            any case.
        since: received at or after this, in seconds since the epoch.
        until: received before this, in seconds since the epoch; None for no limit.
    """

    states: tuple[State, ...] = ()
    results: tuple[Result, ...] = ()
    would_fail: bool = False
    projects: tuple[int, ...] = ()
    points: tuple[str, ...] = ()
    check: str | None = None
    rule: str | None = None
    operator: str | None = None
    name: str | None = None
    since: float = 0.0
    until: float | None = None

    @property
    def conditions(self) -> list[list[str]]:
        """The sorted sets of each condition: an event must be in one set of every condition."""
        results = [result.value for result in self.results] + ([WOULD_FAIL] if self.would_fail else [])
        conditions = [
            [f"state:{state}" for state in self.states],
            [index_key(Facet.RESULT, value) for value in results],
            [facets.workspace_key(project) for project in self.projects],
            [index_key(Facet.POINT, code) for code in self.points],
            [index_key(Facet.CHECK, self.check)] if self.check else [],
            [index_key(Facet.RULE, self.rule)] if self.rule else [],
            [index_key(Facet.OPERATOR, self.operator)] if self.operator else [],
        ]
        return [keys for keys in conditions if keys]

    def matches(self, record: EventRecord) -> bool:
        """Whether a record meets the conditions on what may have changed since it was indexed."""
        accepted = record.accepted_verdict.result if record.accepted_verdict else None
        if self.states and record.state not in self.states:
            return False
        if self.projects and record.event.project_id not in self.projects:
            return False
        if self.check and not self._has_check(record, self.check):
            return False
        if self.rule and self.rule not in facets.found_rules(record):
            return False
        if self.results or self.would_fail:
            is_result = accepted in self.results
            return is_result or (self.would_fail and facets.is_would_fail(record, accepted))
        return True

    @staticmethod
    def _has_check(record: EventRecord, check: str) -> bool:
        return check in record.planned_checks and facets.reports_anything(record.outcomes.get(check))


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page of a search.

    Attributes:
        records: the events, newest first.
        next: where the next page starts; None if there are no further events.
        is_cut: whether the page ended because `MAX_EXAMINED` entries were examined.
    """

    records: tuple[EventRecord, ...]
    next: Cursor | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Walk:
    """How a query is answered.

    Attributes:
        keys: the sorted sets to walk through: an event must be in one of them.
        others: those of the other conditions.
        text: a part of the names in lower case; None for any.
        reads_names: whether the names are read from the events; else the walk is through those of all events.
    """

    keys: Sequence[str]
    others: Sequence[Sequence[str]] = ()
    text: bytes | None = None
    reads_names: bool = False


@dataclass(frozen=True, slots=True)
class _Batch:
    """A part of a walk: the entries that fit, newest first, its last position, and the examined entries.

    `last` is None at the end of the walk.
    """

    fitting: list[Cursor]
    last: Cursor | None
    examined: int


class EventSearch:
    """Searches the events of one extension.

    Args:
        client: a Redis client that returns bytes.
        key: returns the Redis key of a name.
    """

    def __init__(self, client: redis.Redis, key: Callable[[str], str]) -> None:
        self._client = client
        self._key = key

    def page(self, query: EventQuery, *, limit: int, before: Cursor | None = None) -> EventPage:
        """Return the newest `limit` events that fit, older than `before`; the keyspace is never scanned."""
        walk = self._plan(query)
        last = _NEWEST if query.until is None else Cursor(int(query.until * 1000), "")
        last = min(last, before) if before else last
        found: list[tuple[Cursor, EventRecord]] = []
        examined, size = 0, _FIRST_BATCH
        while True:
            batch = self._batch(walk, last, int(query.since * 1000), size)
            for part in self._read(self._select(batch.fitting, walk), limit + 1):
                found += [(entry, record) for entry, record in part if query.matches(record)]
                if len(found) > limit:
                    return EventPage(tuple(record for _, record in found[:limit]), found[limit - 1][0])
            examined += batch.examined
            records = tuple(record for _, record in found)
            if batch.last is None:
                return EventPage(records)
            last = batch.last
            if examined >= MAX_EXAMINED:
                return EventPage(records, last, is_cut=True)
            size = min(size * 2, _MAX_BATCH)

    def _plan(self, query: EventQuery) -> _Walk:
        conditions = [[self._key(name) for name in names] for names in query.conditions]
        names_key = self._key(facets.NAMES_KEY)
        text = query.name.lower().encode() if query.name else None
        if not conditions:
            return _Walk([self._key("all")]) if text is None else _Walk([names_key], text=text)
        pipe = self._client.pipeline(transaction=False)
        for keys in (*conditions, [names_key]):
            for key in keys:
                pipe.zcard(key)
        sizes = iter(pipe.execute())
        totals = [sum(next(sizes) for _ in keys) for keys in conditions]
        shortest = totals.index(min(totals))
        if text is not None and totals[shortest] > next(sizes) * _READ_NAMES_BELOW:
            return _Walk([names_key], conditions, text)
        others = [keys for at, keys in enumerate(conditions) if at != shortest]
        return _Walk(conditions[shortest], others, text, reads_names=text is not None)

    def _batch(self, walk: _Walk, last: Cursor, since: int, size: int) -> _Batch:
        """Return the newest entries of the walk's sorted sets that are older than `last`."""
        while True:
            pipe = self._client.pipeline(transaction=False)
            for key in walk.keys:
                pipe.zrevrangebyscore(key, last.at, since, 0, size, withscores=True)
            pages = cast("list[list[tuple[bytes, float]]]", pipe.execute())
            # Nothing of a set is known below the end of its page; the next batch starts there.
            ends = [_cursor(*page[-1]) for page in pages if len(page) == size]
            end = max(ends, default=None)
            if end is None or end < last:
                break
            size *= 2  # More events than that arrived in the millisecond of the last one.
        entries = {
            _cursor(member, score)
            for page in pages
            for member, score in page
            if walk.text is None or walk.reads_names or walk.text in member
        }
        fitting = sorted((item for item in entries if item < last and (not end or item >= end)), reverse=True)
        return _Batch(fitting, end, sum(map(len, pages)))

    def _select(self, entries: list[Cursor], walk: _Walk) -> list[Cursor]:
        """Return those of the entries that meet the walk's other conditions."""
        entries = self._intersect(entries, walk.others)
        if not walk.reads_names or walk.text is None:
            return entries
        pipe = self._client.pipeline(transaction=False)
        for entry in entries:
            pipe.hget(self._key(f"event:{entry.message_id}"), "names")
        names = cast("list[bytes | None]", pipe.execute())
        return [
            entry
            for entry, text in zip(entries, names, strict=True)
            if walk.text in (text or b"") or walk.text in entry.message_id.encode()
        ]

    def _intersect(self, entries: list[Cursor], conditions: Sequence[Sequence[str]]) -> list[Cursor]:
        """Return those of the entries that are in one sorted set of every condition."""
        for keys in conditions:
            if not entries:
                return []
            ids = [entry.message_id for entry in entries]
            pipe = self._client.pipeline(transaction=False)
            for key in keys:
                pipe.zmscore(key, ids)
            scores = pipe.execute()
            entries = [
                entry
                for entry, *each in zip(entries, *scores, strict=True)
                if any(score is not None for score in each)
            ]
        return entries

    def _read(self, entries: Sequence[Cursor], size: int) -> Iterator[list[tuple[Cursor, EventRecord]]]:
        """Yield the records of the entries that have one, `size` at a time."""
        for first in range(0, len(entries), size):
            part = entries[first : first + size]
            pipe = self._client.pipeline(transaction=False)
            for entry in part:
                pipe.hgetall(self._key(f"event:{entry.message_id}"))
            found = zip(part, pipe.execute(), strict=True)
            yield [(entry, EventRecord.from_hash(raw)) for entry, raw in found if raw.get(b"state")]


_NEWEST = Cursor(10**15, "")
"""Later than any event."""


def _cursor(member: bytes, score: float) -> Cursor:
    return Cursor(int(score), member.partition(b"\n")[0].decode(errors="replace"))
