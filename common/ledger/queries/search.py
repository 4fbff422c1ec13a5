"""Search for events: filters that are all met, newest first, page by page.

Each value of a filter is a sorted set of message ids by time of arrival (`facets`). A search
walks through the shortest of these sets in batches, and looks up each batch in the others: one command of
Redis takes less than a few milliseconds, however many events there are. A part of a name is looked up among
the distinct names, and each of those has a sorted set, too; a part of very many names is compared with the
names of each event instead. The index may name an event that no longer fits, or has expired: each record is
compared with the query before it is returned. A page that takes too long ends early, with a position from
which the search continues.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple, cast

import redis

from common.errors import DwgateError
from common.ledger.queries import facets
from common.ledger.queries.facets import WOULD_FAIL, Facet, index_key
from common.ledger.record import EventRecord, State
from common.verdicts import Result

MAX_SECONDS = 0.15
"""Seconds after which a page ends with what it has found, and the next page continues."""

_FIRST_BATCH = 100
_MAX_BATCH = 2000
_MIN_BATCH = 10
"""Entries of each sorted set in one batch, if there are many sets."""

MAX_NAMES = 200_000
"""Distinct names up to which a part of a name is looked up among them."""

_SCANNED_NAMES = 5000

_MAX_FOUND_NAMES = 500
"""Names with the text up to which their sorted sets are walked through."""


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
        name: a part of the name or id of a file, node or table of the operation, in any case, or the whole
            message id.
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
        is_cut: whether the page ended because the search had taken `MAX_SECONDS`.
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
        text: a part of the names, which is looked for in those of each event; None if `keys` ensure it.
    """

    keys: Sequence[str]
    others: Sequence[Sequence[str]] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    """A part of a walk: the entries, newest first, and its last position; None at the end of the walk."""

    entries: list[Cursor]
    last: Cursor | None


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
        ends_at = time.monotonic() + MAX_SECONDS
        last = _NEWEST if query.until is None else Cursor(int(query.until * 1000), "")
        last = min(last, before) if before else last
        since = int(query.since * 1000)
        if query.name and (event := self._event_with_id(query.name)):
            query = replace(query, name=None)
            entries = [event] if since <= event.at and event < last else []
            entries = self._intersect(entries, self._conditions(query))
            return EventPage(tuple(record for _, record in self._fitting(entries, query, 1)))
        walk = self._plan(query)
        found: list[tuple[Cursor, EventRecord]] = []
        size = _FIRST_BATCH
        while walk.keys:
            batch = self._batch(walk, last, since, size)
            for item in self._fitting(self._select(batch.entries, walk), query, limit + 1):
                found.append(item)
                if len(found) > limit:
                    return EventPage(tuple(record for _, record in found[:limit]), found[limit - 1][0])
            if batch.last is None:
                break
            last = batch.last
            if time.monotonic() >= ends_at:
                return EventPage(tuple(record for _, record in found), last, is_cut=True)
            size = min(size * 4, _MAX_BATCH)
        return EventPage(tuple(record for _, record in found))

    def first(self, query: EventQuery, limit: int) -> list[EventRecord]:
        """Return the newest `limit` events that fit, however long that takes."""
        page = self.page(query, limit=limit)
        found = [*page.records]
        while page.next is not None and len(found) < limit:
            page = self.page(query, limit=limit - len(found), before=page.next)
            found += page.records
        return found

    def arrivals(self, indexes: Sequence[str], edges: Sequence[int]) -> list[list[int]]:
        """Return how many events of each index arrived in each interval.

        Args:
            indexes: names of sorted sets by time of arrival.
            edges: where intervals begin, and the last one ends, in milliseconds since the epoch.
        """
        pipe = self._client.pipeline(transaction=False)
        for index in indexes:
            for begin, end in pairwise(edges):
                pipe.zcount(self._key(index), begin, f"({end}")
        numbers = iter(cast("list[int]", pipe.execute()))
        return [[next(numbers) for _ in edges[1:]] for _ in indexes]

    def _event_with_id(self, message_id: str) -> Cursor | None:
        at = self._client.zscore(self._key("all"), message_id)
        return None if at is None else Cursor(int(at), message_id)

    def _conditions(self, query: EventQuery) -> list[list[str]]:
        return [[self._key(name) for name in names] for names in query.conditions]

    def _plan(self, query: EventQuery) -> _Walk:
        """Return the walk through the sorted sets of the condition that the fewest events meet."""
        text = _searched(query)
        named = self._keys_with(text) if text else None
        conditions = self._conditions(query) + ([] if named is None else [named])
        if not conditions:
            return _Walk([self._key("all")], text=text)
        keys, *others = self._shortest_first(conditions)
        if keys is named:
            return _Walk(keys, others)
        return _Walk(keys, [other for other in others if other is not named], text)

    def _shortest_first(self, conditions: list[list[str]]) -> list[list[str]]:
        pipe = self._client.pipeline(transaction=False)
        for keys in conditions:
            for key in keys:
                pipe.zcard(key)
        sizes = iter(cast("list[int]", pipe.execute()))
        totals = [sum(next(sizes) for _ in keys) for keys in conditions]
        return [conditions[at] for at in sorted(range(len(conditions)), key=totals.__getitem__)]

    def _keys_with(self, text: str) -> list[str] | None:
        """Return the sorted sets of the names that contain `text`; None if they are too many to find."""
        pattern = f"*{text.translate(_ESCAPED)}*"
        found: set[bytes] = set()
        cursor = 0
        for _ in range(MAX_NAMES // _SCANNED_NAMES):
            cursor, entries = cast(
                "tuple[int, list[tuple[bytes, float]]]",
                self._client.zscan(self._key(facets.SUBJECTS_KEY), cursor, pattern, _SCANNED_NAMES),
            )
            found.update(names for names, _ in entries)
            if len(found) > _MAX_FOUND_NAMES:
                return None
            if not cursor:
                return [self._key(facets.subject_key(each.decode(errors="replace"))) for each in found]
        return None

    def _batch(self, walk: _Walk, last: Cursor, since: int, size: int) -> _Batch:
        """Return the newest entries of the walk's sorted sets that are older than `last`."""
        size = max(size // len(walk.keys), min(size, _MIN_BATCH))
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
        entries = {_cursor(member, score) for page in pages for member, score in page}
        return _Batch(sorted((item for item in entries if (end or item) <= item < last), reverse=True), end)

    def _select(self, entries: list[Cursor], walk: _Walk) -> list[Cursor]:
        """Return those of the entries that meet the walk's other conditions."""
        entries = self._intersect(entries, walk.others)
        if walk.text is None:
            return entries
        pipe = self._client.pipeline(transaction=False)
        for entry in entries:
            pipe.hget(self._key(f"event:{entry.message_id}"), "names")
        names = cast("list[bytes | None]", pipe.execute())
        text = walk.text.encode()
        return [entry for entry, each in zip(entries, names, strict=True) if text in (each or b"")]

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

    def _fitting(
        self, entries: Sequence[Cursor], query: EventQuery, size: int
    ) -> Iterator[tuple[Cursor, EventRecord]]:
        """Yield the entries whose record fits the query, read `size` at a time."""
        text = (_searched(query) or "").encode()
        for first in range(0, len(entries), size):
            part = entries[first : first + size]
            pipe = self._client.pipeline(transaction=False)
            for entry in part:
                pipe.hgetall(self._key(f"event:{entry.message_id}"))
            for entry, raw in zip(part, pipe.execute(), strict=True):
                if not raw.get(b"state") or text not in raw.get(b"names", b""):
                    continue
                record = EventRecord.from_hash(raw)
                if query.matches(record):
                    yield entry, record


_NEWEST = Cursor(10**15, "")
"""Later than any event."""

_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "[]*?\\"})
"""The characters that have a meaning in a pattern of Redis."""


def _searched(query: EventQuery) -> str | None:
    return query.name.lower() if query.name else None


def _cursor(member: bytes, score: float) -> Cursor:
    return Cursor(int(score), member.decode(errors="replace"))
