"""The ledger: every state change of an event is one atomic Lua script; queries read the indexes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson
import redis
from redis.client import Pipeline

from common import clock, tracing
from common.events import Event
from common.ledger.audit_trail import AuditTrail, one_line
from common.ledger.daily_counts import DailyCounts, count_event
from common.ledger.generated_key import GeneratedKey
from common.ledger.history import CLOCK_TOLERANCE_SECONDS, MIN_LOST_LEASE_SECONDS, SeenHistory
from common.ledger.membership import FleetMembership
from common.ledger.queries import facets
from common.ledger.queries.search import Cursor, EventPage, EventQuery, EventSearch
from common.ledger.record import EventRecord, State
from common.ledger.redis_client import key_prefix, waits_until
from common.ledger.report_queue import ReportQueue, lease_arguments, leased_report
from common.ledger.results import (
    DueEvents,
    EventProgress,
    FrozenVerdict,
    LeasedReport,
    LeaseRequest,
    MarkResult,
    RecordResult,
    ReportLease,
    StartedAttempt,
    UnplannedEvent,
)
from common.plan import Plan
from common.subjects.operation_target import OperationTarget
from common.verdicts import Outcome, Subject, Verdict

MAX_REJECTS = 1000
"""Rejected messages that are kept; senders must not be able to fill Redis."""

_SCRIPTS = Path(__file__).parent / "scripts"
_PRELUDE = ("prelude.lua", "audit_entry.lua", "history.lua", "report_lease.lua")
_OTHERS = (
    "lease_due",
    "lease_report",
    "queue_lease",
    "lease_entry",
    "retry_later",
    "backlog",
    "audit_record",
    "audit_file",
    "heartbeat",
    "enqueue_entries",
)
"""Scripts that do not change one event."""

_STATES = tuple(State)


class Ledger:
    """The events of one extension.

    Args:
        client: a Redis client that returns bytes.
        extension_code: the extension; extensions share no keys.
        event_seconds: how long an event is kept.
        code_seconds: how long a snapshot (a node's code) is kept.
    """

    def __init__(
        self,
        client: redis.Redis,
        extension_code: str,
        *,
        event_seconds: float = 7 * 86400,
        code_seconds: float = 86400,
    ) -> None:
        self.client = client
        self.extension_code = extension_code
        self._event_ms = int(event_seconds * 1000)
        self.code_seconds = code_seconds
        self._code_ms = int(code_seconds * 1000)
        self._prefix = key_prefix(extension_code)
        self.membership = FleetMembership(client, self._prefix)
        self.reports = ReportQueue(client, self._prefix)
        self.plans = ReportQueue(client, self._prefix, "plans")
        self.fingerprint_key = GeneratedKey(client, self.key("fingerprint-key"))
        self.link_key = GeneratedKey(client, self.key("link-key"))
        self.console_key = GeneratedKey(client, self.key("console-key"))
        self.audit_trail = AuditTrail(client, self._prefix)
        self.daily_counts = DailyCounts(client, self._prefix)
        self._search = EventSearch(client, self.key)
        self._history = SeenHistory(self._prefix)
        prelude = "".join((_SCRIPTS / name).read_text() for name in _PRELUDE)
        self._scripts = {
            path.stem: client.register_script(prelude + path.read_text())
            for path in _SCRIPTS.glob("*.lua")
            if path.name not in _PRELUDE and path.stem not in _OTHERS
        }
        self._lease_due = client.register_script(
            (_SCRIPTS / "history.lua").read_text() + (_SCRIPTS / "lease_due.lua").read_text()
        )
        self._lease_report = client.register_script(
            prelude + (_SCRIPTS / "queue_lease.lua").read_text() + (_SCRIPTS / "lease_report.lua").read_text()
        )

    def key(self, name: str) -> str:
        """Return the Redis key `name` of this extension."""
        return self._prefix + name

    def admit(self, event: Event, deadline_at: float, watch_at: float) -> tuple[bool, EventRecord]:
        """Admit an event once: a redelivery returns the existing record.

        Args:
            event: the event as it came from the queue.
            deadline_at: when its verdict must have been posted, in seconds since the epoch.
            watch_at: when the watchdog must handle it if it is not reported by then.

        Returns:
            Whether it is new, and its record.
        """
        return self.admit_all([(event, deadline_at, watch_at)])[0]

    def admit_all(self, admissions: Sequence[tuple[Event, float, float]]) -> list[tuple[bool, EventRecord]]:
        """Admit events as `admit` does, in one round trip."""
        # No pipeline for a single event: it would first query whether the script is loaded.
        pipe = self.client.pipeline(transaction=False) if len(admissions) > 1 else None
        answers = [self._admit(*one, client=pipe) for one in admissions]
        if pipe is not None:
            answers = pipe.execute()
        return [(bool(fresh), EventRecord.from_hash(_pairs(raw))) for fresh, raw in answers]

    def _admit(self, event: Event, deadline_at: float, watch_at: float, client: Pipeline | None) -> Any:
        return self._run(
            "admit",
            event.message_id,
            orjson.dumps(event.to_json()),
            _to_milliseconds(event.received_at),
            _to_milliseconds(deadline_at),
            _to_milliseconds(watch_at),
            self._event_ms,
            more_keys=map(self.key, facets.arrival_indexes(event)),
            client=client,
        )

    def save_plan(
        self,
        message_id: str,
        run: int,
        plan: Plan,
        snapshot: Mapping[str, Any] | None,
        outcomes: Mapping[str, Outcome],
        *,
        start_checks: str | None = None,
        target: OperationTarget | None = None,
        subjects: Iterable[Subject] = (),
    ) -> bool:
        """Store the plan, the snapshot, and the outcomes that exist already.

        An attempt of the check `start_checks` is counted in the same step. `target` is what the operation
        works on, if the event alone does not contain it: the snapshot is deleted before the record. The event
        can be searched by the names and ids of its `subjects` from then on.

        Returns:
            Whether this plan was stored: the first plan of a run is kept.
        """
        blob = zlib.compress(orjson.dumps(snapshot)) if snapshot is not None else b""
        names = facets.join_names(subjects)
        stored = self._run(
            "save_plan",
            message_id,
            run,
            orjson.dumps(plan.to_json()),
            len(plan.checks),
            blob,
            self._code_ms,
            start_checks or "",
            orjson.dumps(target.to_json()) if target else b"",
            names,
            self._event_ms,
            *_outcome_fields(outcomes),
            more_keys=[self.key(facets.SUBJECTS_KEY), self.key(facets.subject_key(names))],
        )
        return bool(stored)

    def start_planning_alone(self, message_id: str) -> int:
        """Record that planning starts which may end its process; return how often it has started."""
        return int(self.client.hincrby(self.key(f"event:{message_id}"), "interruptions", 1))

    def end_planning_alone(self, message_id: str) -> None:
        """Record that planning has ended without the end of its process."""
        self.client.hdel(self.key(f"event:{message_id}"), "interruptions")

    def start_attempts(self, message_id: str, run: int, checks: Iterable[str]) -> StartedAttempt | None:
        """Count one more attempt of each of `checks` without an outcome; None if there are none left."""
        answer = self._run("start_attempts", message_id, run, waits_until(), *checks)
        if not answer:
            return None
        attempts, raw, blob = answer
        return StartedAttempt(
            {name.decode(): count for name, count in zip(attempts[::2], attempts[1::2], strict=True)},
            EventRecord.from_hash(_pairs(raw)),
            _snapshot(blob),
        )

    def mark_slow(self, message_id: str, run: int, reason: str, checks: Iterable[str]) -> bool:
        """Record that checks were moved to the slow queue; return whether their outcomes still count."""
        return bool(self._run("mark_slow", message_id, run, reason, *checks))

    def record_outcomes(
        self,
        message_id: str,
        run: int,
        outcomes: Mapping[str, Outcome],
        *,
        request: LeaseRequest | None = None,
    ) -> RecordResult:
        """Record outcomes by check name; the first outcome of each check is kept.

        When all outcomes are in, the report is enqueued in the same step. It is removed from the queue when
        it is posted, or when the event becomes dead or ignored.

        Args:
            message_id: the event.
            run: the run that the outcomes belong to.
            outcomes: the outcomes by check name.
            request: the leases of a caller that posts the report itself; None to leave it to the reporters.
        """
        owner, seconds, report_seconds = request or ("", 0, 0)
        status, *answer = self._run(
            "record_outcomes",
            message_id,
            run,
            waits_until(),
            _to_milliseconds(report_seconds),
            owner,
            _to_milliseconds(seconds),
            _to_milliseconds(MIN_LOST_LEASE_SECONDS),
            self._history.token,
            *_outcome_fields(outcomes),
            # Only processes that report may use the history.
            more_keys=[*self.reports.keys, self._history.key] if request else self.reports.keys,
        )
        waiting, *lease = answer or (0,)
        return RecordResult(
            is_complete=status == 1,
            is_stale=status == -1,
            waiting=waiting,
            lease=self._read_lease(owner, *lease) if lease else None,
        )

    def enqueue_report(self, message_id: str, run: int, *, end_lease: bool = False) -> int | None:
        """Enqueue the report of a run; a report that is already queued keeps its position.

        Args:
            message_id: the event.
            run: the run to report.
            end_lease: whether to end the caller's own lease of the report as well.

        Returns:
            Number of reports that need a token; None if the event is final or the run is stale.
        """
        waiting = self._run("enqueue_report", message_id, run, int(end_lease), more_keys=self.reports.keys)
        return None if waiting < 0 else int(waiting)

    def acquire_report_lease(
        self,
        message_id: str,
        owner: str,
        lease_seconds: float,
        run: int | None = None,
        *,
        patience: float | None = None,
    ) -> ReportLease:
        """Try to acquire the lease to decide and post the verdict of an event.

        Args:
            message_id: the event.
            owner: an id of the caller, unique to this attempt.
            lease_seconds: duration of the lease.
            run: the run to report; None for the current one.
            patience: seconds for which another owner's lease of the same duration is respected; None for its
                whole duration. After a loss of history, events without a verdict count as leased by an owner
                that is not known any more.
        """
        wanted_run = "" if run is None else run
        respected = lease_seconds if patience is None else min(patience, lease_seconds)
        answer = self._run(
            "acquire_report_lease",
            message_id,
            wanted_run,
            owner,
            _to_milliseconds(lease_seconds),
            _to_milliseconds(respected),
            _to_milliseconds(MIN_LOST_LEASE_SECONDS),
            self._history.token,
            waits_until(),
            more_keys=[self._history.key],
        )
        return self._read_lease(owner, answer)

    def lease_report(
        self,
        owner: str,
        request: LeaseRequest,
        *,
        is_redelivery: bool = False,
        idle_seconds: float = 0.0,
    ) -> LeasedReport:
        """Lease the most urgent report as `ReportQueue.lease` does, and its event in the same step.

        Args:
            owner: an id of the caller, by which it is known in the queue.
            request: the leases that it wants.
            is_redelivery: whether the owner may have been killed while it had a lease; that report is
                preferred, and the lease of its event ends.
            idle_seconds: if above 0 and there is no report, the owner offers to call again within this time,
                multiplied by the number of idle owners. Then the next report needs no token.
        """
        found = self._lease_report(
            keys=[*self.reports.lease_keys, self._history.key],
            args=[
                *lease_arguments(
                    owner, request.report_seconds, is_redelivery=is_redelivery, idle_seconds=idle_seconds
                ),
                waits_until(),
                self.key("event:"),
                request.owner,
                _to_milliseconds(request.seconds),
                _to_milliseconds(MIN_LOST_LEASE_SECONDS),
                self._history.token,
            ],
        )
        if len(found) <= 1:
            return LeasedReport(None, None, *found)
        *report, answer = found
        return LeasedReport(leased_report(*report), self._read_lease(request.owner, answer))

    def _read_lease(self, owner: str, answer: Sequence[Any]) -> ReportLease:
        status, content, token = answer
        self._history.update(token)
        if status == 1:
            return ReportLease(owner, EventRecord.from_hash(_pairs(content)))
        return ReportLease(owner, None, content / 1000 if status == 0 else None)

    def freeze_verdict(self, message_id: str, owner: str, verdict: Verdict) -> FrozenVerdict | None:
        """Freeze `verdict` unless the run has one already, and mark the start of posting.

        Returns:
            The frozen verdict; None if the lease was lost.
        """
        token, *answer = self._run(
            "freeze_verdict",
            message_id,
            owner,
            orjson.dumps(verdict.to_json()),
            verdict.result.value,
            verdict.reason.value,
            _to_milliseconds(CLOCK_TOLERANCE_SECONDS),
            self._history.token,
            more_keys=[self._history.key],
        )
        self._history.update(token)
        if not answer:
            return None
        frozen, is_posted, is_unverified = answer
        return FrozenVerdict(Verdict.from_json(orjson.loads(frozen)), bool(is_posted), bool(is_unverified))

    def has_report_lease(self, message_id: str, owner: str) -> bool:
        """Whether `owner` has the report lease of an event, and the verdict that it froze is still there."""
        fields = ["lease_owner", "posting"]
        holder, posting = cast(
            "list[bytes | None]", self.client.hmget(self.key(f"event:{message_id}"), fields)
        )
        return holder == owner.encode() and posting is not None

    def mark_reported(
        self, message_id: str, owner: str, how: str, verdict: Verdict, record: EventRecord | None = None
    ) -> MarkResult:
        """Record that DataWorks accepted `verdict`, and count it in the reports of its day, once.

        Args:
            message_id: the event.
            owner: who knows that.
            how: the source of that information.
            verdict: the accepted verdict.
            record: the event with the outcomes of the run; without it the event is neither counted nor
                found by its checks, rules and result.
        """
        counted = count_event(record, verdict.result) if record else ()
        indexes = facets.result_indexes(record, verdict.result) if record else []
        day_key = self.daily_counts.key(record.event.received_at if record else clock.now())
        more_keys = [*self.reports.keys, self.audit_trail.key, day_key, *map(self.key, indexes)]
        content = orjson.dumps(verdict.to_json())
        limits = self._event_ms, *self.daily_counts.limits
        return MarkResult(
            self._run(
                "mark_reported", message_id, owner, how, content, *limits, *counted, more_keys=more_keys
            )
        )

    def mark_rerun(
        self,
        message_id: str,
        owner: str,
        run: int,
        description: str,
        *,
        is_different: bool,
        record: EventRecord | None = None,
    ) -> bool:
        """End a run of an event for which DataWorks accepted a verdict in an earlier run; nothing was posted.

        Args:
            message_id: the event.
            owner: who decided the run; the actor in the audit trail.
            run: the run.
            description: its result, for the timeline.
            is_different: whether it differs from the accepted result; then it is recorded in the audit trail.
            record: the event with the outcomes of the run, by which it is found from then on.

        Returns:
            Whether the run ended now; False if it is stale or had ended.
        """
        indexes = facets.result_indexes(record, None) if record else []
        more_keys = [*self.reports.keys, self.audit_trail.key, *map(self.key, indexes)]
        arguments = (run, _timeline_line(description), int(is_different), self._event_ms)
        return bool(self._run("mark_rerun", message_id, owner, *arguments, more_keys=more_keys))

    def release_report_lease(
        self, message_id: str, owner: str, note: str = "", *, unposted: bool = False
    ) -> None:
        """Release the report lease; `note` is the reason why nothing was posted.

        Pass `unposted` if certainly no attempt of this run reached DataWorks: the next attempt then need not
        query whether it did.
        """
        self._run("release_report_lease", message_id, owner, _timeline_line(note), int(unposted))

    def mark_dead(self, message_id: str, reason: str, record: EventRecord | None = None) -> bool:
        """Mark an event as dead: no verdict could be posted. Return False if it was reported or dead.

        With its `record` it is found by its checks and rules.
        """
        return self._close(
            message_id, State.DEAD, reason, facets.result_indexes(record, None) if record else []
        )

    def mark_ignored(self, message_id: str, reason: str) -> bool:
        """Mark an event as ignored: it needs no verdict. Return False if it was reported or ignored."""
        return self._close(message_id, State.IGNORED, reason)

    def _close(self, message_id: str, state: State, reason: str, indexes: Sequence[str] = ()) -> bool:
        more_keys = [*self.reports.keys, *map(self.key, indexes)]
        arguments = (state.value, _timeline_line(reason), self._event_ms)
        return bool(self._run("close", message_id, *arguments, more_keys=more_keys))

    def reopen(self, message_id: str, deadline_at: float, watch_at: float, *, actor: str, reason: str) -> int:
        """Start a new run of a reported, dead or ignored event, and record it in the audit trail at once.

        Args:
            message_id: the event.
            deadline_at: when its verdict must have been posted, in seconds since the epoch.
            watch_at: when the watchdog must handle it.
            actor: who requeues it.
            reason: why.

        Returns:
            The new run; 0 if the event is in another state; -1 if it is unknown.
        """
        times = _to_milliseconds(deadline_at), _to_milliseconds(watch_at)
        more_keys = [*self.reports.keys, self.audit_trail.key]
        return int(
            self._run("reopen", message_id, *times, one_line(actor), one_line(reason), more_keys=more_keys)
        )

    def remove_ended(self, message_ids: Sequence[str]) -> int:
        """Remove those of the events that were answered or ignored; return their number."""
        pipe = self.client.pipeline(transaction=False)
        for message_id in message_ids:
            pipe.hgetall(self.key(f"event:{message_id}"))
        for message_id, raw in zip(message_ids, pipe.execute(), strict=True):
            record = EventRecord.from_hash(raw) if raw.get(b"state") else None
            names = raw.get(b"names", b"").decode(errors="replace")
            indexes = [facets.SUBJECTS_KEY, facets.subject_key(names), *(_indexes(record) if record else ())]
            more_keys = [self.key(index) for index in indexes]
            self._run("remove_ended", message_id, more_keys=more_keys, client=pipe)
        return sum(pipe.execute())

    def lease_due(self, lease_seconds: float, limit: int = 100) -> DueEvents:
        """Lease up to `limit` due events: nearest deadline first, those whose deadline has passed last.

        Each is due again after the lease unless it is final by then.
        """
        token, ids, following = self._lease_due(
            keys=[self.key("deadlines"), self._history.key],
            args=[int(lease_seconds * 1000), limit, self._history.token, waits_until(), self.key("event:")],
        )
        self._history.update(token)
        return DueEvents(
            [message_id.decode() for message_id in ids], None if following < 0 else following / 1000
        )

    def unplanned(self, limit: int) -> list[UnplannedEvent]:
        """Return the events without a plan among the `limit` unfinished ones that are decided next."""
        ids = cast("list[bytes]", self.client.zrange(self.key("deadlines"), 0, limit - 1))
        pipe = self.client.pipeline(transaction=False)
        for message_id in ids:
            pipe.hmget(self.key(f"event:{message_id.decode()}"), "state", "received", "requeued", "watch")
        return [
            UnplannedEvent(message_id.decode(), int(requeued or received) / 1000, int(watch) / 1000)
            for message_id, (state, received, requeued, watch) in zip(ids, pipe.execute(), strict=True)
            if state == State.RECEIVED.value.encode() and watch
        ]

    def oldest_unplanned(self) -> float | None:
        """Return when the oldest unplanned event arrived, in seconds since the epoch; None without any."""
        first = cast(
            "list[tuple[bytes, float]]",
            self.client.zrange(self.key(f"state:{State.RECEIVED}"), 0, 0, withscores=True),
        )
        return first[0][1] / 1000 if first else None

    def take_over(self, message_id: str, lease_seconds: float, limit: int) -> bool:
        """Lease an unplanned event, to plan it instead of intake.

        Args:
            message_id: the event.
            lease_seconds: duration of the lease.
            limit: maximum number of leases of one event: planning it may end the process.

        Returns:
            Whether it is leased; not if it is planned, leased by another, or was leased `limit` times.
        """
        return bool(self._run("take_over", message_id, _to_milliseconds(lease_seconds), limit))

    def make_due(self, message_id: str, seconds: float) -> None:
        """Let a leased event be due again after `seconds`, instead of at the end of its lease."""
        at = _to_milliseconds(clock.now() + seconds)
        self.client.zadd(self.key("deadlines"), {message_id: at}, xx=True)

    def unschedule(self, message_id: str) -> None:
        """Remove an event from the deadlines, so that it never becomes due."""
        self.client.zrem(self.key("deadlines"), message_id)

    def seen_at_least_ago(self, message_id: str, seconds: float) -> bool:
        """Whether an operation was first seen at least `seconds` ago; the first call records the time."""
        key = self.key(f"seen:{message_id}")
        now = clock.now()
        first = self.client.set(key, now, nx=True, get=True, px=_to_milliseconds(max(3600.0, 10 * seconds)))
        return first is not None and now - float(first) >= seconds

    def get(self, message_id: str) -> EventRecord | None:
        """Return one event; None if it is unknown or expired."""
        raw = cast("dict[bytes, bytes]", self.client.hgetall(self.key(f"event:{message_id}")))
        return EventRecord.from_hash(raw) if raw.get(b"state") else None

    def progress(self, message_id: str) -> EventProgress | None:
        """Return how far one event is, without reading all of it; None if it is unknown or expired."""
        fields = ["event", "state", "run", "done", "taken"]
        event, state, run, done, taken = cast(
            "list[bytes | None]", self.client.hmget(self.key(f"event:{message_id}"), fields)
        )
        if event is None or state is None or run is None:
            return None
        loaded = Event.from_json(orjson.loads(event))
        return EventProgress(loaded, State(state.decode()), int(run), int(done or 0), taken is not None)

    def snapshot(self, message_id: str) -> dict[str, Any] | None:
        """Return the snapshot of an event's operation; None if it has none or it has expired."""
        return _snapshot(cast("bytes | None", self.client.get(self.key(f"code:{message_id}"))))

    def states(self, message_ids: Iterable[str]) -> list[State | None]:
        """Return the state of each event in one round trip; None for unknown ones."""
        pipe = self.client.pipeline(transaction=False)
        for message_id in message_ids:
            pipe.hget(self.key(f"event:{message_id}"), "state")
        return [State(raw.decode()) if raw else None for raw in pipe.execute()]

    def find(
        self,
        *,
        states: Iterable[State] = (),
        project_id: int | None = None,
        since: float = 0,
        limit: int = 100,
    ) -> list[EventRecord]:
        """Return events, newest first, from the indexes (the keyspace is never scanned).

        Args:
            states: only these states; empty for all.
            project_id: only this workspace; None for all.
            since: earliest time of receipt, in seconds since the epoch.
            limit: maximum number of events.
        """
        projects = () if project_id is None else (project_id,)
        query = EventQuery(states=tuple(states), projects=projects, since=since)
        return self.first(query, limit)

    def first(self, query: EventQuery, limit: int) -> list[EventRecord]:
        """Return the newest `limit` events that fit `query`, newest first, however long that takes."""
        return self._search.first(query, limit)

    def search(self, query: EventQuery, *, limit: int = 100, before: Cursor | None = None) -> EventPage:
        """Return a page of the events that fit `query`, newest first; it may end early.

        Args:
            query: the filters.
            limit: maximum number of events.
            before: where the page starts: `EventPage.next` of the one before; None for the newest.
        """
        return self._search.page(query, limit=limit, before=before)

    def arrivals(self, indexes: Sequence[str], edges: Sequence[float]) -> list[list[int]]:
        """Return how many events of each index arrived in each interval.

        Args:
            indexes: names of indexes, see `queries.facets`.
            edges: where intervals begin, and the last one ends, in seconds since the epoch.
        """
        return self._search.arrivals(indexes, [_to_milliseconds(edge) for edge in edges])

    def counts(self) -> dict[State, int]:
        """Return the number of events in each state."""
        pipe = self.client.pipeline(transaction=False)
        for state in _STATES:
            pipe.zcard(self.key(f"state:{state}"))
        return dict(zip(_STATES, pipe.execute(), strict=True))

    def reject(self, body: bytes, reason: str) -> None:
        """Store an authentic message that is not a valid event; the newest `MAX_REJECTS` are kept."""
        entry = orjson.dumps(
            {"at": clock.now(), "reason": reason, "body": body[:65536].decode(errors="replace")}
        )
        pipe = self.client.pipeline(transaction=True)
        pipe.lpush(self.key("rejects"), zlib.compress(entry))
        pipe.ltrim(self.key("rejects"), 0, MAX_REJECTS - 1)
        pipe.pexpire(self.key("rejects"), self._event_ms)
        pipe.execute()

    def rejects(self, limit: int = 100) -> list[dict[str, Any]]:
        """Return the newest rejected messages: `at` (seconds since the epoch), `reason`, `body`."""
        entries = cast("list[bytes]", self.client.lrange(self.key("rejects"), 0, limit - 1))
        return [orjson.loads(zlib.decompress(entry)) for entry in entries]

    def _run(
        self,
        name: str,
        message_id: str,
        *args: Any,
        more_keys: Iterable[str] = (),
        client: Pipeline | None = None,
    ) -> Any:
        keys = [self.key(f"event:{message_id}"), self.key(f"code:{message_id}")]
        keys += [self.key("deadlines"), self.key("all")]
        keys += [self.key(f"state:{state}") for state in _STATES]
        with tracing.span(f"ledger {name}", "client"):
            return self._scripts[name](keys=[*keys, *more_keys], args=[message_id, *args], client=client)


def _indexes(record: EventRecord) -> list[str]:
    """Return every index of an ended event, besides those of its state and of all events."""
    accepted = record.accepted_verdict.result if record.accepted_verdict else None
    return [*facets.arrival_indexes(record.event), *facets.result_indexes(record, accepted)]


def _to_milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _outcome_fields(outcomes: Mapping[str, Outcome]) -> list[str | bytes]:
    parts: list[str | bytes] = []
    for check, outcome in outcomes.items():
        parts += [check, orjson.dumps(outcome.to_json()), outcome.kind.value]
    return parts


def _timeline_line(text: str) -> str:
    return " ".join(text.split())[:500]


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _snapshot(blob: bytes | None) -> dict[str, Any] | None:
    if not blob:
        return None
    snapshot: dict[str, Any] = orjson.loads(zlib.decompress(blob))
    return snapshot
