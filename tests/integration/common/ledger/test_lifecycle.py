"""The life of events on a real Valkey: random sequences of all steps, compared with a small model.

The model states what the steps mean, in values only. After every step each record, the indexes and the
report queue must agree with it. Leases last longer than the test: another owner takes one over by
patience 0, never by waiting.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, cast

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from common.events import Event
from common.ledger import (
    EventRecord,
    LeaseRequest,
    Ledger,
    MarkResult,
    PendingReport,
    ReportLease,
    State,
    connect,
)
from common.verdicts import Finding, Outcome, OutcomeKind, Reason, Result, Severity, Verdict
from tests.support.plans import plan_of

EVENTS = ("m-1", "m-2")
CHECKS = ("code-review", "release-window")
LEASE_SECONDS = 3600.0
STEPS = 50
EXAMPLES = 40
FUZZ_EXAMPLES = 1_000
KINDS = 16
"""Number of different steps."""

ids = st.sampled_from(EVENTS)
owners = st.sampled_from(["a", "b"])
check_sets = st.sets(st.sampled_from(CHECKS)).map(sorted)
lags = st.sampled_from([0, 0, 0, 1])
"""By how many runs the caller is behind."""
outcomes = st.sampled_from(
    [Outcome(OutcomeKind.PASSED), Outcome.of([Finding("MC-C01", Severity.BLOCK, "SELECT * of ods_order")])]
)
verdicts = st.builds(
    Verdict,
    st.sampled_from(Result),
    st.sampled_from(["tip", "another tip"]),
    st.just(Reason.COMPLETE),
    st.just(1e9),
)


@dataclass
class Model:
    """What is expected of one event."""

    deadline: float
    state: State = State.RECEIVED
    run: int = 1
    deliveries: int = 1
    is_due: bool = False
    plan: tuple[str, ...] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    holder: str | None = None
    verdict: Verdict | None = None
    is_posting: bool = False
    accepted: Verdict | None = None

    def end(self, state: State) -> None:
        """End the run."""
        self.state, self.holder, self.is_due = state, None, False

    def requeue(self, deadline: float, *, is_due: bool) -> None:
        """Start a new run; a verdict that DataWorks may have accepted stays frozen."""
        is_ambiguous = self.is_posting and not self.accepted
        self.state = State.DECIDED if is_ambiguous else State.RECEIVED
        if not is_ambiguous:
            self.verdict, self.is_posting = None, False
        self.run += 1
        self.deadline, self.is_due, self.deliveries, self.holder = deadline, is_due, 0, None
        self.plan, self.outcomes, self.attempts = (), {}, {}


class Lifecycle(RuleBasedStateMachine):
    """The steps of events in any order, by tasks of the current and of an earlier run."""

    steps: ClassVar[Counter[str]] = Counter()
    """Number of executed steps of all examples."""

    client: ClassVar[redis.Redis]
    """The client of the running test."""

    def __init__(self) -> None:
        super().__init__()
        self.client.flushdb()
        self.ledger = Ledger(self.client, "ext-1", event_seconds=7200, code_seconds=60)
        assert self.ledger.lease_due(1).message_ids == []  # a watchdog runs before events arrive
        self.base = float(int(time.time()) + 1)
        self.models: dict[str, Model] = {}
        self.waiting: set[str] = set()
        self.leased: dict[str, tuple[bool, int, str]] = {}
        """Leased reports: whether one can be leased again, its attempts, its owner."""
        self.leases: list[PendingReport] = []
        self.accepted: dict[str, Verdict] = {}
        self.frozen: dict[tuple[str, int], Verdict] = {}
        self.ends: dict[str, tuple[int, State]] = {}
        self.is_answered_now = False

    def step(self, name: str) -> None:
        """Count a step."""
        self.steps[name] += 1
        self.is_answered_now = False

    def entry(self, message_id: str) -> str:
        """Return the entry of an event's report."""
        model = self.models[message_id]
        return PendingReport(message_id, model.run, model.deadline).key

    def dequeue(self, message_id: str) -> None:
        """Remove an event's report from the expected queue."""
        self.waiting.discard(self.entry(message_id))
        self.leased.pop(self.entry(message_id), None)

    def watch_at(self, *, is_due: bool) -> float:
        """Return a time at which the watchdog handles an event, now or much later."""
        return self.base - 100 if is_due else self.base + 3600

    @rule(message_id=ids, deadline=st.sampled_from([60, 90, 600]), is_due=st.booleans())
    def admit(self, message_id: str, deadline: int, is_due: bool) -> None:
        self.step("admit")
        event = Event(message_id, "commit-file", 7, "u", True, {"fileId": 1}, self.base)
        is_new, _ = self.ledger.admit(event, self.base + deadline, self.watch_at(is_due=is_due))
        assert is_new is (message_id not in self.models)
        if is_new:
            self.models[message_id] = Model(self.base + deadline, is_due=is_due)
        else:
            self.models[message_id].deliveries += 1

    @rule(message_id=ids, checks=check_sets, has_outcome=st.booleans(), outcome=outcomes, lag=lags)
    def plan(self, message_id: str, checks: list[str], has_outcome: bool, outcome: Outcome, lag: int) -> None:
        self.step("plan")
        model = self.models.get(message_id)
        run = model.run - lag if model else 1
        known = {checks[0]: outcome} if checks and has_outcome else {}
        started = checks[-1] if checks and checks[-1] not in known else None
        stored = self.ledger.save_plan(message_id, run, plan_of(*checks), None, known, start_checks=started)
        assert stored is (model is not None and not lag and model.state is State.RECEIVED)
        if model and stored:
            model.state, model.plan, model.outcomes = State.CHECKING, tuple(checks), known
            model.attempts = {started: 1} if started else {}

    @rule(message_id=ids, lag=lags)
    def start_attempts(self, message_id: str, lag: int) -> None:
        self.step("start_attempts")
        model = self.models.get(message_id)
        started = self.ledger.start_attempts(
            message_id, model.run - lag if model else 1, model.plan if model else CHECKS
        )
        is_live = model is not None and not lag and model.state is State.CHECKING
        left = [name for name in model.plan if name not in model.outcomes] if model and is_live else []
        assert (started is not None) is bool(left)
        if model and started:
            for name in left:
                model.attempts[name] = model.attempts.get(name, 0) + 1
            assert started.attempts == {name: model.attempts[name] for name in left}

    @rule(message_id=ids, names=check_sets, outcome=outcomes, lag=lags, owner=st.none() | owners)
    def record_outcomes(
        self, message_id: str, names: list[str], outcome: Outcome, lag: int, owner: str | None
    ) -> None:
        self.step("record_outcomes")
        model = self.models.get(message_id)
        new = {name: outcome for name in names if model and name in model.plan}
        run = model.run - lag if model else 1
        request = None if owner is None else LeaseRequest(owner, LEASE_SECONDS, LEASE_SECONDS)
        result = self.ledger.record_outcomes(message_id, run, new, request=request)
        assert result.is_stale is not (model is not None and not lag and model.state is State.CHECKING)
        if model and not result.is_stale:
            model.outcomes = {**new, **model.outcomes}
            assert result.is_complete is (len(model.outcomes) == len(model.plan))
            if result.is_complete:
                self.enqueue(message_id, is_inline=owner is not None)
                assert result.waiting == len(self.waiting)
            assert (result.lease is not None) is (result.is_complete and owner is not None)
            if owner is not None and result.lease:
                self.check_lease(message_id, owner, result.lease, is_current=True)

    def enqueue(self, message_id: str, *, is_inline: bool = False) -> None:
        """Add an event's report to the expected queue; a leased one stays with its owner."""
        entry = self.entry(message_id)
        if entry in self.leased:
            return
        if is_inline:
            self.waiting.discard(entry)
            self.leased[entry] = (False, 0, "")
        else:
            self.waiting.add(entry)

    @rule(message_id=ids, lag=lags, end_lease=st.booleans())
    def enqueue_report(self, message_id: str, lag: int, end_lease: bool) -> None:
        self.step("enqueue_report")
        model = self.models.get(message_id)
        waiting = self.ledger.enqueue_report(message_id, model.run - lag if model else 1, end_lease=end_lease)
        assert (waiting is not None) is (model is not None and not lag and not model.state.is_final)
        if waiting is not None:
            if end_lease:
                self.dequeue(message_id)
            self.enqueue(message_id)
            assert waiting == len(self.waiting)

    @rule(owner=owners, is_redelivery=st.booleans())
    def lease_report(self, owner: str, is_redelivery: bool) -> None:
        self.step("lease_report")
        own = {entry for entry, (_, _, holder) in self.leased.items() if holder == owner and is_redelivery}
        free = {entry for entry, (is_free, _, _) in self.leased.items() if is_free}
        nearest = sorted(self.waiting, key=lambda entry: (int(entry.split()[0]), entry))[:1]
        request = LeaseRequest(f"{owner} of an event", LEASE_SECONDS, LEASE_SECONDS)
        report, lease, _ = self.ledger.lease_report(owner, request, is_redelivery=is_redelivery)
        if report is None or lease is None:
            assert (report, lease, own, free, nearest) == (None, None, set(), set(), [])
            return
        assert report.key in (own or free or nearest)
        assert report.is_takeover is bool(own)
        assert report.attempts == self.leased.get(report.key, (False, 0, ""))[1] + 1
        self.waiting.discard(report.key)
        self.leased[report.key] = (False, report.attempts, owner)
        self.leases.append(report)
        model = self.models.get(report.message_id)
        self.check_lease(
            report.message_id,
            request.owner,
            lease,
            is_current=model is not None and model.run == report.run,
            takes_over=report.is_takeover,
        )

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), is_now=st.booleans())
    def retry_report_later(self, data: st.DataObject, is_now: bool) -> None:
        self.step("retry_report_later")
        report = data.draw(st.sampled_from(self.leases))
        self.ledger.reports.retry_later(report, 0 if is_now else LEASE_SECONDS)
        if report.key in self.leased:
            self.leased[report.key] = (is_now, report.attempts, "")

    @rule(message_id=ids, owner=owners, lag=st.sampled_from([None, 0, 0, 1]), takes_over=st.booleans())
    def acquire_report_lease(self, message_id: str, owner: str, lag: int | None, takes_over: bool) -> None:
        self.step("acquire_report_lease")
        model = self.models.get(message_id)
        run = None if lag is None else (model.run - lag if model else 1)
        patience = 0.0 if takes_over else None
        lease = self.ledger.acquire_report_lease(message_id, owner, LEASE_SECONDS, run, patience=patience)
        self.check_lease(message_id, owner, lease, is_current=lag != 1, takes_over=takes_over)

    def check_lease(
        self, message_id: str, owner: str, lease: ReportLease, *, is_current: bool, takes_over: bool = False
    ) -> None:
        """Check the result of trying to lease an event, and update the model."""
        model = self.models.get(message_id)
        assert lease.owner == owner
        if model is None or not is_current or model.state in (State.REPORTED, State.IGNORED):
            assert (lease.record, lease.wait) == (None, None)
        elif model.holder not in (None, owner) and not takes_over:
            assert lease.record is None
            assert lease.wait
        else:
            assert lease.record
            model.holder = owner

    @rule(message_id=ids, owner=owners, verdict=verdicts)
    def freeze_verdict(self, message_id: str, owner: str, verdict: Verdict) -> None:
        self.step("freeze_verdict")
        model = self.models.get(message_id)
        frozen = self.ledger.freeze_verdict(message_id, owner, verdict)
        assert (frozen is not None) is (model is not None and model.holder == owner)
        if model and frozen:
            model.verdict = model.verdict or verdict
            assert frozen == (model.verdict, model.is_posting, False)
            assert self.frozen.setdefault((message_id, model.run), frozen.verdict) == frozen.verdict
            model.is_posting = True
            if model.state is not State.DEAD:
                model.state = State.DECIDED

    @rule(message_id=ids, owner=owners, unposted=st.booleans())
    def release_report_lease(self, message_id: str, owner: str, unposted: bool) -> None:
        self.step("release_report_lease")
        self.ledger.release_report_lease(message_id, owner, "throttled", unposted=unposted)
        model = self.models.get(message_id)
        if model and model.holder == owner:
            model.holder = None
            model.is_posting = model.is_posting and not unposted

    @rule(message_id=ids, owner=owners, other=verdicts, is_frozen=st.booleans())
    def mark_reported(self, message_id: str, owner: str, other: Verdict, is_frozen: bool) -> None:
        """DataWorks accepted the frozen verdict, or one that an earlier run had posted."""
        self.step("mark_reported")
        model = self.models.get(message_id)
        verdict = (model.verdict if model and is_frozen else None) or other
        result = self.ledger.mark_reported(message_id, owner, "posted", verdict)
        if model is None:
            assert result is MarkResult.UNKNOWN_EVENT
        elif model.accepted:
            assert result is MarkResult.KNOWN_BEFORE
        else:
            assert result is MarkResult.RECORDED
            self.dequeue(message_id)
            model.accepted = verdict
            model.end(State.REPORTED)
            self.is_answered_now = True

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), owner=owners, lag=lags, is_different=st.booleans())
    def mark_rerun(self, data: st.DataObject, owner: str, lag: int, is_different: bool) -> None:
        """End a run after that of the accepted verdict."""
        self.step("mark_rerun")
        message_id = data.draw(st.sampled_from(sorted(self.accepted)))
        model = self.models[message_id]
        ended = self.ledger.mark_rerun(message_id, owner, model.run - lag, "OK", is_different=is_different)
        assert ended is (not lag and model.state not in (State.REPORTED, State.IGNORED))
        if ended:
            self.dequeue(message_id)
            model.end(State.REPORTED)
            self.is_answered_now = True

    @rule(message_id=ids, end=st.sampled_from([State.DEAD, State.IGNORED]))
    def close(self, message_id: str, end: State) -> None:
        self.step(f"mark_{end}")
        model = self.models.get(message_id)
        mark = self.ledger.mark_dead if end is State.DEAD else self.ledger.mark_ignored
        ended = mark(message_id, "for the test")
        assert ended is (model is not None and not model.state.is_final)
        if model and ended:
            self.dequeue(message_id)
            model.end(end)

    @rule(message_id=ids, deadline=st.sampled_from([60, 90, 600]), is_due=st.booleans())
    def requeue(self, message_id: str, deadline: int, is_due: bool) -> None:
        self.step("requeue")
        model = self.models.get(message_id)
        watch_at = self.watch_at(is_due=is_due)
        run = self.ledger.reopen(message_id, self.base + deadline, watch_at, actor="me@host", reason="again")
        if model is None:
            assert run == -1
        elif not model.state.is_final:
            assert run == 0
        else:
            self.dequeue(message_id)
            model.requeue(self.base + deadline, is_due=is_due)
            assert run == model.run

    @rule(limit=st.sampled_from([1, 100]))
    def lease_due(self, limit: int) -> None:
        self.step("lease_due")
        due = {message_id for message_id, model in self.models.items() if model.is_due}
        leased = self.ledger.lease_due(LEASE_SECONDS, limit).message_ids
        assert due.issuperset(leased)
        nearest = sorted(self.models[message_id].deadline for message_id in due)[:limit]
        assert [self.models[message_id].deadline for message_id in leased] == nearest
        for message_id in leased:
            self.models[message_id].is_due = False

    def record(self, message_id: str) -> EventRecord:
        """Return the record of an admitted event."""
        found = self.ledger.get(message_id)
        assert found
        return found

    def members(self, name: str) -> list[str]:
        """Return the members of a sorted set of the ledger."""
        found = cast("list[bytes]", self.client.zrange(self.ledger.key(name), 0, -1))
        return sorted(member.decode() for member in found)

    @invariant()
    def records_agree(self) -> None:
        for message_id, model in self.models.items():
            record = self.record(message_id)
            assert (record.state, record.run, record.deliveries) == (model.state, model.run, model.deliveries)
            assert record.deadline_at == model.deadline
            assert (record.planned_checks, record.outcomes) == (model.plan, model.outcomes)
            assert record.attempts == model.attempts
            assert (record.verdict, record.accepted_verdict) == (model.verdict, model.accepted)
            assert (record.posting_at is not None) is model.is_posting
            holder = self.client.hget(self.ledger.key(f"event:{message_id}"), "lease_owner")
            assert holder == (model.holder.encode() if model.holder else None)

    @invariant()
    def accepted_verdict_and_end_stay(self) -> None:
        for message_id in self.models:
            record = self.record(message_id)
            if message_id in self.accepted:
                assert record.accepted_verdict == self.accepted[message_id]
            elif record.accepted_verdict:
                self.accepted[message_id] = record.accepted_verdict
            run, end = self.ends.get(message_id, (0, record.state))
            if run == record.run and record.state is not end:
                # An event that ended without an answer is reported once DataWorks has one.
                assert record.state is State.REPORTED
                assert self.is_answered_now
            if record.state.is_final:
                self.ends[message_id] = (record.run, record.state)

    @invariant()
    def indexes_agree_with_the_records(self) -> None:
        states = {message_id: self.record(message_id).state for message_id in self.models}
        for state in State:
            assert self.members(f"state:{state}") == sorted(
                id_ for id_, its in states.items() if its is state
            )
        assert self.members("all") == self.members("project:7") == sorted(states)
        assert self.members("deadlines") == sorted(id_ for id_, its in states.items() if not its.is_final)

    @invariant()
    def queue_agrees_with_the_records(self) -> None:
        waiting, leased = self.members("reports:waiting"), self.members("reports:leased")
        assert (waiting, leased) == (sorted(self.waiting), sorted(self.leased))
        for entry in [*waiting, *leased]:
            report = PendingReport.from_key(entry, 1, is_takeover=False)
            record = self.record(report.message_id)
            assert (report.run, report.deadline_at) == (record.run, record.deadline_at)
            assert not record.state.is_final


@pytest.fixture
def client(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect(clean_redis_url)
    yield client
    client.close()


@pytest.mark.hypothesis
def test_any_sequence_of_steps_agrees_with_the_model(client: redis.Redis) -> None:
    is_fuzz = settings.default is not None and settings.default.max_examples > FUZZ_EXAMPLES
    Lifecycle.client = client
    Lifecycle.steps.clear()
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=FUZZ_EXAMPLES if is_fuzz else EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
    if is_fuzz:
        assert len(Lifecycle.steps) == KINDS, "every step was executed"
